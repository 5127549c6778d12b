import { describe, expect, test } from 'vitest';
import { filesWith, DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../test/house.ts';
import { openGuard, USERS, type Guard } from '../../test/lockout.ts';

const PANEL = '192.0.2.7';
const OFFICE = '192.0.2.8';
const NOBODY = 'nobody';
const OPERATOR = 'id of operator';

/** A hundred failures, each from an address of its own: none of them is slowed. */
async function attackAccount(guard: Guard, times: number, name = 'operator'): Promise<void> {
  for (let host = 1; host <= times; host++)
    expect(await guard.wrong(name, `203.0.113.${host}`)).toBe('wrong');
}

describe('a name at one address', () => {
  test.each([['operator'], [NOBODY]])(
    'is slowed from the third failure on, and locked at the tenth: %s',
    async (name) => {
      const guard = await openGuard();
      const waits: number[] = [];
      for (let failure = 1; failure <= 10; failure++) {
        expect(await guard.wrong(name, PANEL)).toBe('wrong');
        const { retryAfterSec, locked } = guard.lastFailure;
        waits.push(retryAfterSec);
        expect(locked).toBe(failure === 10 ? 'pair' : null);
        if (retryAfterSec === 0) continue;
        expect(await guard.right(name, PANEL)).toBe(`wait ${retryAfterSec}`);
        await guard.clock.advance(retryAfterSec * SECOND_MS - 1);
        expect(await guard.right(name, PANEL)).toBe('wait 1');
        if (failure < 10) await guard.clock.advance(1);
      }
      expect(waits).toEqual([0, 0, 1, 2, 4, 8, 16, 30, 30, 900]);
      await guard.clock.advance(1);
      expect(await guard.right(name, PANEL)).toBe(name === NOBODY ? 'wrong' : 'in');
    },
  );

  test('gets its tries anew when a lock is over', async () => {
    const guard = await openGuard();
    await guard.fail(10, 'operator', PANEL);
    await guard.clock.advance(15 * MINUTE_MS);
    expect((await guard.fail(9, 'operator', PANEL)).locked).toBeNull();
    expect((await guard.fail(1, 'operator', PANEL)).locked).toBe('pair');
  });

  test.each([
    ['still counts a moment before the window is over', 15 * MINUTE_MS - 1, 1],
    ['counts no more when the window is over', 15 * MINUTE_MS, 0],
  ])('%s', async (_name, afterMs, retryAfterSec) => {
    const guard = await openGuard();
    await guard.fail(2, 'operator', PANEL);
    await guard.clock.advance(afterMs);
    expect(await guard.wrong('operator', PANEL)).toBe('wrong');
    expect(guard.lastFailure.retryAfterSec).toBe(retryAfterSec);
  });

  test('starts anew with a success', async () => {
    const guard = await openGuard();
    await guard.fail(9, 'operator', PANEL);
    await guard.clock.advance(MINUTE_MS);
    expect(await guard.right('operator', PANEL)).toBe('in');
    expect(await guard.fail(2, 'operator', PANEL)).toEqual({ retryAfterSec: 0, locked: null });
  });

  test.each([
    ['another name', 'supervisor', PANEL],
    ['the same name elsewhere', 'operator', OFFICE],
    ['the same name at the machine itself', 'operator', null],
  ])('does not hold up %s', async (_name, name, address) => {
    const guard = await openGuard();
    await guard.fail(10, 'operator', PANEL);
    expect(await guard.right(name, address)).toBe('in');
  });

  test.each([
    ['in other letters', 'Operator', PANEL],
    ['composed otherwise', 'ope\u0301rator', PANEL, 'op\u00e9rator'],
    ['from the IPv4 address in IPv6', 'operator', `::ffff:${PANEL}`],
    [
      'from another address of the same /64',
      'operator',
      '2001:db8:1:2:a::1',
      'operator',
      '2001:db8:1:2:b::2',
    ],
  ])('gets no further tries %s', async (_title, name, address, as = 'operator', at = PANEL) => {
    const guard = await openGuard();
    await guard.fail(10, as, at);
    expect(await guard.wrong(name, address)).toMatch(/^wait/);
  });

  test('counts a right password that opens nothing like a wrong one, but not against the account', async () => {
    const { lockout, store } = await openGuard({ accountTries: 1 });
    const tried = { typedName: 'operator', userId: OPERATOR, address: PANEL };
    for (const retryAfterSec of [0, 0, 1]) {
      lockout.admit('operator', PANEL).release();
      expect(lockout.settle(tried, true)).toBe('match');
      const failure = await store.write((writer, after) => lockout.failed(writer, after, tried));
      expect(failure).toEqual({ retryAfterSec, locked: null });
    }
    expect(lockout.isLocked(OPERATOR, OFFICE)).toBe(false);
  });
});

describe('an address', () => {
  test.each([
    ['users', (i: number) => USERS[i % USERS.length] ?? ''],
    ['nobodies', (i: number) => `guess ${i >> 2}`],
  ])('is slowed from the thirtieth failure on, whether it tries %s', async (_name, nameOf) => {
    const guard = await openGuard({ delayAfter: 0, tries: 0 });
    const waits: number[] = [];
    for (let i = 0; i < 36; i++) {
      const { retryAfterSec } = await guard.fail(1, nameOf(i), PANEL);
      if (i >= 28) waits.push(retryAfterSec);
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 30, 30]);
    expect(guard.log.lines.filter(({ msg }) => /fails to sign in/.test(String(msg)))).toHaveLength(1);
  });

  test('is slowed for names it never signed in with, and for nobody elsewhere', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    for (let i = 0; i < 30; i++) expect(await guard.wrong(`guess ${i}`, PANEL)).toBe('wrong');
    expect(await guard.right('supervisor', PANEL)).toBe('wait 1');
    expect(await guard.wrong('one more guess', PANEL)).toBe('wait 1');
    expect(await guard.right('operator', PANEL)).toBe('in');
    expect(await guard.right('supervisor', OFFICE)).toBe('in');
  });

  test('is slowed no longer than the window', async () => {
    const guard = await openGuard();
    for (let i = 0; i < 29; i++) await guard.wrong(`guess ${i}`, PANEL);
    await guard.clock.advance(15 * MINUTE_MS);
    expect(await guard.wrong('guess', PANEL)).toBe('wrong');
    expect(guard.lastFailure.retryAfterSec).toBe(0);
  });
});

describe('an account', () => {
  test.each([
    [99, false],
    [100, true],
  ])('after %i failures from many addresses is locked: %s', async (failures, isLocked) => {
    const guard = await openGuard();
    await attackAccount(guard, failures);
    expect(guard.lastFailure).toEqual({ retryAfterSec: 0, locked: isLocked ? 'account' : null });
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(isLocked);
    expect(await guard.right('operator', OFFICE)).toBe(isLocked ? 'locked' : 'in');
    expect(await guard.right('supervisor', OFFICE)).toBe('in');
  });

  test('tells that it is locked once, until when, and to no one outside', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 99);
    const answers = [];
    for (const [name, password] of [
      ['operator', 'wrong'],
      ['operator', 'wrong'],
      ['operator', 'right'],
      [NOBODY, 'wrong'],
    ] as const) {
      await guard.attempt(name, `198.51.100.${answers.length}`, password);
      answers.push(guard.lastFailure);
    }
    expect(answers).toEqual([
      { retryAfterSec: 0, locked: 'account' },
      { retryAfterSec: 0, locked: null },
      { retryAfterSec: 0, locked: null },
      { retryAfterSec: 0, locked: null },
    ]);
    const until = guard.clock.now() + 15 * MINUTE_MS;
    expect(guard.lockout.stateOf(OPERATOR)).toEqual({ until, failures: 100, places: null });
    expect(guard.lockout.stateOf('id of supervisor')).toBeNull();
  });

  test('slows whoever tries while it is locked as if it were not', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 100);
    const waits: Record<string, number[]> = { operator: [], [NOBODY]: [] };
    for (const name of ['operator', NOBODY]) {
      for (let i = 0; i < 10; i++)
        waits[name]?.push((await guard.fail(1, name, `${PANEL}${name.length}`)).retryAfterSec);
    }
    expect(waits['operator']).toEqual(waits[NOBODY]);
  });

  test('opens by itself when the lock is over, however much was tried meanwhile', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 100);
    await guard.clock.advance(10 * MINUTE_MS);
    expect(await guard.wrong('operator', '198.51.100.1')).toBe('locked');
    await guard.clock.advance(5 * MINUTE_MS - 1);
    expect(await guard.right('operator', OFFICE)).toBe('locked');
    await guard.clock.advance(1);
    expect(guard.lockout.stateOf(OPERATOR)).toBeNull();
    expect(await guard.right('operator', '198.51.100.2')).toBe('in');
  });

  test.each([
    ['the window', async ({ clock }: Guard) => clock.advance(15 * MINUTE_MS)],
    ['a success', async ({ right }: Guard) => void (await right('operator', OFFICE))],
    ['an administrator', async ({ unlock }: Guard) => void (await unlock(OPERATOR))],
  ])('counts from the start after %s', async (_name, clear) => {
    const guard = await openGuard();
    await attackAccount(guard, 99);
    await clear(guard);
    await guard.wrong('operator', '198.51.100.1');
    expect(guard.lockout.isLocked(OPERATOR, '198.51.100.1')).toBe(false);
  });

  test('is not locked for who signed in from there within thirty days', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    await guard.right('operator', OFFICE);
    await guard.clock.advance(DAY_MS);
    await guard.right('operator', OFFICE);
    await guard.clock.advance(29 * DAY_MS);
    await attackAccount(guard, 100);
    expect(await guard.right('operator', PANEL)).toBe('locked');
    expect(await guard.right('operator', OFFICE)).toBe('in');
  });

  test('stays locked for others when someone who is known signs in, or mistypes', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    await attackAccount(guard, 100);
    const before = guard.lockout.stateOf(OPERATOR);
    await guard.clock.advance(MINUTE_MS);
    expect(await guard.wrong('operator', PANEL)).toBe('wrong');
    expect(await guard.right('operator', PANEL)).toBe('in');
    expect(guard.lockout.stateOf(OPERATOR)).toEqual(before);
    expect(await guard.right('operator', OFFICE)).toBe('locked');
  });

  test('is known at no more than a hundred addresses', async () => {
    const guard = await openGuard();
    for (let host = 0; host < 101; host++) await guard.right('operator', `10.0.0.${host}`);
    await attackAccount(guard, 100);
    expect(guard.lockout.isLocked(OPERATOR, '10.0.0.0')).toBe(true);
    expect(guard.lockout.isLocked(OPERATOR, '10.0.0.1')).toBe(false);
    const places = await guard.store.read.selectFrom('lockout_places').select('place').execute();
    expect(places).toHaveLength(100);
  });
});

describe('an administrator', () => {
  test('sees at which addresses a user is locked, and unlocks the user everywhere', async () => {
    const guard = await openGuard();
    await guard.fail(10, 'operator', PANEL);
    await guard.fail(10, 'operator', OFFICE);
    await guard.fail(10, 'supervisor', PANEL);
    const state = guard.lockout.stateOf(OPERATOR);
    expect(state).toMatchObject({ failures: 10, places: [PANEL, OFFICE] });
    expect(state?.until).toBe(guard.clock.now() - 91 * SECOND_MS + 15 * MINUTE_MS);
    expect(await guard.unlock(OPERATOR)).toBe(true);
    expect(await guard.unlock(OPERATOR)).toBe(false);
    expect(guard.lockout.stateOf(OPERATOR)).toBeNull();
    expect(await guard.right('operator', PANEL)).toBe('in');
    expect(await guard.right('operator', OFFICE)).toBe('in');
    await guard.restart();
    expect(guard.lockout.stateOf('id of supervisor')).toMatchObject({ places: [PANEL] });
    expect(guard.lockout.stateOf(OPERATOR)).toBeNull();
  });

  test('has unlocked nothing where the transaction fails', async () => {
    const guard = await openGuard();
    await guard.fail(10, 'operator', PANEL);
    const unlocking = guard.store.write(async (writer, afterCommit) => {
      await guard.lockout.unlock(writer, afterCommit, OPERATOR);
      throw new Error('the audit trail took nothing');
    });
    await expect(unlocking).rejects.toThrow();
    expect(await guard.right('operator', PANEL)).toMatch(/^wait/);
    await guard.restart();
    expect(await guard.right('operator', PANEL)).toMatch(/^wait/);
  });
});

describe('as in Jube', () => {
  test('the tenth consecutive failure locks the account, from wherever, until an administrator unlocks it', async () => {
    const guard = await openGuard({ preset: 'jube' });
    await guard.right('operator', PANEL);
    for (let i = 0; i < 9; i++) {
      expect(await guard.wrong('operator', i % 2 === 0 ? PANEL : OFFICE)).toBe('wrong');
      expect(guard.lastFailure).toEqual({ retryAfterSec: 0, locked: null });
      await guard.clock.advance(3 * DAY_MS);
      await guard.restart();
    }
    expect(guard.lockout.isLocked(OPERATOR, PANEL)).toBe(false);
    await guard.wrong('operator', OFFICE);
    expect(guard.lastFailure).toEqual({ retryAfterSec: 0, locked: 'account' });
    await guard.clock.advance(400 * DAY_MS);
    await guard.restart();
    expect(guard.lockout.stateOf(OPERATOR)).toEqual({ until: null, failures: 10, places: null });
    for (const address of [PANEL, OFFICE, null])
      expect(await guard.right('operator', address)).toBe('locked');
    expect(await guard.unlock(OPERATOR)).toBe(true);
    expect(await guard.right('operator', PANEL)).toBe('in');
    await guard.restart();
    expect(guard.lockout.stateOf(OPERATOR)).toBeNull();
  });

  test('a success clears what was counted', async () => {
    const guard = await openGuard({ preset: 'jube' });
    for (const round of [1, 2, 3]) {
      for (let i = 0; i < 9; i++) await guard.wrong('operator', PANEL);
      expect(await guard.right('operator', OFFICE), `round ${round}`).toBe('in');
    }
    expect(await guard.rows()).toEqual([]);
  });

  test('nothing is slowed, and nothing is kept of names that are nobody', async () => {
    const guard = await openGuard({ preset: 'jube' });
    for (let i = 0; i < 50; i++) expect(await guard.wrong(NOBODY, PANEL)).toBe('wrong');
    expect(await guard.rows()).toEqual([]);
  });

  test('every number can be set', async () => {
    const guard = await openGuard({ preset: 'jube', accountTries: 4, delayAfter: 2, lockMin: 1 });
    const waits = [];
    for (let i = 0; i < 4; i++) waits.push((await guard.fail(1, 'operator', PANEL)).retryAfterSec);
    expect(waits).toEqual([0, 1, 2, 4]);
    expect(guard.lockout.stateOf(OPERATOR)?.until).toBe(guard.clock.now() + MINUTE_MS);
  });
});

describe('many at once', () => {
  test('that are right are let in, all of them', async () => {
    const guard = await openGuard();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => guard.right('operator', PANEL)));
    expect(new Set(outcomes)).toEqual(new Set(['in']));
  });

  test('of which one is right get no more tries than one after the other', async () => {
    const guard = await openGuard();
    const passwords = Array.from({ length: 100 }, (_, i) => (i === 50 ? 'right' : 'wrong'));
    const outcomes = await Promise.all(passwords.map((each) => guard.attempt('operator', PANEL, each)));
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(3);
    // The right one is told what the wrong ones around it are told.
    expect(outcomes.slice(3)).toEqual(Array(97).fill('wait 1'));
    expect(await guard.rows('pair')).toMatchObject([{ failures: 3 }]);
  });

  test('where something is wrong already are let in one at a time', async () => {
    const guard = await openGuard();
    await guard.fail(4, 'operator', PANEL);
    await guard.clock.advance(2 * SECOND_MS);
    const first = guard.lockout.admit('operator', PANEL);
    const another = (): unknown => guard.lockout.admit('operator', PANEL);
    expect(another).toThrow(expect.objectContaining({ code: 'too-many-tries', retryAfterSec: 1 }));
    first.release();
    const second = guard.lockout.admit('operator', PANEL);
    // Given back twice it is given back once.
    first.release();
    expect(another).toThrow(expect.objectContaining({ code: 'too-many-tries' }));
    second.release();
    expect(another).not.toThrow();
  });

  test('at a slowed address are let in one at a time, but for those who are known', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    for (let i = 0; i < 30; i++) await guard.wrong(`guess ${i}`, PANEL);
    await guard.clock.advance(SECOND_MS);
    guard.lockout.admit('guess', PANEL);
    expect(() => guard.lockout.admit('another guess', PANEL)).toThrow();
    expect(() => guard.lockout.admit('operator', PANEL)).not.toThrow();
    expect(() => guard.lockout.admit('another guess', OFFICE)).not.toThrow();
  });

  test.each([
    ['standard', 30],
    ['jube', 10],
  ] as const)(
    '%s: many addresses at once get no more tries at an account than are set',
    async (preset, accountTries) => {
      const guard = await openGuard({ preset, accountTries });
      const hosts = Array.from({ length: 60 }, (_, host) => `203.0.113.${host}`);
      const outcomes = await Promise.all(
        hosts.map((host, i) => guard.attempt('operator', host, i < accountTries ? 'wrong' : 'right')),
      );
      expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(accountTries);
      expect(outcomes.filter((outcome) => outcome === 'locked')).toHaveLength(60 - accountTries);
    },
  );

  test('lock once, and tell it once', async () => {
    const guard = await openGuard({ preset: 'jube' });
    const tried = { typedName: 'operator', userId: OPERATOR, address: PANEL };
    const failures = await Promise.all(
      Array.from({ length: 20 }, () => {
        guard.lockout.settle(tried, false);
        return guard.store.write((writer, afterCommit) => guard.lockout.failed(writer, afterCommit, tried));
      }),
    );
    expect(failures.filter(({ locked }) => locked === 'account')).toHaveLength(1);
    expect(await guard.rows('account')).toMatchObject([{ failures: 10, locked: 1 }]);
  });
});

describe('the clock', () => {
  test.each([
    ['forward', 5 * HOUR_MS],
    ['back', -5 * HOUR_MS],
    ['forward by years', 4000 * DAY_MS],
  ])('set %s while the host runs ends no lock early, and makes none longer', async (_name, byMs) => {
    const guard = await openGuard();
    await attackAccount(guard, 100);
    await guard.fail(10, 'operator', PANEL);
    const { clock } = guard;
    const spentMs = clock.monotonic();
    clock.setWallClock(clock.now() + byMs);
    await clock.advance(15 * MINUTE_MS - 1 - spentMs);
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(true);
    expect(await guard.right('operator', PANEL)).toMatch(/^wait/);
    await clock.advance(1);
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(false);
    await clock.advance(spentMs);
    expect(await guard.right('operator', PANEL)).toBe('in');
  });

  test.each([
    ['forward', 5 * HOUR_MS, false],
    ['back', -5 * HOUR_MS, false],
    ['forward, a minute before it was killed,', 5 * HOUR_MS, true],
  ])('set %s before a restart changes no lock', async (_name, byMs, crash) => {
    const guard = await openGuard();
    await guard.right('supervisor', PANEL);
    await attackAccount(guard, 100);
    await attackAccount(guard, 100, 'supervisor');
    guard.clock.setWallClock(guard.clock.now() + byMs);
    if (crash) await guard.clock.advance(MINUTE_MS);
    await guard.store.write(async () => {});
    await guard.restart({ crash });
    const leftMs = (crash ? 14 : 15) * MINUTE_MS;
    expect(guard.lockout.stateOf(OPERATOR)?.until).toBe(guard.clock.now() + leftMs);
    expect(await guard.right('supervisor', PANEL)).toBe('in');
    await guard.clock.advance(leftMs - 1);
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(true);
    await guard.clock.advance(1);
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(false);
  });

  test('is set and then a failure is counted: both are on disk by the same clock', async () => {
    const guard = await openGuard();
    await guard.fail(10, 'operator', PANEL);
    guard.clock.setWallClock(guard.clock.now() - HOUR_MS);
    await guard.fail(10, 'operator', OFFICE);
    const expected = guard.lockout.stateOf(OPERATOR);
    await guard.restart({ crash: true });
    expect(guard.lockout.stateOf(OPERATOR)).toEqual(expected);
  });

  test('set back while the host is off makes a lock its whole length at most, however often it restarts', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 100);
    await guard.restart({}, () => guard.clock.setWallClock(guard.clock.now() - 5 * HOUR_MS));
    const until = guard.clock.now() + 15 * MINUTE_MS;
    expect(guard.lockout.stateOf(OPERATOR)?.until).toBe(until);
    await guard.clock.advance(5 * MINUTE_MS);
    await guard.restart({ crash: true });
    expect(guard.lockout.stateOf(OPERATOR)?.until).toBe(until);
    await guard.clock.advance(10 * MINUTE_MS);
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(false);
  });
});

describe('a restart', () => {
  test.each([
    ['in order', false],
    ['after a crash', true],
  ])('%s forgets no failure, no lock and no known address', async (_name, crash) => {
    const guard = await openGuard();
    await guard.right('supervisor', OFFICE);
    await guard.fail(9, 'operator', PANEL);
    await guard.fail(10, NOBODY, PANEL);
    await attackAccount(guard, 100, 'supervisor');
    await guard.restart({ crash });
    expect(await guard.right(NOBODY, PANEL)).toMatch(/^wait/);
    expect(await guard.right('supervisor', '198.51.100.1')).toBe('locked');
    expect(await guard.right('supervisor', OFFICE)).toBe('in');
    expect((await guard.fail(1, 'operator', PANEL)).locked).toBe('pair');
  });

  test('ends what ran out meanwhile, and clears it away', async () => {
    const guard = await openGuard();
    await guard.right('supervisor', OFFICE);
    await guard.fail(10, 'operator', PANEL);
    await guard.fail(5, NOBODY, OFFICE);
    const { clock } = guard;
    await guard.restart({}, () => clock.setWallClock(clock.now() + 31 * DAY_MS));
    expect(await guard.rows()).toEqual([]);
    expect(await guard.store.read.selectFrom('lockout_places').selectAll().execute()).toEqual([]);
    expect(await guard.right('operator', PANEL)).toBe('in');
  });

  test('with other numbers shortens a lock to what it may last now', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 100);
    await guard.restart({ config: { lockMin: 5 } });
    expect(guard.lockout.stateOf(OPERATOR)?.until).toBe(guard.clock.now() + 5 * MINUTE_MS);
  });

  test('with Jube’s preset left behind keeps what only an administrator may unlock', async () => {
    const guard = await openGuard({ preset: 'jube' });
    for (let i = 0; i < 10; i++) await guard.wrong('operator', PANEL);
    await guard.restart({ config: {} });
    await guard.clock.advance(DAY_MS);
    expect(guard.lockout.stateOf(OPERATOR)).toMatchObject({ until: null });
    expect(await guard.unlock(OPERATOR)).toBe(true);
  });

  test('a failure whose transaction fails counts as long as the host runs', async () => {
    const guard = await openGuard();
    const tried = { typedName: 'operator', userId: OPERATOR, address: PANEL };
    for (let i = 0; i < 3; i++) {
      guard.lockout.settle(tried, false);
      const writing = guard.store.write(async (writer, afterCommit) => {
        await guard.lockout.failed(writer, afterCommit, tried);
        throw new Error('the disk is full');
      });
      await expect(writing).rejects.toThrow();
    }
    expect(await guard.right('operator', PANEL)).toBe('wait 1');
  });
});

describe('memory and disk', () => {
  test('hold no name that was typed: it may be a password', async () => {
    const guard = await openGuard();
    await guard.fail(10, 'tippedmypassword', PANEL);
    expect(filesWith(guard.folder, 'tippedmypassword')).toEqual([]);
    expect(JSON.stringify(guard.log.lines)).not.toContain('tippedmypassword');
  });

  test('let go of what is over', async () => {
    const guard = await openGuard();
    await guard.fail(2, NOBODY, PANEL);
    await guard.fail(10, 'operator', PANEL);
    expect(await guard.rows()).toHaveLength(4);
    await guard.clock.advance(17 * MINUTE_MS);
    await guard.store.write(async () => {});
    expect(await guard.rows()).toEqual([]);
  });

  test('hold so many counters and no more: the oldest goes, but for one that is locked', async () => {
    const guard = await openGuard();
    const { lockout, store } = guard;
    await guard.fail(10, 'operator', PANEL);
    await guard.fail(2, NOBODY, OFFICE);
    for (let i = 0; i < 20_000; i++) {
      const tried = {
        typedName: `guess ${i}`,
        userId: null,
        address: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      };
      lockout.settle(tried, false);
      if (i % 1000 === 0 || i > 19_990)
        await store.write((writer, after) => lockout.failed(writer, after, tried));
    }
    expect(await guard.right('operator', PANEL)).toMatch(/^wait/);
    expect((await guard.rows('pair')).filter(({ locked }) => locked === 1)).toHaveLength(1);
    // The one that failed twice had to give way, here and on disk: its next failure is the first again.
    expect((await guard.fail(2, NOBODY, OFFICE)).retryAfterSec).toBe(0);
  });

  test('hear of a sign-in that changes nothing once a day', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    const seen = async (): Promise<unknown> =>
      guard.store.read.selectFrom('lockout_places').select('seen_at').execute();
    const first = await seen();
    await guard.clock.advance(DAY_MS - 1);
    await guard.right('operator', PANEL);
    expect(await seen()).toEqual(first);
    await guard.clock.advance(1);
    await guard.right('operator', PANEL);
    expect(await seen()).toEqual([{ seen_at: guard.clock.now() }]);
  });
});

describe('cannot be turned into a weapon', () => {
  const attackers = Array.from({ length: 50 }, (_, host) => `203.0.113.${host}`);

  test('one address that tries one name for a day locks nobody out elsewhere', async () => {
    const guard = await openGuard();
    const end = guard.clock.monotonic() + DAY_MS;
    while (guard.clock.monotonic() < end) {
      await guard.fail(1, 'operator', PANEL);
      expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(false);
      await guard.clock.advance(guard.lastFailure.retryAfterSec * SECOND_MS);
    }
    expect(await guard.right('operator', OFFICE)).toBe('in');
  });

  test('one address that tries every name is slowed, and locks no account', async () => {
    const guard = await openGuard({ accountTries: 6 });
    const lastWait = async (): Promise<number> => {
      for (let i = 0; i < 40; i++) await guard.fail(1, USERS[i % USERS.length] ?? '', PANEL);
      return guard.lastFailure.retryAfterSec;
    };
    expect(await lastWait()).toBe(30);
    for (const name of USERS) expect(await guard.right(name, OFFICE)).toBe('in');
  });

  test('fifty addresses that lock an account do not lock out who is known', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    for (let round = 0; round < 20; round++) {
      for (const address of attackers) await guard.wrong('operator', address);
    }
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(true);
    expect(await guard.right('operator', PANEL)).toBe('in');
  });

  test('somebody at the same address who tries other names does not hold up who is known there', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    for (let i = 0; i < 200; i++) {
      await guard.wrong(`guess ${i}`, PANEL);
      if (i % 20 === 0) expect(await guard.right('operator', PANEL)).toBe('in');
    }
  });

  test('whoever floods it with names and addresses does not make it forget who is known', async () => {
    const guard = await openGuard();
    await guard.right('operator', PANEL);
    for (let i = 0; i < 30_000; i++) {
      const address = `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`;
      guard.lockout.settle({ typedName: 'operator', userId: OPERATOR, address }, false);
    }
    expect(guard.lockout.isLocked(OPERATOR, OFFICE)).toBe(true);
    expect(await guard.right('operator', PANEL)).toBe('in');
  });

  test('what is answered does not tell who exists', async () => {
    const guard = await openGuard();
    await attackAccount(guard, 100, 'supervisor');
    const seen = async (name: string, address: string): Promise<unknown[]> => {
      const story = [];
      for (let i = 0; i < 60; i++) {
        const outcome = await guard.wrong(name, address);
        story.push(outcome === 'locked' ? 'wrong' : outcome, guard.lastFailure.retryAfterSec);
        await guard.clock.advance(20 * SECOND_MS);
      }
      return story;
    };
    const ofNobody = await seen(NOBODY, '198.51.100.201');
    expect(await seen('operator', '198.51.100.202')).toEqual(ofNobody);
    expect(await seen('supervisor', '198.51.100.203')).toEqual(ofNobody);
  });
});
