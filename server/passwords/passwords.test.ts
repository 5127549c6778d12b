import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS, HOUR_MS, temporaryFolder } from '../../test/house.ts';
import { KeyswitchError } from '../errors.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createFixedRandom } from '../ports/random.ts';
import { openStore } from '../store/store.ts';
import { listOf, wordsIn, type Blocklist } from './blocklist.ts';
import { createHasher, type Hasher, type HasherOptions, type Lane } from './hasher.ts';
import { createPasswords, type Passwords } from './passwords.ts';
import type { PasswordPolicy } from './policy.ts';
import { PRESETS } from './presets.ts';

const POLICY: PasswordPolicy = { ...PRESETS.nist, maxLength: 64 };
const BLOCKLIST: Blocklist = { common: listOf(['password', 'operator']), site: wordsIn(['Keyswitch']) };
const SUBJECT = { name: 'operator', displayName: 'Olivia Operator' };
const GOOD = 'a long enough password';
const SET_AT = expect.any(Number) as number;
const MATCH = { check: 'match', setAt: SET_AT };
const MISMATCH = { check: 'mismatch' };
const MUST_CHANGE = { check: 'must-change', setAt: SET_AT, why: 'one-time-secret' };
const EXPIRED = { check: 'must-change', setAt: SET_AT, why: 'expired' };
const PEPPER = Buffer.from('the pepper of the tests');
const CHEAP = {
  memoryKib: 64,
  iterations: 1,
  parallelism: 1,
  maxConcurrent: 4,
  maxWaiting: 100,
  maxWaitingPerAddress: 100,
  pepper: PEPPER,
};
const hasherWith = (options: HasherOptions): Hasher => createHasher(options, createFixedClock());

interface Counted extends Hasher {
  calls: string[];
  lanes: Lane[];
}

/** The real hasher, with a note of what it was asked to do. */
function counted(hasher: Hasher): Counted {
  const calls: string[] = [];
  const lanes: Lane[] = [];
  return {
    calls,
    lanes,
    hash(password, lane = null) {
      calls.push('hash');
      lanes.push(lane);
      return hasher.hash(password, lane);
    },
    verify(hash, password, lane = null) {
      calls.push('verify');
      lanes.push(lane);
      return hasher.verify(hash, password, lane);
    },
    suspect: hasher.suspect,
    isOutdated: hasher.isOutdated,
  };
}

/** One user `u1` with the password GOOD, and `open`, which makes the feature anew over another hasher. */
async function openPasswords({
  mustChange = false,
  policy = {},
}: { mustChange?: boolean; policy?: Partial<PasswordPolicy> } = {}) {
  const store = await openStore(temporaryFolder());
  onTestFinished(() => store.close());
  const clock = createFixedClock();
  const rules = { ...POLICY, ...policy };
  const ports = { store, policy: rules, blocklist: BLOCKLIST, clock, random: createFixedRandom() };
  const open = (hasher: Hasher): Passwords => createPasswords({ ...ports, hasher });
  const hasher = counted(hasherWith(CHEAP));
  const passwords = open(hasher);
  const hash = await passwords.prepare(GOOD, SUBJECT);
  await store.write(async (writer) => {
    const user = {
      name: 'operator',
      display_name: 'operator',
      type: 'Active',
      enabled: 1,
      logout_time_in_min: null,
    };
    await writer
      .insertInto('users')
      .values({ id: 'u1', ...user, created_at: 0, changed_at: 0 })
      .execute();
    await passwords.set(writer, 'u1', hash, { mustChange });
  });
  const row = () => store.read.selectFrom('passwords').selectAll().executeTakeFirstOrThrow();
  hasher.calls.length = hasher.lanes.length = 0;
  /** Replaces the password of `u1` as its user would, a day later. */
  async function change(password: string): Promise<void> {
    await clock.advance(DAY_MS);
    const hash = await passwords.prepare(password, { ...SUBJECT, id: 'u1' });
    await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: false }));
  }
  return { store, clock, hasher, passwords, open, row, change };
}

describe('verifying', () => {
  test.each([
    ['the right password', 'operator', GOOD, 'match'],
    ['a wrong one', 'operator', `${GOOD}!`, 'mismatch'],
    ['none', 'operator', '', 'mismatch'],
    ['any password of nobody', 'nobody', GOOD, 'mismatch'],
    ['none of nobody', 'nobody', '', 'mismatch'],
  ])('%s costs one hash', async (_name, user, password, expected) => {
    const { hasher, passwords } = await openPasswords();
    expect(await passwords.verify(user, password)).toMatchObject({ check: expected });
    expect(hasher.calls).toEqual(['verify']);
  });

  test('tells that a one-time secret must be replaced, if it is the right one', async () => {
    const { passwords } = await openPasswords({ mustChange: true });
    expect(await passwords.verify('operator', GOOD)).toEqual(MUST_CHANGE);
    expect(await passwords.verify('operator', `${GOOD}!`)).toEqual(MISMATCH);
  });

  test.each([
    ['half a surrogate pair', `${GOOD}\ud83d`],
    ['a megabyte', 'x'.repeat(1_048_576)],
  ])("%s, which can be nobody's password, costs one hash all the same", async (_name, password) => {
    const { hasher, passwords } = await openPasswords();
    expect(await passwords.verify('operator', password)).toEqual(MISMATCH);
    expect(hasher.calls).toEqual(['verify']);
  });

  test('does not take half a surrogate pair for the character that replaces it in UTF-8', async () => {
    const { store, passwords } = await openPasswords();
    const hash = await passwords.prepare('a long enough \ufffd', SUBJECT);
    await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: false }));
    expect(await passwords.verify('operator', 'a long enough \ufffd')).toEqual(MATCH);
    expect(await passwords.verify('operator', 'a long enough \ud83d')).toEqual(MISMATCH);
  });

  test.each([
    ['one character', 'x'],
    ['a zero character inside', 'before\0behind the zero'],
    ['emoji', '🔑🏭🐢🚰🔧🔩🎛🧯🪫🛢🚨🔒🧰📟💡'],
    ['accents, composed', 'caf\u00e9 f\u00fcr alle Schichten'],
    ['accents, decomposed', 'cafe\u0301 fu\u0308r alle Schichten'],
    ['a thousand characters', 'xy z'.repeat(250)],
  ])('matches in either normal form, and nothing shorter: %s', async (_name, password) => {
    const { store, passwords } = await openPasswords({ policy: { minLength: 1, maxLength: 1024 } });
    const hash = await passwords.prepare(password, SUBJECT);
    await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: false }));
    expect(await passwords.verify('operator', password.normalize('NFC'))).toEqual(MATCH);
    expect(await passwords.verify('operator', password.normalize('NFD'))).toEqual(MATCH);
    expect(await passwords.verify('operator', [...password].slice(0, -1).join(''))).toEqual(MISMATCH);
  });

  test('is done in the lane of the caller', async () => {
    const { hasher, passwords } = await openPasswords();
    await passwords.verify('operator', GOOD, '192.0.2.7');
    await passwords.verify('nobody', GOOD, '192.0.2.8');
    await passwords.verify('operator', GOOD);
    expect(hasher.lanes).toEqual(['192.0.2.7', '192.0.2.8', null]);
  });

  test('passes on that too many wait', async () => {
    const { open } = await openPasswords();
    const busy = async (): Promise<never> => {
      throw new KeyswitchError('busy', undefined, { retryAfterSec: 3 });
    };
    const passwords = open({
      hash: async () => '',
      verify: busy,
      suspect: () => {},
      isOutdated: () => false,
    });
    await expect(passwords.verify('operator', GOOD)).rejects.toMatchObject({
      code: 'busy',
      retryAfterSec: 3,
    });
  });
});

describe('a hash made with other parameters', () => {
  const dearer = { ...CHEAP, iterations: 2 };

  test('is made anew when its user signs in, and keeps its date and whether it must be replaced', async () => {
    const { clock, open, row } = await openPasswords({ mustChange: true });
    const before = await row();
    await clock.advance(1000);
    expect(await open(hasherWith(dearer)).verify('operator', GOOD)).toEqual(MUST_CHANGE);
    const after = await row();
    expect(after).toMatchObject({ changed_at: before.changed_at, must_change: 1 });
    expect(after.hash).toContain('t=2');
    expect(await hasherWith(CHEAP).verify(after.hash, GOOD)).toBe(true);
  });

  test('stays as it is when the password was wrong', async () => {
    const { open, row } = await openPasswords();
    const before = await row();
    await open(hasherWith(dearer)).verify('operator', 'a wrong password');
    expect(await row()).toEqual(before);
  });

  test('is made anew once, not at every sign-in', async () => {
    const { open } = await openPasswords();
    const hasher = counted(hasherWith(dearer));
    const passwords = open(hasher);
    hasher.calls.length = 0;
    await passwords.verify('operator', GOOD);
    await passwords.verify('operator', GOOD);
    expect(hasher.calls).toEqual(['verify', 'hash', 'verify']);
  });

  test('does not overwrite a password that was changed meanwhile', async () => {
    const { store, open, passwords } = await openPasswords();
    const newer = await passwords.prepare('another long password', SUBJECT);
    const real = hasherWith(dearer);
    const slow: Hasher = {
      ...real,
      async hash(password) {
        await store.write((writer) => passwords.set(writer, 'u1', newer, { mustChange: false }));
        return real.hash(password);
      },
    };
    await open(slow).verify('operator', GOOD);
    expect(await passwords.verify('operator', GOOD)).toEqual(MISMATCH);
    expect(await passwords.verify('operator', 'another long password')).toEqual(MATCH);
  });

  test('does not keep its user out when there is no room for making it anew', async () => {
    const { open, row } = await openPasswords();
    const before = await row();
    const full: Hasher = {
      ...hasherWith(dearer),
      hash: async () => {
        throw new KeyswitchError('busy', undefined, { retryAfterSec: 1 });
      },
    };
    expect(await open(full).verify('operator', GOOD)).toEqual(MATCH);
    expect(await row()).toEqual(before);
  });
});

describe('preparing', () => {
  test('names every rule that failed, and computes no hash for it', async () => {
    const { hasher, passwords } = await openPasswords();
    await expect(passwords.prepare('OPERATOR', SUBJECT)).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: [
        { field: 'newPassword', rule: 'min-length', values: { limit: 15 } },
        { field: 'newPassword', rule: 'not-common' },
        { field: 'newPassword', rule: 'not-user-name' },
      ],
    });
    expect(hasher.calls).toEqual([]);
  });

  test('tells of a password neither its text nor its length', async () => {
    const { passwords } = await openPasswords();
    const error = await passwords.prepare('correct horse', SUBJECT).catch((thrown: unknown) => thrown);
    expect(JSON.stringify([error, (error as Error).message, (error as KeyswitchError).faults])).not.toMatch(
      /correct|horse|13/,
    );
  });
});

test('a password is kept with its transaction, or not at all', async () => {
  const { store, passwords } = await openPasswords();
  const hash = await passwords.prepare('another long password', SUBJECT);
  const undone = store.write(async (writer) => {
    await passwords.set(writer, 'u1', hash, { mustChange: true });
    throw new Error('undo this');
  });
  await expect(undone).rejects.toThrow('undo this');
  expect(await passwords.mustChange(store.read, 'u1')).toBeNull();
  expect(await passwords.verify('operator', GOOD)).toEqual(MATCH);
});

test('whether a password must be replaced is seen inside the transaction that says so', async () => {
  const { store, passwords } = await openPasswords();
  const hash = await passwords.prepare('another long password', SUBJECT);
  const seen = await store.write(async (writer) => {
    await passwords.set(writer, 'u1', hash, { mustChange: true });
    return passwords.mustChange(writer, 'u1');
  });
  expect(seen).toBe('one-time-secret');
  expect(await passwords.mustChange(store.read, 'nobody')).toBeNull();
});

test('when a password was set is that of the last change, and null for nobody', async () => {
  const { clock, store, passwords } = await openPasswords();
  const hash = await passwords.prepare('another long password', SUBJECT);
  expect(await passwords.setAt(store.read, 'u1')).toBe(clock.now());
  await clock.advance(1000);
  await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: false }));
  expect(await passwords.setAt(store.read, 'u1')).toBe(clock.now());
  expect(await passwords.setAt(store.read, 'nobody')).toBeNull();
});

describe('a former password', () => {
  const THIRD = 'the third long password';
  const SECOND = 'the second long password';

  test.each([0, 1, 2, 3])('is barred %i changes long, and the present one always', async (history) => {
    const { passwords, change } = await openPasswords({ policy: { history } });
    for (const password of [SECOND, THIRD]) await change(password);
    const refusals: unknown[] = [];
    for (const password of [THIRD, SECOND, GOOD]) {
      const refusal = await passwords.prepare(password, { ...SUBJECT, id: 'u1' }).then(
        () => 'accepted',
        (error: KeyswitchError) => error.faults.map(({ rule, values }) => [rule, values]),
      );
      refusals.push(refusal);
    }
    const former = [['history', { limit: history }]];
    expect(refusals).toEqual([
      [['not-present', undefined]],
      history >= 1 ? former : 'accepted',
      history >= 2 ? former : 'accepted',
    ]);
  });

  test('is found in another normal form too', async () => {
    const { passwords, change } = await openPasswords({ policy: { history: 1 } });
    await change('caf\u00e9 f\u00fcr alle Schichten');
    await change(SECOND);
    const again = passwords.prepare('cafe\u0301 fu\u0308r alle Schichten', { ...SUBJECT, id: 'u1' });
    await expect(again).rejects.toMatchObject({ faults: [{ rule: 'history' }] });
  });

  test('is kept no longer than the policy says', async () => {
    const { store, change } = await openPasswords({ policy: { history: 2 } });
    for (let turn = 0; turn < 5; turn += 1) await change(`long password number ${turn}`);
    expect(await store.read.selectFrom('password_history').selectAll().execute()).toHaveLength(2);
  });

  test('costs a hash each to look for, in the lane of the caller, and no more than there are', async () => {
    const { hasher, passwords, change } = await openPasswords({ policy: { history: 5 } });
    for (const password of [SECOND, THIRD]) await change(password);
    hasher.calls.length = hasher.lanes.length = 0;
    await passwords.prepare('the fourth long password', { ...SUBJECT, id: 'u1' }, '192.0.2.7');
    expect(hasher.calls).toEqual(['verify', 'verify', 'verify', 'hash']);
    expect(new Set(hasher.lanes)).toEqual(new Set(['192.0.2.7']));
  });

  test('is not pushed out by one-time secrets', async () => {
    const { store, passwords, change } = await openPasswords({ policy: { history: 1 } });
    for (let turn = 0; turn < 3; turn += 1) {
      const hash = await passwords.hashOneTime(passwords.oneTimeSecret().secret);
      await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: true }));
    }
    await expect(change(GOOD)).rejects.toMatchObject({ faults: [{ rule: 'history' }] });
  });
});

describe('age', () => {
  const SOON = { maxAgeDays: 90, warnDays: 14, minAgeHours: 24 };

  test.each([
    [90 * DAY_MS - 1, MATCH],
    [90 * DAY_MS, EXPIRED],
  ])('of %i ms: the right password is %j', async (age, expected) => {
    const { clock, passwords } = await openPasswords({ policy: SOON });
    await clock.advance(age);
    expect(await passwords.verify('operator', GOOD)).toEqual(expected);
    expect(await passwords.verify('operator', `${GOOD}!`)).toEqual(MISMATCH);
  });

  test('never ends a password where the policy has none', async () => {
    const { clock, passwords, store } = await openPasswords();
    await clock.advance(10_000 * DAY_MS);
    expect(await passwords.verify('operator', GOOD)).toEqual(MATCH);
    expect(await passwords.statusOf(store.read, 'u1')).toMatchObject({ expiresAt: null, warn: false });
  });

  test('over the limit is told to a transaction too', async () => {
    const { clock, passwords, store } = await openPasswords({ policy: SOON });
    await clock.advance(90 * DAY_MS);
    expect(await passwords.mustChange(store.read, 'u1')).toBe('expired');
  });

  test.each([
    [76 * DAY_MS - 1, false],
    [76 * DAY_MS, true],
  ])('of %i ms: its user is warned is %s', async (age, warn) => {
    const { clock, passwords, store } = await openPasswords({ policy: SOON });
    const changedAt = clock.now();
    await clock.advance(age);
    expect(await passwords.statusOf(store.read, 'u1')).toEqual({
      kind: 'set',
      changedAt,
      expiresAt: changedAt + 90 * DAY_MS,
      warn,
    });
  });

  test('below the minimum refuses another change, and says which rule it is', async () => {
    const { clock, passwords, store } = await openPasswords({ policy: SOON });
    await clock.advance(24 * HOUR_MS - 1);
    await expect(passwords.checkMinAge(store.read, 'u1')).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: [{ rule: 'min-age', values: { limit: 24 } }],
    });
    await clock.advance(1);
    await passwords.checkMinAge(store.read, 'u1');
  });

  test('below the minimum does not bind a one-time secret, nobody, or who changed before the clock was set back', async () => {
    const oneTime = await openPasswords({ policy: SOON, mustChange: true });
    await oneTime.passwords.checkMinAge(oneTime.store.read, 'u1');
    await oneTime.passwords.checkMinAge(oneTime.store.read, 'nobody');
    const { clock, passwords, store } = await openPasswords({ policy: SOON });
    clock.setWallClock(clock.now() - 5 * HOUR_MS);
    await passwords.checkMinAge(store.read, 'u1');
  });
});

describe('a one-time secret', () => {
  async function openWithSecret() {
    const opened = await openPasswords();
    const { passwords, store } = opened;
    const { secret, expiresAt } = passwords.oneTimeSecret();
    const hash = await passwords.hashOneTime(secret);
    await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: true, expiresAt }));
    opened.hasher.calls.length = 0;
    return { ...opened, secret, expiresAt };
  }

  test('is four groups that nobody mistakes on paper, another each time, for 24 hours', async () => {
    const { clock, passwords } = await openPasswords();
    const { secret, expiresAt } = passwords.oneTimeSecret();
    expect(secret).toMatch(/^([abcdefghijkmnpqrstuvwxyz2-9]{5}-){3}[abcdefghijkmnpqrstuvwxyz2-9]{5}$/);
    expect(expiresAt).toBe(clock.now() + DAY_MS);
    expect(passwords.oneTimeSecret().secret).not.toBe(secret);
  });

  test('is good to its last millisecond, and then a mismatch that costs what any costs', async () => {
    const { clock, hasher, passwords, secret } = await openWithSecret();
    await clock.advance(DAY_MS - 1);
    expect(await passwords.verify('operator', secret)).toEqual(MUST_CHANGE);
    await clock.advance(1);
    expect(await passwords.verify('operator', secret)).toEqual(MISMATCH);
    expect(hasher.calls).toEqual(['verify', 'verify']);
  });

  test('is told as such, with its end', async () => {
    const { clock, passwords, store, expiresAt } = await openWithSecret();
    expect(await passwords.statusOf(store.read, 'u1')).toEqual({
      kind: 'one-time',
      changedAt: clock.now() + 1,
      expiresAt,
      warn: false,
    });
    expect(await passwords.statusOf(store.read, 'nobody')).toEqual({
      kind: 'none',
      changedAt: null,
      expiresAt: null,
      warn: false,
    });
  });

  test('cannot be chosen as the password that replaces it', async () => {
    const { passwords, secret } = await openWithSecret();
    await expect(passwords.prepare(secret, { ...SUBJECT, id: 'u1' })).rejects.toMatchObject({
      faults: [{ rule: 'not-present' }],
    });
  });

  test('leaves no end to the password that replaces it', async () => {
    const { clock, passwords, change, store } = await openWithSecret();
    await change('the second long password');
    await clock.advance(1000 * DAY_MS);
    expect(await passwords.verify('operator', 'the second long password')).toEqual(MATCH);
    expect(await passwords.statusOf(store.read, 'u1')).toMatchObject({ kind: 'set', expiresAt: null });
  });
});

test('two passwords of the same millisecond are told apart by their time', async () => {
  const { store, passwords } = await openPasswords();
  const before = await passwords.setAt(store.read, 'u1');
  const hash = await passwords.prepare('another long password', SUBJECT);
  await store.write((writer) => passwords.set(writer, 'u1', hash, { mustChange: false }));
  expect(await passwords.setAt(store.read, 'u1')).not.toBe(before);
});
