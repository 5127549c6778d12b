import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../test/house.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createFixedRandom } from '../ports/random.ts';
import { createTickets } from './tickets.ts';

function openTickets() {
  const clock = createFixedClock();
  return { clock, tickets: createTickets<string>({ clock, random: createFixedRandom() }) };
}

test('a ticket is 256 unguessable bits in text that a URL takes unchanged', () => {
  const { tickets } = openTickets();
  const ticket = tickets.issue('olivia');
  expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
  expect(encodeURIComponent(ticket)).toBe(ticket);
  expect(tickets.issue('olivia')).not.toBe(ticket);
});

test('a ticket is found as often as one looks, until it is used', () => {
  const { tickets } = openTickets();
  const ticket = tickets.issue('olivia');
  const other = tickets.issue('sam');
  expect([tickets.find(ticket), tickets.find(ticket)]).toEqual(['olivia', 'olivia']);
  tickets.use(ticket);
  tickets.use(ticket);
  expect(tickets.find(ticket)).toBeNull();
  expect(tickets.find(other)).toBe('sam');
});

test.each(['', 'unknown', 'constructor', '__proto__'])('nothing is found for %j', (ticket) => {
  const { tickets } = openTickets();
  tickets.issue('olivia');
  expect(tickets.find(ticket)).toBeNull();
});

test('a ticket is good for ten minutes, whatever the wall clock says', async () => {
  const { clock, tickets } = openTickets();
  const ticket = tickets.issue('olivia');
  clock.setWallClock(0);
  await clock.advance(10 * MINUTE_MS - 1);
  expect(tickets.find(ticket)).toBe('olivia');
  await clock.advance(1);
  expect(tickets.find(ticket)).toBeNull();
});

test('the oldest gives way when there are a thousand', () => {
  const { tickets } = openTickets();
  const issued = Array.from({ length: 1001 }, (_, i) => tickets.issue(`user ${i}`));
  expect(tickets.find(issued[0] ?? '')).toBeNull();
  expect(tickets.find(issued[1] ?? '')).toBe('user 1');
  expect(tickets.find(issued[1000] ?? '')).toBe('user 1000');
});
