import { expect, test } from 'vitest';
import { TestClock } from './testing.ts';
import { WhileUsed } from './while-used.ts';

function start() {
  const clock = new TestClock();
  let done = 0;
  const repeated = new WhileUsed(clock, 10_000, () => (done += 1));
  repeated.start();
  return { clock, repeated, done: () => done };
}

test('repeats the work while somebody is there', async () => {
  const { clock, repeated, done } = start();
  for (let i = 0; i < 10; i += 1) {
    await clock.advance(10_000);
    repeated.note();
  }
  expect(done()).toBe(10);
});

test('rests a minute after the last key or touch', async () => {
  const { clock, done } = start();
  await clock.advance(600_000);
  expect(done()).toBe(6);
});

test('goes on at once when somebody comes back', async () => {
  const { clock, repeated, done } = start();
  await clock.advance(605_000);
  repeated.note();
  expect(done()).toBe(7);
  repeated.note();
  expect(done()).toBe(7);
  await clock.advance(5_000);
  expect(done()).toBe(8);
});

test('does nothing any more once it is stopped', async () => {
  const { clock, repeated, done } = start();
  repeated.stop();
  await clock.advance(100_000);
  repeated.note();
  expect(done()).toBe(0);
});
