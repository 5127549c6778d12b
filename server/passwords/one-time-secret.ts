/** One-time secrets: random, told once, typed once. */
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

export interface OneTimeSecret {
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** 32 characters, 5 bits each, none of which is taken for another on paper. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 100 bits. */
const GROUPS = 4;
const GROUP_LENGTH = 5;
const LIFETIME_MS = 24 * 3_600_000;

export function createOneTimeSecret(random: Random, clock: Pick<Clock, 'now'>): OneTimeSecret {
  const letters = Array.from(random.bytes(GROUPS * GROUP_LENGTH), (byte) => ALPHABET[byte % 32]).join('');
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    letters.slice(index * GROUP_LENGTH, (index + 1) * GROUP_LENGTH),
  );
  return { secret: groups.join('-'), expiresAt: clock.now() + LIFETIME_MS };
}
