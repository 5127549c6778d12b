/** Passwords: checking what was typed, and replacing it; nothing here ever logs one. */
import { isKeyswitchError, KeyswitchError, type Fault } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { randomText, type Random } from '../ports/random.ts';
import type { Reader, Store, Writer } from '../store/store.ts';
import type { Blocklist } from './blocklist.ts';
import type { Hasher, Lane, Standing } from './hasher.ts';
import { createOneTimeSecret, type OneTimeSecret } from './one-time-secret.ts';
import { brokenRules, type PasswordPolicy, type PasswordRule, type PasswordSubject } from './policy.ts';
import {
  insertFormerHash,
  pruneFormerHashes,
  replaceHash,
  selectFormerHashes,
  selectPassword,
  selectPasswordOf,
  upsertPassword,
  type StoredPassword,
} from './passwords-store.ts';

/** Why a password that is right must be replaced before anything else. */
export type MustChange = 'one-time-secret' | 'expired';

/** `setAt` tells the password that was checked from one that replaces it, see `Passwords.setAt`. */
export type PasswordCheck =
  | { readonly check: 'match'; readonly setAt: number }
  | { readonly check: 'mismatch' }
  | { readonly check: 'must-change'; readonly setAt: number; readonly why: MustChange };

export interface PasswordStatus {
  readonly kind: 'none' | 'one-time' | 'set';
  /** Milliseconds since the epoch, as all times here. */
  readonly changedAt: number | null;
  /** When the one-time secret is over, or the password must be replaced; null: not by time. */
  readonly expiresAt: number | null;
  /** The password must be replaced soon: its user is to be told. */
  readonly warn: boolean;
}

export interface SetOptions {
  /** A one-time secret: the first sign-in must replace it. */
  readonly mustChange: boolean;
  /** When the one-time secret ends; null or left out: not by time. */
  readonly expiresAt?: number | null;
}

export interface Passwords {
  readonly policy: PasswordPolicy;
  readonly blocklist: Blocklist;
  /**
   * Checks `password` against that of the user `name`. Takes the time of one hash whoever is asked for, nobody
   * included, so that time tells no one which accounts exist (ASVS 6.3.8). A one-time secret that is over is a
   * mismatch. `lane` is the caller's address, by which the line of hashes is fair;
   * a `suspect` waits longer.
   */
  verify(name: string, password: string, lane?: Lane, standing?: Standing): Promise<PasswordCheck>;
  /** Lets whoever waits for a check from this address wait longer: a password was wrong there. */
  suspect(lane: Lane): void;
  /**
   * Checks the policy, and for a subject with an id its present and former passwords, and hashes;
   * `password-unacceptable` names every rule that failed, in words, and by `rule` and `values` for a page.
   */
  prepare(
    password: string,
    subject: PasswordSubject & { readonly id?: string },
    lane?: Lane,
  ): Promise<string>;
  /** Refuses with `password-unacceptable` to replace a password that is younger than the policy lets it be. */
  checkMinAge(db: Reader, userId: string): Promise<void>;
  /** Makes a secret to be told once; no policy applies to it, for its user never chooses it. */
  oneTimeSecret(): OneTimeSecret;
  /** Hashes a one-time secret, past the policy. */
  hashOneTime(secret: string, lane?: Lane): Promise<string>;
  /** Keeps a prepared hash, inside the caller's transaction; the one it replaces becomes a former one. */
  set(writer: Writer, userId: string, hash: string, options: SetOptions): Promise<void>;
  /** Whether and why the user has to replace the password, seen inside the caller's transaction. */
  mustChange(db: Reader, userId: string): Promise<MustChange | null>;
  statusOf(db: Reader, userId: string): Promise<PasswordStatus>;
  /** When the password was set: tells whether it is still the one that was verified. */
  setAt(db: Reader, userId: string): Promise<number | null>;
}

export interface PasswordsNeeds {
  readonly store: Store;
  readonly hasher: Hasher;
  readonly policy: PasswordPolicy;
  readonly blocklist: Blocklist;
  readonly clock: Clock;
  readonly random: Random;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No door lets more in; whatever came past them costs no more than that. In UTF-16 units. */
const LONGEST_TYPED = 8192;

export function createPasswords(needs: PasswordsNeeds): Passwords {
  const { store, hasher, policy, blocklist, clock, random } = needs;
  // Nobody knows the password of this hash; unknown users are checked against it.
  const decoy = hasher.hash(randomText(random, 32));
  decoy.catch(() => {});

  async function renewOutdated(userId: string, hash: string, password: string, lane: Lane): Promise<void> {
    if (!hasher.isOutdated(hash)) return;
    try {
      const renewed = await hasher.hash(password, lane);
      await store.write((writer) => replaceHash(writer, userId, hash, renewed));
    } catch (error) {
      // No room for it now: the password was right, and the next sign-in renews its hash as well as this one.
      if (!isKeyswitchError(error, 'busy')) throw error;
    }
  }

  /** When the policy, or its end, takes the password from its user. */
  function endOf({ mustChange, setAt, expiresAt }: StoredPassword): number | null {
    if (mustChange) return expiresAt;
    return policy.maxAgeDays === 0 ? null : setAt + policy.maxAgeDays * DAY_MS;
  }

  function isOver(stored: StoredPassword): boolean {
    const end = endOf(stored);
    return end !== null && clock.now() >= end;
  }

  function mustChange(stored: StoredPassword): MustChange | null {
    if (stored.mustChange) return 'one-time-secret';
    return isOver(stored) ? 'expired' : null;
  }

  async function verify(
    name: string,
    typed: string,
    lane: Lane = null,
    standing: Standing = 'clean',
  ): Promise<PasswordCheck> {
    const stored = await selectPasswordOf(store.read, name.normalize('NFC'));
    const password = isPossible(typed) ? typed : '';
    const matches = await hasher.verify(stored?.hash ?? (await decoy), password, lane, standing);
    if (!matches || stored === null || password === '') return { check: 'mismatch' };
    if (stored.mustChange && isOver(stored)) return { check: 'mismatch' };
    await renewOutdated(stored.userId, stored.hash, password, lane);
    const why = mustChange(stored);
    const { setAt } = stored;
    return why === null ? { check: 'match', setAt } : { check: 'must-change', setAt, why };
  }

  async function prepare(
    password: string,
    subject: PasswordSubject & { readonly id?: string },
    lane: Lane = null,
  ): Promise<string> {
    const broken = brokenRules(password, policy, subject, blocklist);
    refuse(broken.map(({ rule, limit }) => faultOf(rule, limit)));
    if (subject.id !== undefined) await refuseFormer(subject.id, password, lane);
    return hasher.hash(password, lane);
  }

  /** Compares with what was, one hash after the other: as many as the policy says, and one. */
  async function refuseFormer(userId: string, password: string, lane: Lane): Promise<void> {
    const present = await selectPassword(store.read, userId);
    if (present !== null && (await hasher.verify(present.hash, password, lane))) {
      refuse([faultOf('not-present')]);
    }
    for (const hash of await selectFormerHashes(store.read, userId, policy.history)) {
      if (await hasher.verify(hash, password, lane)) refuse([faultOf('history', policy.history)]);
    }
  }

  async function checkMinAge(db: Reader, userId: string): Promise<void> {
    const stored = await selectPassword(db, userId);
    if (stored === null || stored.mustChange) return;
    const age = clock.now() - stored.setAt;
    // A clock that was set back must not make the time longer than it is.
    if (age >= 0 && age < policy.minAgeHours * HOUR_MS) refuse([faultOf('min-age', policy.minAgeHours)]);
  }

  async function set(
    writer: Writer,
    userId: string,
    hash: string,
    { mustChange: isOneTime, expiresAt = null }: SetOptions,
  ): Promise<void> {
    const now = clock.now();
    const former = await selectPassword(writer, userId);
    // One-time secrets are nobody's choice: they would push out what people might come back to.
    if (former !== null && !former.mustChange) await insertFormerHash(writer, userId, former.hash, now);
    await pruneFormerHashes(writer, userId, policy.history);
    // The time tells one password from the next, also of two within a millisecond.
    const setAt = now === former?.setAt ? now + 1 : now;
    await upsertPassword(writer, userId, { hash, mustChange: isOneTime, setAt, expiresAt });
  }

  async function statusOf(db: Reader, userId: string): Promise<PasswordStatus> {
    const stored = await selectPassword(db, userId);
    if (stored === null) return { kind: 'none', changedAt: null, expiresAt: null, warn: false };
    const expiresAt = endOf(stored);
    const { mustChange: isOneTime, setAt: changedAt } = stored;
    const warn = !isOneTime && expiresAt !== null && clock.now() >= expiresAt - policy.warnDays * DAY_MS;
    return { kind: isOneTime ? 'one-time' : 'set', changedAt, expiresAt, warn };
  }

  return {
    policy,
    blocklist,
    verify,
    prepare,
    checkMinAge,
    oneTimeSecret: () => createOneTimeSecret(random, clock),
    suspect: (lane) => hasher.suspect(lane),
    hashOneTime: (secret, lane) => hasher.hash(secret, lane),
    set,
    async mustChange(db, userId) {
      const stored = await selectPassword(db, userId);
      return stored === null ? null : mustChange(stored);
    },
    statusOf,
    setAt: async (db, userId) => (await selectPassword(db, userId))?.setAt ?? null,
  };
}

/** Whether `typed` can be anybody's password: half a surrogate pair would be hashed as some other text. */
function isPossible(typed: string): boolean {
  return typed.length <= LONGEST_TYPED && typed.isWellFormed();
}

function refuse(faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  const text = faults.map(({ message }) => message).join(' ');
  throw new KeyswitchError('password-unacceptable', text, { faults });
}

/** Rules that the host alone can check: it alone knows what was. */
type HostRule = 'not-present' | 'history' | 'min-age';

const MESSAGES: Readonly<Record<PasswordRule | HostRule, (limit: number) => string>> = {
  'valid-unicode': () => 'The password must be valid Unicode.',
  'min-length': (limit) => `The password must have at least ${limit} characters.`,
  'max-length': (limit) => `The password must have at most ${limit} characters.`,
  'min-uppercase': (limit) => `The password must have uppercase letters: at least ${limit}.`,
  'min-lowercase': (limit) => `The password must have lowercase letters: at least ${limit}.`,
  'min-digits': (limit) => `The password must have digits: at least ${limit}.`,
  'min-symbols': (limit) => `The password must have symbols that the policy names: at least ${limit}.`,
  'not-common': () => 'The password must not be a common one, repeated or with digits and symbols around it.',
  'not-site-word': () => 'The password must not be a word of this place with digits and symbols around it.',
  'not-user-name': () => "The password must not be the user's name with digits and symbols around it.",
  'not-present': () => 'The new password must differ from the present one.',
  history: (limit) => `The new password must differ from the last ${limit} former ones.`,
  'min-age': (limit) => `The password can be changed ${limit} hours after the last change at the earliest.`,
};

/** Tells the rule and its limit, never what the password has: not even its length. */
function faultOf(rule: PasswordRule | HostRule, limit?: number): Fault {
  return {
    field: 'newPassword',
    message: MESSAGES[rule](limit ?? 0),
    rule,
    ...(limit !== undefined && { values: { limit } }),
  };
}
