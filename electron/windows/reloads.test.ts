import { beforeEach, expect, test } from 'vitest';
import { createFixedClock, type FixedClock } from '../../server/ports/clock.ts';
import { createReloads, type Reloads } from './reloads.ts';

let clock: FixedClock;
let loads: number;
let reloads: Reloads;

beforeEach(() => {
  clock = createFixedClock();
  loads = 0;
  reloads = createReloads(clock, () => void (loads += 1));
});

/** The seconds from a failure to the next load. */
async function waited(): Promise<number> {
  const before = loads;
  reloads.later();
  let seconds = 0;
  while (loads === before) {
    seconds += 1;
    await clock.advance(1000);
  }
  return seconds;
}

test('a page is loaded again after a second, and ever later while it fails, up to half a minute', async () => {
  const pauses = [];
  for (let failure = 0; failure < 8; failure += 1) pauses.push(await waited());
  expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
});

test('a page that lasted a minute starts anew; one that fails as soon as it is there does not', async () => {
  expect([await waited(), await waited()]).toEqual([1, 2]);
  reloads.succeeded();
  await clock.advance(59_000);
  expect(await waited()).toBe(4);
  reloads.succeeded();
  await clock.advance(60_000);
  expect(await waited()).toBe(1);
});

test('two failures of one page load it once', async () => {
  reloads.later();
  reloads.later();
  await clock.advance(60_000);
  expect(loads).toBe(1);
});

test('loading it now is loading it once', async () => {
  reloads.later();
  reloads.now();
  await clock.advance(60_000);
  expect(loads).toBe(1);
});

test('nothing is loaded once something else is shown', async () => {
  reloads.later();
  reloads.cancel();
  await clock.advance(60_000);
  expect(loads).toBe(0);
});

test('a wall clock that jumps changes nothing', async () => {
  reloads.later();
  clock.setWallClock(0);
  await clock.advance(1000);
  expect(loads).toBe(1);
});
