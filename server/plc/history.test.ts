import { expect, it } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createHistory } from './history.ts';

it('keeps the slowest read of each of the last 120 seconds, and null where there was none', async () => {
  const clock = createFixedClock();
  const history = createHistory(clock);
  history.noteRoundTrip(3);
  history.noteRoundTrip(7);
  history.noteRoundTrip(5);
  await clock.advance(2000);
  history.noteRoundTrip(1);
  expect(history.roundTripsMs()).toHaveLength(120);
  expect(history.roundTripsMs().slice(-4)).toEqual([null, 7, null, 1]);
  await clock.advance(117_000);
  expect(history.roundTripsMs().slice(0, 3)).toEqual([7, null, 1]);
  await clock.advance(1000);
  expect(history.roundTripsMs().slice(0, 2)).toEqual([null, 1]);
  await clock.advance(86_400_000);
  expect(history.roundTripsMs()).toEqual(new Array(120).fill(null));
});

it('counts the errors of the last hour', async () => {
  const clock = createFixedClock();
  const history = createHistory(clock);
  expect(history.errorsLastHour()).toBe(0);
  history.noteError();
  history.noteError();
  await clock.advance(30 * 60_000);
  history.noteError();
  expect(history.errorsLastHour()).toBe(3);
  await clock.advance(30 * 60_000);
  expect(history.errorsLastHour()).toBe(1);
});

it('forgets nothing when the clock of the PC is set', () => {
  const clock = createFixedClock();
  const history = createHistory(clock);
  history.noteError();
  clock.setWallClock(0);
  history.noteRoundTrip(2);
  expect(history.errorsLastHour()).toBe(1);
  expect(history.roundTripsMs().at(-1)).toBe(2);
});
