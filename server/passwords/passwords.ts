/** Passwords: checking what was typed, and replacing it; nothing here ever returns or logs one. */
import { isKeyswitchError, KeyswitchError, type Fault } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { randomText, type Random } from '../ports/random.ts';
import type { Reader, Store, Writer } from '../store/store.ts';
import type { Hasher } from './hasher.ts';
import { brokenRules, type PasswordPolicy, type PasswordRule, type PasswordSubject } from './policy.ts';
import { replaceHash, selectPassword, upsertPassword } from './passwords-store.ts';

export type PasswordCheck = 'match' | 'match-must-change' | 'mismatch';

export interface Passwords {
  readonly policy: PasswordPolicy;
  /**
   * Checks `password` against the user's. Takes the time of one hash whoever is asked for, nobody (null)
   * included, so that time tells no one which accounts exist (ASVS 6.3.8).
   */
  verify(userId: string | null, password: string): Promise<PasswordCheck>;
  /** Checks the policy and hashes; `password-unacceptable` names every rule that failed. */
  prepare(password: string, subject: PasswordSubject): Promise<string>;
  /** Keeps a prepared hash, inside the caller's transaction. */
  set(writer: Writer, userId: string, hash: string, options: { mustChange: boolean }): Promise<void>;
  /** Whether the user has to replace the password, seen inside the caller's transaction. */
  mustChange(db: Reader, userId: string): Promise<boolean>;
  /** When the password was set, milliseconds since the epoch: tells whether it is still the one that was verified. */
  setAt(db: Reader, userId: string): Promise<number | null>;
}

export interface PasswordsNeeds {
  readonly store: Store;
  readonly hasher: Hasher;
  readonly policy: PasswordPolicy;
  readonly clock: Clock;
  readonly random: Random;
}

export function createPasswords({ store, hasher, policy, clock, random }: PasswordsNeeds): Passwords {
  // Nobody knows the password of this hash; unknown users are checked against it.
  const decoy = hasher.hash(randomText(random, 32));
  decoy.catch(() => {});

  async function renewOutdated(userId: string, hash: string, password: string): Promise<void> {
    if (!hasher.isOutdated(hash)) return;
    try {
      const renewed = await hasher.hash(password);
      await store.write((writer) => replaceHash(writer, userId, hash, renewed));
    } catch (error) {
      // No room for it now: the password was right, and the next sign-in renews its hash as well as this one.
      if (!isKeyswitchError(error, 'busy')) throw error;
    }
  }

  return {
    policy,
    async verify(userId, password) {
      const stored = userId === null ? null : await selectPassword(store.read, userId);
      const matches = await hasher.verify(stored?.hash ?? (await decoy), password);
      if (!matches || stored === null || userId === null) return 'mismatch';
      await renewOutdated(userId, stored.hash, password);
      return stored.mustChange ? 'match-must-change' : 'match';
    },
    async prepare(password, subject) {
      const broken = brokenRules(password, policy, subject);
      if (broken.length > 0) {
        const faults = broken.map((rule) => describe(rule, policy));
        throw new KeyswitchError('password-unacceptable', faults.map((fault) => fault.message).join(' '), {
          faults,
        });
      }
      return hasher.hash(password);
    },
    set: (writer, userId, hash, { mustChange }) =>
      upsertPassword(writer, userId, { hash, mustChange }, clock.now()),
    mustChange: async (db, userId) => (await selectPassword(db, userId))?.mustChange ?? false,
    setAt: async (db, userId) => (await selectPassword(db, userId))?.setAt ?? null,
  };
}

function describe(rule: PasswordRule, { minLength, maxLength }: PasswordPolicy): Fault {
  const messages: Record<PasswordRule, string> = {
    'min-length': `The password must have at least ${minLength} characters.`,
    'max-length': `The password must have at most ${maxLength} characters.`,
    'not-user-name': 'The password must not be the user name.',
  };
  return { field: 'newPassword', message: messages[rule] };
}
