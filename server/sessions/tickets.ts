/** Tickets: leave to replace a password and to finish the sign-in that asked for it; good for nothing else. */
import type { Clock } from '../ports/clock.ts';
import { randomText, type Random } from '../ports/random.ts';

export interface Tickets<Purpose> {
  issue(purpose: Purpose): string;
  /** What the ticket is for, or null where it is unknown, used or too old. */
  find(ticket: string): Purpose | null;
  use(ticket: string): void;
}

const LIFETIME_MS = 10 * 60_000;
/** A ticket takes a correct password, so many at once mean a defect, not a crowd. */
const MOST_TICKETS = 1000;

export function createTickets<Purpose>({
  clock,
  random,
}: {
  clock: Clock;
  random: Random;
}): Tickets<Purpose> {
  const tickets = new Map<string, { purpose: Purpose; due: number }>();

  function dropExpired(): void {
    for (const [ticket, { due }] of tickets) if (due <= clock.monotonic()) tickets.delete(ticket);
  }
  return {
    issue(purpose) {
      dropExpired();
      if (tickets.size >= MOST_TICKETS) tickets.delete(tickets.keys().next().value as string);
      const ticket = randomText(random, 32);
      tickets.set(ticket, { purpose, due: clock.monotonic() + LIFETIME_MS });
      return ticket;
    },
    find(ticket) {
      dropExpired();
      return tickets.get(ticket)?.purpose ?? null;
    },
    use: (ticket) => void tickets.delete(ticket),
  };
}
