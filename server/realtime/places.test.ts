import { expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createPlaces } from './places.ts';

function open(maxConnections: number, maxConnectionsPerAddress: number) {
  const clock = createFixedClock();
  const log = createMemoryLog();
  return { clock, log, ...createPlaces({ clock, log }, { maxConnections, maxConnectionsPerAddress }) };
}

test('there are so many in all', () => {
  const { take, giveBack } = open(2, 10);
  expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(take)).toEqual(['taken', 'taken', 'full']);
  giveBack('192.0.2.1');
  expect(['192.0.2.3', '192.0.2.1'].map(take)).toEqual(['taken', 'full']);
});

test('there are so many for an address, and what one is refused is there for another', () => {
  const { take, giveBack } = open(10, 1);
  expect(['192.0.2.1', '192.0.2.1', '192.0.2.2'].map(take)).toEqual(['taken', 'full-for-address', 'taken']);
  giveBack('192.0.2.1');
  expect(take('192.0.2.1')).toBe('taken');
});

test('the addresses of an IPv6 network count as one', () => {
  const { take, giveBack } = open(10, 1);
  expect(take('2001:db8::1')).toBe('taken');
  expect(take('2001:db8::2')).toBe('full-for-address');
  giveBack('2001:db8::1');
  expect(take('2001:db8::2')).toBe('taken');
});

test('a flood of refusals is one line a minute in the log', async () => {
  const { clock, log, take } = open(0, 1);
  for (let at = 0; at < 100; at += 1) take('192.0.2.1');
  expect(log.lines).toHaveLength(1);
  await clock.advance(60_000);
  take('192.0.2.1');
  expect(log.lines).toHaveLength(2);
});
