import { expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createDeadlines } from './deadlines.ts';

function open() {
  const clock = createFixedClock();
  const due: string[] = [];
  return { clock, due, deadlines: createDeadlines<string>(clock, 1000, (item) => due.push(item)) };
}

test('calls back for each that was not taken out, when its own time is over', async () => {
  const { clock, due, deadlines } = open();
  deadlines.add('a');
  await clock.advance(400);
  deadlines.add('b');
  deadlines.add('c');
  deadlines.delete('b');
  await clock.advance(599);
  expect(due).toEqual([]);
  await clock.advance(1);
  expect(due).toEqual(['a']);
  await clock.advance(399);
  expect(due).toEqual(['a']);
  await clock.advance(1);
  expect(due).toEqual(['a', 'c']);
  await clock.advance(10_000);
  expect(due).toEqual(['a', 'c']);
});

test('gives no time more to what is there already', async () => {
  const { clock, due, deadlines } = open();
  deadlines.add('a');
  await clock.advance(999);
  deadlines.add('a');
  await clock.advance(1);
  expect(due).toEqual(['a']);
});

test('goes on after it had nothing to wait for', async () => {
  const { clock, due, deadlines } = open();
  deadlines.add('a');
  deadlines.delete('a');
  await clock.advance(5000);
  deadlines.add('b');
  await clock.advance(1000);
  expect(due).toEqual(['b']);
});

test('is silent once closed', async () => {
  const { clock, due, deadlines } = open();
  deadlines.add('a');
  deadlines.close();
  await clock.advance(5000);
  expect(due).toEqual([]);
});
