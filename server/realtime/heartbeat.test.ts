import { expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createHeartbeat } from './heartbeat.ts';

const INTERVAL_MS = 16_000;

function open() {
  const clock = createFixedClock();
  const start = clock.monotonic();
  const beats: { item: number; atMs: number }[] = [];
  const heartbeat = createHeartbeat<number>(clock, INTERVAL_MS, (item) =>
    beats.push({ item, atMs: clock.monotonic() - start }),
  );
  return { clock, heartbeat, beats };
}

test('calls each once an interval, and never many at the same time', async () => {
  const { clock, heartbeat, beats } = open();
  for (let item = 0; item < 160; item += 1) heartbeat.add(item);
  await clock.advance(3 * INTERVAL_MS);
  for (let item = 0; item < 160; item += 1) {
    const times = beats.filter((beat) => beat.item === item).map(({ atMs }) => atMs);
    expect(times).toEqual([0, 1, 2].map((turn) => times[0]! + turn * INTERVAL_MS));
    expect(times[0]).toBeLessThanOrEqual(INTERVAL_MS);
  }
  const together = Map.groupBy(beats, ({ atMs }) => atMs);
  expect(Math.max(...[...together.values()].map((group) => group.length))).toBe(10);
});

test('calls nobody who was taken out, and nobody at all once closed', async () => {
  const { clock, heartbeat, beats } = open();
  heartbeat.add(1);
  heartbeat.add(2);
  heartbeat.delete(1);
  heartbeat.delete(1);
  await clock.advance(INTERVAL_MS);
  expect(beats.map(({ item }) => item)).toEqual([2]);
  heartbeat.close();
  await clock.advance(INTERVAL_MS);
  expect(beats).toHaveLength(1);
});

test('rests while there is nobody, and goes on with the next', async () => {
  const { clock, heartbeat, beats } = open();
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (delayMs, callback) => {
    timers += 1;
    return after(delayMs, callback);
  };
  heartbeat.add(1);
  heartbeat.delete(1);
  timers = 0;
  await clock.advance(10 * INTERVAL_MS);
  expect(timers).toBe(0);
  heartbeat.add(2);
  await clock.advance(INTERVAL_MS);
  expect(beats.map(({ item }) => item)).toEqual([2]);
});
