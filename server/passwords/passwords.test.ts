import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/house.ts';
import { KeyswitchError } from '../errors.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createFixedRandom } from '../ports/random.ts';
import { openStore } from '../store/store.ts';
import { createHasher, type Hasher } from './hasher.ts';
import { createPasswords, type Passwords } from './passwords.ts';

const POLICY = { minLength: 15, maxLength: 64 };
const SUBJECT = { name: 'operator', displayName: 'Olivia Operator' };
const GOOD = 'a long enough password';
const PEPPER = Buffer.from('the pepper of the tests');
const CHEAP = {
  memoryKib: 64,
  iterations: 1,
  parallelism: 1,
  maxConcurrent: 4,
  maxWaiting: 100,
  pepper: PEPPER,
};

interface Counted extends Hasher {
  calls: string[];
}

/** The real hasher, with a note of what it was asked to do. */
function counted(hasher: Hasher): Counted {
  const calls: string[] = [];
  return {
    calls,
    hash(password) {
      calls.push('hash');
      return hasher.hash(password);
    },
    verify(hash, password) {
      calls.push('verify');
      return hasher.verify(hash, password);
    },
    isOutdated: hasher.isOutdated,
  };
}

/** One user `u1` with the password GOOD, and `open`, which makes the feature anew over another hasher. */
async function openPasswords({ mustChange = false } = {}) {
  const store = await openStore(temporaryFolder());
  onTestFinished(() => store.close());
  const clock = createFixedClock();
  const ports = { store, policy: POLICY, clock, random: createFixedRandom() };
  const open = (hasher: Hasher): Passwords => createPasswords({ ...ports, hasher });
  const hasher = counted(createHasher(CHEAP));
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
  hasher.calls.length = 0;
  return { store, clock, hasher, passwords, open, row };
}

describe('verifying', () => {
  test.each([
    ['the right password', 'u1', GOOD, 'match'],
    ['a wrong one', 'u1', `${GOOD}!`, 'mismatch'],
    ['none', 'u1', '', 'mismatch'],
    ['the right password of somebody else', 'u2', GOOD, 'mismatch'],
    ['any password of nobody', null, GOOD, 'mismatch'],
  ])('%s costs one hash', async (_name, userId, password, expected) => {
    const { hasher, passwords } = await openPasswords();
    expect(await passwords.verify(userId, password)).toBe(expected);
    expect(hasher.calls).toEqual(['verify']);
  });

  test('tells that a one-time secret must be replaced, if it is the right one', async () => {
    const { passwords } = await openPasswords({ mustChange: true });
    expect(await passwords.verify('u1', GOOD)).toBe('match-must-change');
    expect(await passwords.verify('u1', `${GOOD}!`)).toBe('mismatch');
  });

  test('passes on that too many wait', async () => {
    const { open } = await openPasswords();
    const busy = async (): Promise<never> => {
      throw new KeyswitchError('busy', undefined, { retryAfterSec: 3 });
    };
    const passwords = open({ hash: async () => '', verify: busy, isOutdated: () => false });
    await expect(passwords.verify('u1', GOOD)).rejects.toMatchObject({ code: 'busy', retryAfterSec: 3 });
  });
});

describe('a hash made with other parameters', () => {
  const dearer = { ...CHEAP, iterations: 2 };

  test('is made anew when its user signs in, and keeps its date and whether it must be replaced', async () => {
    const { clock, open, row } = await openPasswords({ mustChange: true });
    const before = await row();
    await clock.advance(1000);
    expect(await open(createHasher(dearer)).verify('u1', GOOD)).toBe('match-must-change');
    const after = await row();
    expect(after).toMatchObject({ changed_at: before.changed_at, must_change: 1 });
    expect(after.hash).toContain('t=2');
    expect(await createHasher(CHEAP).verify(after.hash, GOOD)).toBe(true);
  });

  test('stays as it is when the password was wrong', async () => {
    const { open, row } = await openPasswords();
    const before = await row();
    await open(createHasher(dearer)).verify('u1', 'a wrong password');
    expect(await row()).toEqual(before);
  });

  test('is made anew once, not at every sign-in', async () => {
    const { open } = await openPasswords();
    const hasher = counted(createHasher(dearer));
    const passwords = open(hasher);
    hasher.calls.length = 0;
    await passwords.verify('u1', GOOD);
    await passwords.verify('u1', GOOD);
    expect(hasher.calls).toEqual(['verify', 'hash', 'verify']);
  });

  test('does not overwrite a password that was changed meanwhile', async () => {
    const { store, open, passwords } = await openPasswords();
    const newer = await passwords.prepare('another long password', SUBJECT);
    const real = createHasher(dearer);
    const slow: Hasher = {
      ...real,
      async hash(password) {
        await store.write((writer) => passwords.set(writer, 'u1', newer, { mustChange: false }));
        return real.hash(password);
      },
    };
    await open(slow).verify('u1', GOOD);
    expect(await passwords.verify('u1', GOOD)).toBe('mismatch');
    expect(await passwords.verify('u1', 'another long password')).toBe('match');
  });

  test('does not keep its user out when there is no room for making it anew', async () => {
    const { open, row } = await openPasswords();
    const before = await row();
    const full: Hasher = {
      ...createHasher(dearer),
      hash: async () => {
        throw new KeyswitchError('busy', undefined, { retryAfterSec: 1 });
      },
    };
    expect(await open(full).verify('u1', GOOD)).toBe('match');
    expect(await row()).toEqual(before);
  });
});

describe('preparing', () => {
  test('names every rule that failed, and computes no hash for it', async () => {
    const { hasher, passwords } = await openPasswords();
    await expect(passwords.prepare('OPERATOR', SUBJECT)).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: [{ field: 'newPassword' }, { field: 'newPassword' }],
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
  expect(await passwords.mustChange(store.read, 'u1')).toBe(false);
  expect(await passwords.verify('u1', GOOD)).toBe('match');
});

test('whether a password must be replaced is seen inside the transaction that says so', async () => {
  const { store, passwords } = await openPasswords();
  const hash = await passwords.prepare('another long password', SUBJECT);
  const seen = await store.write(async (writer) => {
    await passwords.set(writer, 'u1', hash, { mustChange: true });
    return passwords.mustChange(writer, 'u1');
  });
  expect(seen).toBe(true);
  expect(await passwords.mustChange(store.read, 'nobody')).toBe(false);
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
