import { expect, test } from 'vitest';
import { createFixedClock } from '../../server/ports/clock.ts';
import { createPaced } from './paced.ts';

test('does at once what is asked for first, and the rest of a storm together after the pause', async () => {
  const clock = createFixedClock();
  const done: number[] = [];
  const ask = createPaced(clock, 250, () => done.push(clock.monotonic()));
  ask();
  ask();
  expect(done).toEqual([]);
  await clock.advance(0);
  expect(done).toEqual([0]);
  for (let asked = 0; asked < 100; asked += 1) {
    ask();
    await clock.advance(5);
  }
  expect(done).toEqual([0, 250, 500]);
  await clock.advance(1000);
  expect(done).toEqual([0, 250, 500]);
  ask();
  await clock.advance(0);
  expect(done).toEqual([0, 250, 500, 1500]);
});
