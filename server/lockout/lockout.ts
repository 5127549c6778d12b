/** Lockout: slows who guesses passwords, where they guess, without shutting out those who know theirs. */
import { createHmac, hkdfSync } from 'node:crypto';
import { KeyswitchError } from '../errors.ts';
import { every, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { storeFailure, type AfterCommit, type Store, type Writer } from '../store/store.ts';
import { createCounters, type Counter, type CounterKind, type Counters } from './counters.ts';
import { createKnownPlaces, type KnownPlace } from './known-places.ts';
import {
  deleteCounters,
  deleteCountersOf,
  deletePlace,
  selectCounters,
  selectPlaces,
  shiftTimes,
  upsertCounters,
  upsertPlaces,
  type CounterRow,
  type PlaceRow,
} from './lockout-store.ts';
import { placeOf } from './place.ts';
import { delayMs, type LockoutRules } from './rules.ts';

/** One try at a password. */
export interface Tried {
  readonly typedName: string;
  /** Whose name it is; null where it is nobody's. */
  readonly userId: string | null;
  /** The caller's address; null for somebody at this machine itself. */
  readonly address: string | null;
}

/** A try that was let in and has not come to its end. */
export interface Attempt {
  /** There have been failures where it comes from, and not from somebody who is known there: others go first. */
  readonly isSuspect: boolean;
  /** Makes room for the next; to be called in the end, whatever happened. */
  release(): void;
}

/** `locked`: the account is locked where this came from, so that even the right password opens nothing. */
export type Verdict = 'match' | 'mismatch' | 'locked';

export interface Failure {
  /** When the next try makes sense; depends on the typed name and the address alone. 0: at once. */
  readonly retryAfterSec: number;
  /** What this failure has locked, told once: the name at this address, or the account. */
  readonly locked: 'pair' | 'account' | null;
}

export interface LockState {
  /** Milliseconds since the epoch; null: until an administrator unlocks. */
  readonly until: number | null;
  readonly failures: number;
  /** Where the user is locked; null: everywhere but where they are known. */
  readonly places: readonly string[] | null;
}

export interface Lockout {
  /**
   * Lets a try in before anything is looked up, or throws `too-many-tries`; from memory. What it answers depends
   * on the typed name and the address alone, never on whether the user exists.
   */
  admit(typedName: string, address: string | null): Attempt;
  /**
   * Counts the try, in memory and at once, as soon as its hash has been computed. Throws `too-many-tries`, for a
   * right password and a wrong one alike, where others that came at the same time have used up the tries.
   */
  settle(tried: Tried, isMatch: boolean): Verdict;
  /**
   * Puts the failure on disk in the caller's transaction. One that `settle` did not count (the password was right,
   * but the user may not sign in) counts where it came from, and not against the account.
   */
  failed(writer: Writer, afterCommit: AfterCommit, tried: Tried): Promise<Failure>;
  /** Clears what was counted against the name here and the account, and makes the address known for the user. */
  succeeded(writer: Writer, afterCommit: AfterCommit, by: Tried & { readonly userId: string }): Promise<void>;
  /** Clears the account and all of its locks at addresses; false where there was nothing to clear. */
  unlock(writer: Writer, afterCommit: AfterCommit, userId: string): Promise<boolean>;
  /** Whether the account is locked for whoever comes from `address`. */
  isLocked(userId: string, address: string | null): boolean;
  /** For administrators; null where nothing of the user is locked. */
  stateOf(userId: string): LockState | null;
  close(): Promise<void>;
}

export interface LockoutNeeds {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Keeps typed names unreadable on disk: people type passwords into the name field. */
  readonly secret: Buffer;
}

/** A million names or addresses cost an attacker a hash each, and us no more than this. */
const MOST_COUNTERS = 20_000;
const SWEEP_MS = 60_000;
/** A smaller difference of the two clocks is a time server's correction. */
const CLOCK_WAS_SET_MS = 2000;

/** Loads what was counted before, measured by the wall clock, and from then on counts by the monotonic one. */
export async function openLockout(needs: LockoutNeeds, rules: LockoutRules): Promise<Lockout> {
  const { store, clock, log } = needs;
  const nameKey = Buffer.from(hkdfSync('sha256', needs.secret, '', 'keyswitch lockout names', 32));
  const kinds: Readonly<Record<CounterKind, Counters>> = {
    pair: createCounters(MOST_COUNTERS),
    address: createCounters(MOST_COUNTERS),
    // There are no more than there are users.
    account: createCounters(Infinity),
  };
  const known = createKnownPlaces(clock.monotonic, rules.knownMs);
  const countsPairs = rules.tries < Infinity || rules.delayAfter < Infinity;
  const countsAddresses = rules.addressTries < Infinity;
  const inFlight = createReservations();
  /** Counters that had to give way, and are still on disk. */
  const evicted = new Set<string>();
  let wallOffset = clock.now() - clock.monotonic();

  const addressKey = (place: string): string => `address ${place}`;
  const accountKey = (userId: string): string => `account ${userId}`;
  /** The name as it was typed, whatever its letter case: nobody gets more tries by writing it in another way. */
  function pairKey(typedName: string, place: string): string {
    const name = typedName.normalize('NFC').toLowerCase();
    return `pair ${createHmac('sha256', nameKey).update(name).digest('base64url')} ${place}`;
  }

  /** How long whoever types this name at this place has to wait; 0: not at all. */
  function waitMs(pair: string, place: string): number {
    const now = clock.monotonic();
    const ofPair = (kinds.pair.find(pair)?.barredUntil ?? 0) - now;
    const ofAddress = (kinds.address.find(addressKey(place))?.barredUntil ?? 0) - now;
    return Math.max(0, ofPair, known.hasPair(pair) ? 0 : ofAddress);
  }

  function refuseBarred(pair: string, place: string): void {
    const ms = waitMs(pair, place);
    if (ms > 0) throw tooManyTries(ms);
  }

  function failuresOf(counter: Counter | undefined): number {
    return counter === undefined || isOver(counter) ? 0 : counter.failures;
  }

  function isOver({ isLocked, barredUntil, since }: Counter): boolean {
    const now = clock.monotonic();
    return isLocked ? now >= barredUntil : now - since >= rules.windowMs;
  }

  function admit(typedName: string, address: string | null): Attempt {
    const place = placeOf(address);
    const pair = pairKey(typedName, place);
    refuseBarred(pair, place);
    // Where nothing is wrong many may try at once, and `settle` sorts them out. Where something is, one at a time:
    // what would be refused in the end must not cost a hash.
    const isSlowedAddress = failuresOf(kinds.address.find(addressKey(place))) >= rules.addressTries;
    const lanes = [pair, ...(isSlowedAddress && !known.hasPair(pair) ? [addressKey(place)] : [])];
    const isSuspect = failuresOf(kinds.pair.find(pair)) >= rules.delayAfter;
    if ((isSuspect && inFlight.has(pair)) || lanes.slice(1).some(inFlight.has)) throw tooManyTries(1000);
    const hasFailed = failuresOf(kinds.address.find(addressKey(place))) > 0;
    return { isSuspect: hasFailed && !known.hasPair(pair), release: inFlight.reserve(lanes) };
  }

  function settle({ typedName, userId, address }: Tried, isMatch: boolean): Verdict {
    const place = placeOf(address);
    const pair = pairKey(typedName, place);
    refuseBarred(pair, place);
    const locked = userId !== null && isLocked(userId, address);
    if (isMatch && !locked) return 'match';
    const counted = countAtPlace(pair, place, userId);
    const ledger = counted.pair ?? counted.address;
    if (ledger !== null) ledger.unsaved += 1;
    if (locked) return 'locked';
    // An address that attacks many is slowed; what it still tries locks nobody out elsewhere.
    if (userId !== null && (counted.address?.failures ?? 0) <= rules.addressTries) countAtAccount(userId);
    return 'mismatch';
  }

  function countAtPlace(pair: string, place: string, userId: string | null) {
    return {
      pair: countsPairs ? countPair(pair, place, userId) : null,
      address: countsAddresses ? countAddress(place) : null,
    };
  }

  function countPair(key: string, place: string, userId: string | null): Counter {
    const counter = count('pair', key, { place, userId });
    if (counter.failures >= rules.tries) lock(counter, rules.pairLockMs);
    else delay(counter, rules.delayAfter);
    return counter;
  }

  function countAddress(place: string): Counter {
    const counter = count('address', addressKey(place), { place, userId: null });
    delay(counter, rules.addressTries);
    if (counter.failures === rules.addressTries) {
      log.warn({ address: place, failures: counter.failures }, 'an address fails to sign in again and again');
    }
    return counter;
  }

  function countAtAccount(userId: string): void {
    const key = accountKey(userId);
    const former = kinds.account.find(key);
    // Where its user is known somebody may still mistype: that makes the lock no longer.
    if (former?.isLocked && !isOver(former)) return;
    const counter = count('account', key, { place: null, userId });
    if (counter.failures >= rules.accountTries) lock(counter, rules.lockMs);
  }

  function count(kind: CounterKind, key: string, of: Pick<Counter, 'place' | 'userId'>): Counter {
    const counter = kinds[kind].find(key) ?? newCounter(kind, key, of);
    if (counter.failures === 0 || isOver(counter)) {
      Object.assign(counter, { failures: 0, since: clock.monotonic(), isLocked: false, isTold: false });
    }
    counter.failures += 1;
    counter.userId ??= of.userId;
    keep(counter);
    return counter;
  }

  function keep(counter: Counter): void {
    const oldest = kinds[counter.kind].touch(counter);
    if (oldest !== null) evicted.add(oldest.key);
  }

  function lock(counter: Counter, ms: number): void {
    counter.isLocked = true;
    counter.barredUntil = clock.monotonic() + ms;
    keep(counter);
  }

  function delay(counter: Counter, limit: number): void {
    counter.barredUntil = clock.monotonic() + delayMs(counter.failures, limit, rules);
  }

  async function failed(writer: Writer, _afterCommit: AfterCommit, tried: Tried): Promise<Failure> {
    const { typedName, userId, address } = tried;
    const place = placeOf(address);
    const pair = pairKey(typedName, place);
    const ledger = kinds.pair.find(pair) ?? kinds.address.find(addressKey(place));
    if (ledger !== undefined && ledger.unsaved > 0) ledger.unsaved -= 1;
    else countAtPlace(pair, place, userId);
    const ofPair = kinds.pair.find(pair);
    const ofAccount = userId === null ? undefined : kinds.account.find(accountKey(userId));
    await save(writer, [ofPair, kinds.address.find(addressKey(place)), ofAccount]);
    return {
      retryAfterSec: Math.ceil(waitMs(pair, place) / 1000),
      locked: isNews(ofAccount) ? 'account' : isNews(ofPair) ? 'pair' : null,
    };
  }

  /** Whether the lock has not been told yet; now it has. */
  function isNews(counter: Counter | undefined): boolean {
    if (counter === undefined || !counter.isLocked || counter.isTold) return false;
    counter.isTold = true;
    return true;
  }

  async function save(writer: Writer, counters: readonly (Counter | undefined)[]): Promise<void> {
    await followWallClock(writer);
    await deleteEvicted(writer);
    const rows = counters.filter((counter) => counter !== undefined).map(rowOf);
    if (rows.length > 0) await upsertCounters(writer, rows);
  }

  async function deleteEvicted(writer: Writer): Promise<void> {
    if (evicted.size === 0) return;
    const keys = [...evicted];
    evicted.clear();
    await deleteCounters(writer, keys);
  }

  /** Where the wall clock was set, moves what is on disk along, so that a restart changes no duration. */
  async function followWallClock(writer: Writer): Promise<void> {
    const setBy = wallClockSetBy();
    if (setBy === 0) return;
    wallOffset += setBy;
    await shiftTimes(writer, setBy);
  }

  /** How far the wall clock went ahead of what the disk was written by; 0 where that is next to nothing. */
  function wallClockSetBy(): number {
    const ms = Math.round(clock.now() - clock.monotonic() - wallOffset);
    return Math.abs(ms) < CLOCK_WAS_SET_MS ? 0 : ms;
  }

  // The password was proven: memory may follow at once, and stays in step with the disk in the order of the writes.
  async function succeeded(
    writer: Writer,
    _afterCommit: AfterCommit,
    { typedName, userId, address }: Tried & { readonly userId: string },
  ): Promise<void> {
    const place = placeOf(address);
    const pair = pairKey(typedName, place);
    const account = kinds.account.find(accountKey(userId));
    // Somebody who is known signs in although the account is locked; that is no reason to let others guess on.
    const cleared = [kinds.pair.find(pair), account?.isLocked && !isOver(account) ? undefined : account];
    const keys = cleared.flatMap((counter) => counter?.key ?? []);
    for (const counter of cleared) if (counter !== undefined) kinds[counter.kind].delete(counter.key);
    if (keys.length > 0) await deleteCounters(writer, keys);
    const { save: saved, dropped } = known.note(userId, place, pair);
    if (dropped !== null) await deletePlace(writer, dropped.userId, dropped.place);
    if (saved === null) return;
    await followWallClock(writer);
    await upsertPlaces(writer, [rowOfPlace(saved)]);
  }

  async function unlock(writer: Writer, afterCommit: AfterCommit, userId: string): Promise<boolean> {
    const counters = countersOf(userId, [...kinds.pair.all(), ...kinds.account.all()]);
    await deleteCountersOf(writer, userId);
    afterCommit(() => {
      for (const { kind, key } of counters) kinds[kind].delete(key);
    });
    return counters.some((counter) => failuresOf(counter) > 0);
  }

  function isLocked(userId: string, address: string | null): boolean {
    const counter = kinds.account.find(accountKey(userId));
    if (counter === undefined || !counter.isLocked || isOver(counter)) return false;
    return !known.has(userId, placeOf(address));
  }

  function stateOf(userId: string): LockState | null {
    const everywhere = countersOf(userId, kinds.account.locked()).filter((counter) => !isOver(counter));
    const here = countersOf(userId, kinds.pair.locked()).filter((counter) => !isOver(counter));
    const all = everywhere.length > 0 ? everywhere : here;
    if (all.length === 0) return null;
    const barredUntil = Math.max(...all.map((counter) => counter.barredUntil));
    return {
      until: wallTime(barredUntil),
      failures: Math.max(...all.map((counter) => counter.failures)),
      places: everywhere.length > 0 ? null : here.flatMap(({ place }) => place ?? []),
    };
  }

  /** The wall clock at a moment of the monotonic one; null where that never comes. */
  function wallTime(monotonic: number): number | null {
    return monotonic === Infinity ? null : Math.round(clock.now() + monotonic - clock.monotonic());
  }

  function rowOf({
    key,
    kind,
    userId,
    place,
    failures,
    since,
    barredUntil,
    isLocked: locked,
  }: Counter): CounterRow {
    return {
      key,
      kind,
      user_id: userId,
      place,
      failures,
      since: wallTime(since) ?? 0,
      until: barredUntil === 0 ? null : wallTime(barredUntil),
      locked: locked ? 1 : 0,
    };
  }

  function rowOfPlace({ userId, place, pair, seen }: KnownPlace): PlaceRow {
    return { user_id: userId, place, pair, seen_at: wallTime(seen) ?? 0 };
  }

  /**
   * What a row says now, by the wall clock, which may have been set while the host was off: nothing has happened
   * in the future, and no bar lasts longer from now on than the whole of it.
   */
  function counterOf(row: CounterRow): Counter {
    const kind = row.kind as CounterKind;
    const wholeMs = row.locked === 1 ? lockMsOf(kind) : rules.maxDelayMs;
    const leftMs = row.until === null ? 0 : Math.min(Math.max(0, row.until - clock.now()), wholeMs);
    const isForEver = row.locked === 1 && row.until === null;
    return {
      key: row.key,
      kind,
      userId: row.user_id,
      place: row.place,
      failures: row.failures,
      since: clock.monotonic() - Math.max(0, clock.now() - row.since),
      barredUntil: isForEver ? Infinity : leftMs === 0 ? 0 : clock.monotonic() + leftMs,
      isLocked: row.locked === 1,
      isTold: row.locked === 1,
      unsaved: 0,
    };
  }

  /** A timed lock is of the time when locks were timed. */
  function lockMsOf(kind: CounterKind): number {
    return kind === 'account' && rules.lockMs < Infinity ? rules.lockMs : rules.pairLockMs;
  }

  async function restore(): Promise<void> {
    const anew: Counter[] = [];
    for (const row of await selectCounters(store.read)) {
      const counter = counterOf(row);
      keep(counter);
      if (!isOver(counter) && isMeasuredAnew(row, rowOf(counter))) anew.push(counter);
    }
    for (const { user_id: userId, place, pair, seen_at: seenAt } of await selectPlaces(store.read)) {
      const seen = clock.monotonic() - Math.max(0, clock.now() - seenAt);
      known.restore({ userId, place, pair, seen, saved: seen });
    }
    await sweep();
    // From now on, whatever restarts follow while the clock is behind.
    if (anew.length > 0) await store.write((writer) => upsertCounters(writer, anew.map(rowOf)));
  }

  function* all(): Generator<Counter> {
    for (const counters of Object.values(kinds)) yield* counters.all();
  }

  /** Forgets what is over, in memory and on disk. */
  async function sweep(): Promise<void> {
    const now = clock.monotonic();
    const over = [...all()].filter((counter) => isOver(counter) && counter.barredUntil <= now);
    for (const { kind, key } of over) {
      kinds[kind].delete(key);
      evicted.add(key);
    }
    const unknown = known.expire();
    if (evicted.size === 0 && unknown.length === 0 && wallClockSetBy() === 0) return;
    await store.write(async (writer) => {
      await save(writer, []);
      for (const { userId, place } of unknown) await deletePlace(writer, userId, place);
    });
  }

  await restore();
  const sweepAndReport = (): Promise<void> =>
    sweep().catch((err: unknown) =>
      log.error({ err: storeFailure(err) }, 'counted failures were not tidied up'),
    );
  const stopSweeping = every(clock, SWEEP_MS, () => void sweepAndReport());

  return {
    admit,
    settle,
    failed,
    succeeded,
    unlock,
    isLocked,
    stateOf,
    close() {
      stopSweeping();
      return sweepAndReport();
    },
  };
}

function isMeasuredAnew(before: CounterRow, now: CounterRow): boolean {
  return before.since !== now.since || (now.until !== null && before.until !== now.until);
}

function countersOf(userId: string, counters: Iterable<Counter>): Counter[] {
  return [...counters].filter((counter) => counter.userId === userId);
}

function newCounter(kind: CounterKind, key: string, of: Pick<Counter, 'place' | 'userId'>): Counter {
  return {
    key,
    kind,
    ...of,
    failures: 0,
    since: 0,
    barredUntil: 0,
    isLocked: false,
    isTold: false,
    unsaved: 0,
  };
}

function tooManyTries(ms: number): KeyswitchError {
  return new KeyswitchError('too-many-tries', undefined, { retryAfterSec: Math.ceil(ms / 1000) });
}

interface Reservations {
  has(lane: string): boolean;
  /** Answers the function that gives it back, once. */
  reserve(lanes: readonly string[]): () => void;
}

/** Counts the tries under way; a lane without any takes no memory. */
function createReservations(): Reservations {
  const lanes = new Map<string, number>();
  const add = (lane: string, by: number): void => {
    const count = (lanes.get(lane) ?? 0) + by;
    if (count === 0) lanes.delete(lane);
    else lanes.set(lane, count);
  };
  return {
    has: (lane) => lanes.has(lane),
    reserve(reserved) {
      for (const lane of reserved) add(lane, 1);
      let isHeld = true;
      return () => {
        if (isHeld) for (const lane of reserved) add(lane, -1);
        isHeld = false;
      };
    },
  };
}
