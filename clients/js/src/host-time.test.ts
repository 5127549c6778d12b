import { expect, test } from 'vitest';
import { createFixedClock } from '../../../server/ports/clock.ts';
import { createHostTime } from './host-time.ts';

test('is the time of the machine until the host has told its own', async () => {
  const clock = createFixedClock(5_000);
  const time = createHostTime(clock);
  await clock.advance(1_000);
  expect(time.read()).toBe(6_000);
});

test("follows the host's clock, and no jump of the machine's", async () => {
  const clock = createFixedClock();
  const time = createHostTime(clock);
  expect(time.set('2030-01-01T00:00:00.000Z')).toBe(true);
  clock.setWallClock(0);
  await clock.advance(1_000);
  expect(time.read()).toBe(Date.UTC(2030, 0, 1) + 1_000);
});

test('does not stumble over what the network takes, nor over what is no time', () => {
  const time = createHostTime(createFixedClock(10_000));
  expect(time.set(new Date(10_499).toISOString())).toBe(false);
  expect(time.set('soon')).toBe(false);
  expect(time.read()).toBe(10_000);
});
