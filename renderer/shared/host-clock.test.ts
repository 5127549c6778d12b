import { expect, test } from 'vitest';
import { HostClock } from './host-clock.svelte.ts';
import { iso, START_MS, TestClock } from './testing.ts';

test('goes by the time of the PC until the host has told its own', () => {
  expect(new HostClock(new TestClock()).read()).toBe(START_MS);
});

test('moves each second', async () => {
  const pc = new TestClock();
  const clock = new HostClock(pc);
  await pc.advance(3_000);
  expect(clock.now).toBe(START_MS + 3_000);
});

test('follows the host, an hour away', async () => {
  const pc = new TestClock();
  const clock = new HostClock(pc);
  clock.set(iso(3_600_000));
  expect(clock.now).toBe(START_MS + 3_600_000);
  await pc.advance(2_000);
  expect(clock.read()).toBe(START_MS + 3_602_000);
});

test('does not follow what is only the delay of the network', () => {
  const clock = new HostClock(new TestClock());
  clock.set(iso(-120));
  expect(clock.read()).toBe(START_MS);
});
