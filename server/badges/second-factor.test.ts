import { describe, expect, onTestFinished, test } from 'vitest';
import { ADMINISTRATOR, openHouse, PASSWORD, SECRETS } from '../../test/house.ts';
import type { Config } from '../config/schema.ts';
import { createHasher, type Hasher } from '../passwords/hasher.ts';
import { createPasswords } from '../passwords/passwords.ts';
import type { AfterCommit, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import { openPins, type Pins } from './pins.ts';
import { createSecondFactor } from './second-factor.ts';

const PIN = '739154';
const CHEAP = {
  ...{ memoryKib: 64, iterations: 1, parallelism: 1 },
  ...{ maxConcurrent: 4, maxWaiting: 100, maxWaitingPerAddress: 100 },
  pepper: SECRETS.passwordHashingKey,
};

/** Two who have a PIN, one of them an administrator, and one who has none, over hashes that are counted. */
async function open(policy: Config['badges']['signIn']) {
  const house = await openHouse();
  const { store, passwords: given } = house.features;
  const hashes: string[] = [];
  const real = createHasher(CHEAP, house.clock);
  const hasher: Hasher = {
    ...real,
    verify(hash, password, lane) {
      hashes.push(password);
      return real.verify(hash, password, lane);
    },
  };
  const { clock, random } = house;
  const { policy: rules, blocklist } = given;
  const passwords = createPasswords({ store, hasher, policy: rules, blocklist, clock, random });
  const pins = await openPins({ store, hasher, clock }, 6);
  const hash = await pins.prepare(PIN, null);
  const users: Record<string, User | null> = {
    operator: await house.addUser('operator'),
    newcomer: await house.addUser('newcomer'),
    admin: await house.addUser('admin', { type: 'Admin' }),
    nobody: null,
  };
  for (const name of ['operator', 'admin']) {
    await store.write((writer, after) => pins.set(writer, after, users[name]?.id ?? '', hash));
  }
  onTestFinished(() => void hashes.splice(0));
  const factor = createSecondFactor({ pins, passwords }, policy);
  return { house, users, hashes, pins, factor };
}

describe('what is typed beside a badge', () => {
  test.each([
    ['with-pin', 'operator', PIN, 'match', 'pin'],
    ['with-pin', 'operator', '739155', 'mismatch', 'pin'],
    ['with-pin', 'operator', PASSWORD, 'mismatch', 'pin'],
    ['with-pin', 'operator', '\ud800', 'mismatch', 'pin'],
    ['with-pin', 'newcomer', PASSWORD, 'match', 'password'],
    ['with-pin', 'newcomer', PIN, 'mismatch', 'password'],
    ['with-pin', 'admin', PIN, 'mismatch', 'password'],
    ['with-pin', 'admin', PASSWORD, 'match', 'password'],
    ['with-pin', 'nobody', PIN, 'mismatch', 'password'],
    ['with-password', 'operator', PIN, 'mismatch', 'password'],
    ['with-password', 'operator', PASSWORD, 'match', 'password'],
    ['alone', 'admin', PASSWORD, 'match', 'password'],
  ] as const)(
    'where badges sign in %s: of %s %j is a %s by the %s',
    async (policy, name, typed, check, by) => {
      const { users, factor, hashes } = await open(policy);
      expect(await factor.verify(users[name] ?? null, typed, null, 'clean')).toMatchObject({ check, by });
      // One hash whoever it is: time tells nobody's badge from somebody's.
      expect(hashes).toHaveLength(1);
    },
  );

  test.each([
    ['with-pin', 'pin', 'pin', 'pin'],
    ['with-password', 'password', 'password', 'password'],
    ['alone', null, null, 'password'],
  ] as const)(
    'where badges sign in %s is, of everybody, an operator, an administrator: %s, %s, %s',
    async (...row) => {
      const [policy, ofEverybody, ofOperator, ofAdmin] = row;
      const { users, factor } = await open(policy);
      const of = (name: string) => factor.of(users[name] ?? null);
      expect([factor.ofEverybody, of('operator'), of('admin')]).toEqual([ofEverybody, ofOperator, ofAdmin]);
    },
  );
});

describe('ten wrong PINs in a row', () => {
  test('leave the password alone to count, also of many at the same time and after a restart', async () => {
    const { users, factor, pins, house } = await open('with-pin');
    const user = users['operator'] ?? null;
    const id = user?.id ?? '';
    const guess = (typed: string) => factor.verify(user, typed, null, 'clean');
    const wrong = Array.from({ length: 30 }, (_, i) => String(739_200 + i));
    // The right one comes last: by then the tries are used up.
    const guesses = [...wrong, PIN].map(guess);
    expect((await Promise.all(guesses)).every(({ check }) => check === 'mismatch')).toBe(true);
    expect(await guess(PIN)).toMatchObject({ check: 'mismatch', by: 'password' });
    const { store } = house.features;
    const blocking = await Promise.all(wrong.map(() => store.write((writer) => pins.failed(writer, id))));
    expect(blocking.filter(Boolean)).toHaveLength(1);
    const restarted = await openPins(
      { store, hasher: createHasher(CHEAP, house.clock), clock: house.clock },
      6,
    );
    expect(await restarted.verify(id, PIN, null, 'clean')).toBeNull();
    await store.write((writer, after) => restarted.succeeded(writer, after, id));
    expect(await restarted.verify(id, PIN, null, 'clean')).toMatchObject({ check: 'match' });
  });

  test.each<[string, (pins: Pins, ...at: [Writer, AfterCommit, string]) => Promise<void>]>([
    ['its removal', (pins, writer, after, id) => pins.remove(writer, after, id)],
    ['another', (pins, writer, after, id) => pins.set(writer, after, id, 'a hash')],
    ['the password', (pins, writer, after, id) => pins.succeeded(writer, after, id)],
  ])('block the PIN as long as %s is not on disk', async (_, lift) => {
    const { users, factor, pins, house } = await open('with-pin');
    const user = users['operator'] ?? null;
    for (let i = 0; i < 10; i += 1) await factor.verify(user, '739155', null, 'clean');
    const undone = house.features.store.write(async (writer, after) => {
      await lift(pins, writer, after, user?.id ?? '');
      throw new Error('no room');
    });
    await expect(undone).rejects.toThrow('no room');
    expect(await factor.verify(user, PIN, null, 'clean')).toMatchObject({
      check: 'mismatch',
      by: 'password',
    });
  });

  test('are those since the right one, also of one that came while that was on its way to the disk', async () => {
    const { users, factor, pins, house } = await open('with-pin');
    const user = users['operator'] ?? null;
    const { store } = house.features;
    const guessWrongly = async (): Promise<boolean> => {
      await factor.verify(user, '739155', null, 'clean');
      return store.write((writer) => pins.failed(writer, user?.id ?? ''));
    };
    for (let i = 0; i < 9; i += 1) await guessWrongly();
    const blocking: Promise<boolean>[] = [];
    await store.write(async (writer, after) => {
      await pins.succeeded(writer, after, user?.id ?? '');
      await factor.verify(user, '739155', null, 'clean');
      blocking.push(store.write((next) => pins.failed(next, user?.id ?? '')));
    });
    for (let i = 0; i < 8; i += 1) blocking.push(Promise.resolve(await guessWrongly()));
    expect(await Promise.all(blocking)).toEqual(Array(9).fill(false));
    expect(await factor.verify(user, PIN, null, 'clean')).toMatchObject({ check: 'match', by: 'pin' });
    expect(await guessWrongly()).toBe(true);
    expect(await factor.verify(user, PIN, null, 'clean')).toMatchObject({
      check: 'mismatch',
      by: 'password',
    });
  });

  test('of which nine are allowed, and the right one begins anew', async () => {
    const { users, factor, pins, house } = await open('with-pin');
    const user = users['operator'] ?? null;
    const { store } = house.features;
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 9; i += 1) await factor.verify(user, '739155', null, 'clean');
      expect(await factor.verify(user, PIN, null, 'clean')).toMatchObject({ check: 'match', by: 'pin' });
      await store.write((writer, after) => pins.succeeded(writer, after, user?.id ?? ''));
    }
  });
});

test('a right PIN is of no use where wrong ones that came at the same time have used up the tries', async () => {
  const { house, users } = await open('with-pin');
  const id = users['operator']?.id ?? '';
  const real = createHasher(CHEAP, house.clock);
  const together = Promise.withResolvers<void>();
  let waiting = 0;
  const hasher: Hasher = {
    ...real,
    async verify(_hash, pin) {
      if ((waiting += 1) === 11) together.resolve();
      await together.promise;
      // One after the other, the right one last.
      for (let turns = waiting; pin === PIN && turns > 0; turns -= 1) await Promise.resolve();
      return pin === PIN;
    },
  };
  const pins = await openPins({ store: house.features.store, hasher, clock: house.clock }, 6);
  const tries = [...Array.from({ length: 10 }, () => '739155'), PIN];
  const checks = await Promise.all(tries.map((typed) => pins.verify(id, typed, null, 'clean')));
  expect(checks).toEqual(tries.map(() => ({ check: 'mismatch' })));
});

test('a PIN of a former cost is hashed anew when it is used', async () => {
  const { house, users } = await open('with-pin');
  const id = users['operator']?.id ?? '';
  const { store } = house.features;
  const dearer = createHasher({ ...CHEAP, memoryKib: 128 }, house.clock);
  const pins = await openPins({ store, hasher: dearer, clock: house.clock }, 6);
  const { check } = (await pins.verify(id, PIN, null, 'clean')) ?? { check: 'none' };
  expect(check).toBe('match');
  const { hash } = await store.read
    .selectFrom('pins')
    .selectAll()
    .where('user_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(dearer.isOutdated(hash)).toBe(false);
  await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
  expect(await pins.setAt(store.read, id)).toBeNull();
});
