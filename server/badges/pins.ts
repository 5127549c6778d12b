/** PINs: short numbers that go with a badge and are worth nothing without one; ten wrong ones, and they wait for the password. */
import { isKeyswitchError, KeyswitchError, type Fault } from '../errors.ts';
import type { Hasher, Lane, Standing } from '../passwords/hasher.ts';
import type { Clock } from '../ports/clock.ts';
import type { AfterCommit, Reader, Store, Writer } from '../store/store.ts';
import { brokenPinRules, LONGEST_PIN, type PinRule } from './pin-rules.ts';
import {
  addFailures,
  clearFailures,
  deletePin,
  replacePinHash,
  selectFailures,
  selectPin,
  upsertPin,
} from './pins-store.ts';

/** `setAt` tells the PIN that was checked from one that replaces it, see `Pins.setAt`. */
export type PinCheck = { readonly check: 'match'; readonly setAt: number } | { readonly check: 'mismatch' };

export interface Pins {
  /**
   * Checks `typed` for the cost of one hash. Null, without a hash, where the user has no PIN or it is blocked: then
   * the password counts. A wrong one counts at once, in memory, so that many at the same time are no more tries.
   */
  verify(userId: string, typed: string, lane: Lane, standing: Standing): Promise<PinCheck | null>;
  /** Puts what was counted on disk, in the caller's transaction; true where it has blocked the PIN, told once. */
  failed(writer: Writer, userId: string): Promise<boolean>;
  /** Forgets what was counted: the user has proved the PIN, or the password. */
  succeeded(writer: Writer, afterCommit: AfterCommit, userId: string): Promise<void>;
  /** Checks the rules and hashes; `pin-unacceptable` names every rule that failed. */
  prepare(pin: string, lane: Lane): Promise<string>;
  /** Keeps a prepared hash, inside the caller's transaction. */
  set(writer: Writer, afterCommit: AfterCommit, userId: string, hash: string): Promise<void>;
  remove(writer: Writer, afterCommit: AfterCommit, userId: string): Promise<void>;
  /** When the PIN was set, milliseconds since the epoch; null where there is none. */
  setAt(db: Reader, userId: string): Promise<number | null>;
}

export interface PinsNeeds {
  readonly store: Store;
  readonly hasher: Hasher;
  readonly clock: Clock;
}

/** Wrong ones in a row after which a PIN is blocked: of a million of six digits that is one chance in 100,000. */
const TRIES = 10;

export async function openPins({ store, hasher, clock }: PinsNeeds, minLength: number): Promise<Pins> {
  /** Wrong ones in a row, of those who have any; ahead of the disk. */
  const failures = await selectFailures(store.read);
  /** Those of them that nobody has put on disk yet. */
  const unsaved = new Map<string, number>();
  const isBlocked = (userId: string): boolean => (failures.get(userId) ?? 0) >= TRIES;

  /** Those up to now, once that is on disk; what is counted meanwhile stays. */
  function forgetLater(afterCommit: AfterCommit, userId: string): void {
    const seen = failures.get(userId) ?? 0;
    unsaved.delete(userId);
    afterCommit(() => {
      const left = (failures.get(userId) ?? 0) - seen;
      if (left > 0) failures.set(userId, left);
      else failures.delete(userId);
    });
  }

  async function renewOutdated(userId: string, hash: string, pin: string, lane: Lane): Promise<void> {
    if (!hasher.isOutdated(hash)) return;
    try {
      const renewed = await hasher.hash(pin, lane);
      await store.write((writer) => replacePinHash(writer, userId, hash, renewed));
    } catch (error) {
      // No room for it now: the next sign-in renews it as well as this one.
      if (!isKeyswitchError(error, 'busy')) throw error;
    }
  }

  return {
    async verify(userId, typed, lane, standing) {
      const stored = await selectPin(store.read, userId);
      if (stored === null || isBlocked(userId)) return null;
      const pin = isPossible(typed) ? typed : '';
      const matches = (await hasher.verify(stored.hash, pin, lane, standing)) && pin !== '';
      // Others that came at the same time may have used up the tries.
      if (isBlocked(userId)) return { check: 'mismatch' };
      if (!matches) {
        for (const counts of [failures, unsaved]) counts.set(userId, (counts.get(userId) ?? 0) + 1);
        return { check: 'mismatch' };
      }
      await renewOutdated(userId, stored.hash, pin, lane);
      return { check: 'match', setAt: stored.setAt };
    },
    async failed(writer, userId) {
      // Whoever comes first takes along those of others who tried at the same time.
      const more = unsaved.get(userId) ?? 0;
      unsaved.delete(userId);
      const count = more === 0 ? null : await addFailures(writer, userId, more);
      return count !== null && count >= TRIES && count - more < TRIES;
    },
    async succeeded(writer, afterCommit, userId) {
      if (!failures.has(userId)) return;
      await clearFailures(writer, userId);
      forgetLater(afterCommit, userId);
    },
    async prepare(pin, lane) {
      const faults = brokenPinRules(pin, minLength).map((rule) => faultOf(rule, minLength));
      if (faults.length > 0) {
        const text = faults.map(({ message }) => message).join(' ');
        throw new KeyswitchError('pin-unacceptable', text, { faults });
      }
      return hasher.hash(pin, lane);
    },
    async set(writer, afterCommit, userId, hash) {
      const now = clock.now();
      // The time tells one PIN from the next, also of two within a millisecond.
      const setAt = (await selectPin(writer, userId))?.setAt === now ? now + 1 : now;
      await upsertPin(writer, userId, { hash, setAt });
      forgetLater(afterCommit, userId);
    },
    async remove(writer, afterCommit, userId) {
      await deletePin(writer, userId);
      forgetLater(afterCommit, userId);
    },
    setAt: async (db, userId) => (await selectPin(db, userId))?.setAt ?? null,
  };
}

/** What can be no PIN is hashed as nothing: it costs the same, and says the same. */
function isPossible(typed: string): boolean {
  return /^[0-9]+$/.test(typed) && typed.length <= LONGEST_PIN;
}

const MESSAGES: Readonly<Record<PinRule, (minLength: number) => string>> = {
  'only-digits': () => 'The PIN must have digits only, 0 to 9.',
  'min-length': (minLength) => `The PIN must have at least ${minLength} digits.`,
  'max-length': () => `The PIN must have at most ${LONGEST_PIN} digits.`,
  'not-simple': () => 'The PIN must not be a date, a run, or the same over and over.',
};

const LIMITS: Readonly<Partial<Record<PinRule, (minLength: number) => number>>> = {
  'min-length': (minLength) => minLength,
  'max-length': () => LONGEST_PIN,
};

/** Tells the rule and its limit, never what was typed. */
function faultOf(rule: PinRule, minLength: number): Fault {
  const limit = LIMITS[rule]?.(minLength);
  return {
    field: 'newPin',
    message: MESSAGES[rule](minLength),
    rule,
    ...(limit !== undefined && { values: { limit } }),
  };
}
