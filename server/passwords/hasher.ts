/** Argon2id (RFC 9106) with a pepper and bounded concurrency: it never piles up work, and never blocks the loop. */
import argon2 from 'argon2';
import { KeyswitchError } from '../errors.ts';

export interface HasherOptions {
  /** Memory a hash takes, in KiB. */
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
  /** Hashes computed side by side. */
  readonly maxConcurrent: number;
  /** Hashes that may wait for their turn; one more is refused with `busy`. */
  readonly maxWaiting: number;
  /** Argon2's secret input, kept apart from the database (NIST SP 800-63B-4, 3.1.1.2). */
  readonly pepper: Buffer;
}

export interface Hasher {
  /** PHC string of `password`, taken as NFC in UTF-8, whole. */
  hash(password: string): Promise<string>;
  verify(hash: string, password: string): Promise<boolean>;
  /** Whether `hash` was made with other parameters than those in force. */
  isOutdated(hash: string): boolean;
}

/** What a hash takes on ordinary hardware, for an honest `Retry-After`; seconds. */
const SECONDS_A_HASH = 0.05;

export function createHasher(options: HasherOptions): Hasher {
  const { memoryKib, iterations, parallelism, pepper } = options;
  const parameters = { memoryCost: memoryKib, timeCost: iterations, parallelism };
  const turns = createTurns(options);
  return {
    hash: (password) =>
      turns.take(() =>
        argon2.hash(password.normalize('NFC'), { type: argon2.argon2id, ...parameters, secret: pepper }),
      ),
    verify: (hash, password) =>
      turns.take(() => argon2.verify(hash, password.normalize('NFC'), { secret: pepper })),
    isOutdated: (hash) => argon2.needsRehash(hash, parameters),
  };
}

interface Turns {
  take<Result>(work: () => Promise<Result>): Promise<Result>;
}

function createTurns({ maxConcurrent, maxWaiting }: HasherOptions): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async take(work) {
      if (running >= maxConcurrent) {
        if (waiting.length >= maxWaiting) {
          const retryAfterSec = Math.max(1, Math.ceil((waiting.length * SECONDS_A_HASH) / maxConcurrent));
          throw new KeyswitchError('busy', undefined, { retryAfterSec });
        }
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        running += 1;
      }
      try {
        return await work();
      } finally {
        // The turn goes to the next in line without being given back, so that nobody can slip in between.
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}
