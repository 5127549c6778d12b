/** Argon2id (RFC 9106) with a pepper, in a bounded line that is fair between callers: no work piles up, no loop blocks. */
import argon2 from 'argon2';
import { KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';

export interface HasherOptions {
  /** Memory a hash takes, in KiB. */
  readonly memoryKib: number;
  readonly iterations: number;
  readonly parallelism: number;
  /** Hashes computed side by side. */
  readonly maxConcurrent: number;
  /** Hashes that may wait for their turn in all. */
  readonly maxWaiting: number;
  /** Hashes that may wait for one caller. */
  readonly maxWaitingPerAddress: number;
  /** Argon2's secret input, kept apart from the database (NIST SP 800-63B-4, 3.1.1.2). */
  readonly pepper: Buffer;
}

/** Who waits: the caller's address; null is the host's own work, a lane like any other. */
export type Lane = string | null;

/** `suspect`: there have been failures where it comes from. It waits until nobody else does, or nearly so. */
export type Standing = 'clean' | 'suspect';

export interface Hasher {
  /** PHC string of `password`, taken as NFC in UTF-8, whole. `busy` where too much waits. */
  hash(password: string, lane?: Lane): Promise<string>;
  verify(hash: string, password: string, lane?: Lane, standing?: Standing): Promise<boolean>;
  /** Makes suspects of those who wait in the lane: one of them has failed. */
  suspect(lane: Lane): void;
  /** Whether `hash` was made with other parameters than those in force. */
  isOutdated(hash: string): boolean;
}

export function createHasher(options: HasherOptions, clock: Pick<Clock, 'monotonic'>): Hasher {
  const { memoryKib, iterations, parallelism, pepper } = options;
  const parameters = { memoryCost: memoryKib, timeCost: iterations, parallelism };
  const turns = createTurns(options, clock);
  return {
    hash: (password, lane = null) =>
      turns.take(lane, () =>
        argon2.hash(password.normalize('NFC'), { type: argon2.argon2id, ...parameters, secret: pepper }),
      ),
    verify: (hash, password, lane = null, standing = 'clean') =>
      turns.take(lane, () => argon2.verify(hash, password.normalize('NFC'), { secret: pepper }), standing),
    suspect: turns.suspect,
    isOutdated: (hash) => argon2.needsRehash(hash, parameters),
  };
}

export type TurnsOptions = Pick<HasherOptions, 'maxConcurrent' | 'maxWaiting' | 'maxWaitingPerAddress'>;

export interface Turns {
  /** Runs `work` when its turn comes; `busy`, with the time the line takes, where there is no room to wait. */
  take<Result>(lane: Lane, work: () => Promise<Result>, standing?: Standing): Promise<Result>;
  /** Lets those who wait in the lane wait as suspects. */
  suspect(lane: Lane): void;
}

interface Waiter {
  start(): void;
  refuse(error: KeyswitchError): void;
}

/** What a piece of work takes before one was measured: a hash on ordinary hardware; milliseconds. */
const FIRST_GUESS_MS = 50;
/** How much of the measured average the newest measure makes. */
const NEWEST = 0.1;

/** So many of the clean are served in a row while suspects wait: somebody who mistyped gets in all the same. */
const CLEAN_IN_A_ROW = 3;

/**
 * Makes the line: so many at once, the others in lanes that are served in turn, so that whoever comes alone never
 * waits behind everything that one caller has sent; and those of whom nothing bad is known before the suspects, so
 * that nobody waits behind an attack.
 */
export function createTurns(options: TurnsOptions, clock: Pick<Clock, 'monotonic'>): Turns {
  const { maxConcurrent, maxWaiting, maxWaitingPerAddress } = options;
  /** Those who wait, by lane; the lane whose turn it is comes first, and none is empty. */
  const lanes: Readonly<Record<Standing, Map<Lane, Waiter[]>>> = { clean: new Map(), suspect: new Map() };
  let waiting = 0;
  let running = 0;
  let cleanInARow = 0;
  let averageMs = FIRST_GUESS_MS;

  /** Says how long those take who are served until a lane with `own` waiting has been. */
  function busy(own: number): KeyswitchError {
    let turns = 0;
    for (const line of [...lanes.clean.values(), ...lanes.suspect.values()]) {
      turns += Math.min(line.length, Math.max(own, 1));
    }
    const retryAfterSec = Math.max(1, Math.ceil((turns * averageMs) / maxConcurrent / 1000));
    return new KeyswitchError('busy', undefined, { retryAfterSec });
  }

  function longestOf(standing: Standing): Waiter[] {
    return [...lanes[standing].values()].reduce<Waiter[]>(
      (found, line) => (line.length > found.length ? line : found),
      [],
    );
  }

  /** The whole line is full: the newest of the longest lane gives way, to the clean a suspect before all. */
  function makeRoomFor(own: number, standing: Standing): void {
    const isBeforeSuspects = standing === 'clean' && lanes.suspect.size > 0;
    const longest = longestOf(isBeforeSuspects ? 'suspect' : standing);
    // One gives way to its like only where its lane is clearly shorter.
    if (!isBeforeSuspects && own + 1 >= longest.length) throw busy(own);
    const displaced = longest.pop();
    waiting -= 1;
    if (longest.length === 0) dropEmpty(isBeforeSuspects ? 'suspect' : standing);
    displaced?.refuse(busy(longest.length));
  }

  function dropEmpty(standing: Standing): void {
    for (const [lane, line] of lanes[standing]) if (line.length === 0) lanes[standing].delete(lane);
  }

  function wait(lane: Lane, standing: Standing): Promise<void> {
    const own = lanes[standing].get(lane)?.length ?? 0;
    if (own >= maxWaitingPerAddress) throw busy(own);
    if (waiting >= maxWaiting) makeRoomFor(own, standing);
    waiting += 1;
    const line = lanes[standing].get(lane) ?? [];
    lanes[standing].set(lane, line);
    return new Promise((resolve, reject) => line.push({ start: resolve, refuse: reject }));
  }

  /** Whose turn it is: the clean, and now and then a suspect. */
  function nextStanding(): Standing {
    const isCleanAgain = lanes.suspect.size === 0 || cleanInARow < CLEAN_IN_A_ROW;
    const standing = lanes.clean.size > 0 && isCleanAgain ? 'clean' : 'suspect';
    cleanInARow = standing === 'clean' ? cleanInARow + 1 : 0;
    return standing;
  }

  /** The turn goes to the next in line without being given back, so that nobody can slip in between. */
  function passOn(): void {
    const ofStanding = lanes[nextStanding()];
    const [next] = ofStanding;
    if (next === undefined) {
      running -= 1;
      return;
    }
    const [lane, line] = next;
    const waiter = line.shift();
    waiting -= 1;
    ofStanding.delete(lane);
    if (line.length > 0) ofStanding.set(lane, line);
    waiter?.start();
  }

  return {
    async take(lane, work, standing = 'clean') {
      if (running < maxConcurrent) running += 1;
      else await wait(lane, standing);
      const began = clock.monotonic();
      try {
        const result = await work();
        averageMs += (clock.monotonic() - began - averageMs) * NEWEST;
        return result;
      } finally {
        passOn();
      }
    },
    suspect(lane) {
      const line = lanes.clean.get(lane);
      if (line === undefined) return;
      lanes.clean.delete(lane);
      lanes.suspect.set(lane, [...(lanes.suspect.get(lane) ?? []), ...line]);
    },
  };
}
