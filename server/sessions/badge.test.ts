import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ADMINISTRATOR,
  DAY_MS,
  DOOR,
  filesWith,
  openControlRoom,
  PASSWORD,
  SECOND_MS,
  type ControlRoom,
  type HouseOptions,
} from '../../test/house.ts';
import type { App } from '../apps/app.ts';
import type { Actor } from '../audit/audit.ts';
import type { Pins } from '../badges/pins.ts';
import { KeyswitchError } from '../errors.ts';
import { createTokens } from '../tokens/tokens.ts';
import { openSessions, type SignedIn } from './sessions.ts';

const NUMBER = '0004918337';
const STRANGE = '0004918338';
const PIN = '739154';
const WRONG_PIN = '739155';

interface Try {
  readonly badge?: string;
  readonly app?: App | null;
  readonly door?: Actor;
}

interface BadgeRoom extends ControlRoom {
  readonly badgeId: string;
  /** Holds the operator's badge to the reader, with what is typed then. */
  signIn(secondFactor?: string, more?: Try): Promise<SignedIn>;
  /** The same, for the code of the refusal. */
  refusal(secondFactor?: string, more?: Try): Promise<string>;
  setPin(pin?: string, username?: string): Promise<void>;
}

type Policy = NonNullable<NonNullable<HouseOptions['config']>['badges']>['signIn'];

/** Nobody waits: only the tests about that have the lockout on. */
const NO_LOCKOUT = { delayAfter: 0, tries: 0, addressTries: 0 };

/** The operator with a badge; no PIN yet. */
async function openBadgeRoom(
  policy: Policy = 'with-pin',
  lockout: NonNullable<HouseOptions['config']>['lockout'] = NO_LOCKOUT,
): Promise<BadgeRoom> {
  const room = await openControlRoom({ config: { badges: { signIn: policy }, lockout } });
  const { house } = room;
  const enrolled = { userName: 'operator', badge: NUMBER, label: 'blue' };
  const { id: badgeId } = await house.features.badges.enrol(enrolled, ADMINISTRATOR);
  const signIn: BadgeRoom['signIn'] = (secondFactor, { badge = NUMBER, app = null, door = DOOR } = {}) =>
    house.features.sessions.signIn({
      credential: { kind: 'badge', badge, ...(secondFactor !== undefined && { secondFactor }) },
      appId: app?.id ?? null,
      presentation: 'cookie',
      door,
    });
  return {
    ...room,
    badgeId,
    signIn,
    refusal: (secondFactor, more) =>
      signIn(secondFactor, more).then(
        () => 'signed in',
        (error: unknown) => (error instanceof KeyswitchError ? error.code : String(error)),
      ),
    async setPin(pin = PIN, username = 'operator') {
      const { session } = await house.signIn(username);
      const door = { ...DOOR, name: username };
      await house.features.sessions.changeOwnPin(session, PASSWORD, pin, door);
      await house.features.sessions.end(session.id, 'signed-out', door);
      house.story();
    },
  };
}

describe('a badge', () => {
  test('signs its user in with the PIN, durably, and the row says which badge it was', async () => {
    const { house, hmi, badgeId, signIn, setPin } = await openBadgeRoom();
    await setPin();
    const { session } = await signIn(PIN, { app: hmi });
    expect(house.story()).toEqual(['operator at HMI opened']);
    expect(await house.lastAudit()).toMatchObject({
      ...{ action: 'sign-in', actor: 'operator', subject: 'operator', app: 'HMI', reason: 'badge' },
      detail: { session: session.id, badge: badgeId },
    });
    await house.restart();
    expect(house.features.sessions.ofApp(hmi.id)?.id).toBe(session.id);
  });

  test('leaves neither number nor PIN anywhere on disk or in the log', async () => {
    const { house, signIn, refusal, setPin } = await openBadgeRoom();
    await setPin();
    await signIn(PIN);
    await refusal(WRONG_PIN);
    await refusal(PIN, { badge: STRANGE });
    for (const secret of [NUMBER, STRANGE, PIN, WRONG_PIN]) {
      expect(filesWith(house.folder, secret)).toEqual([]);
      expect(JSON.stringify(house.log.lines)).not.toContain(secret);
    }
  });

  test.each([
    ['with-pin', 'pin'],
    ['with-password', 'password'],
  ] as const)(
    'that signs in %s asks for it of every number alike, and leaves no trace',
    async (policy, factor) => {
      const { house, badgeId, signIn } = await openBadgeRoom(policy);
      const rows = (await house.audit()).length;
      const asked = (badge: string) => signIn(undefined, { badge }).catch((error: unknown) => error);
      const expected = new KeyswitchError('second-factor-required', undefined, { factor });
      expect(await asked(NUMBER)).toEqual(expected);
      expect(await asked(STRANGE)).toEqual(expected);
      await house.features.sessions.revokeBadge(badgeId, ADMINISTRATOR);
      expect(await asked(NUMBER)).toEqual(expected);
      expect((await house.audit()).length).toBe(rows + 1);
    },
  );

  test('takes the password of who has no PIN, and not of who has', async () => {
    const { refusal, setPin } = await openBadgeRoom();
    expect(await refusal(PASSWORD)).toBe('signed in');
    await setPin();
    expect(await refusal(PASSWORD)).toBe('sign-in-refused');
    expect(await refusal(PIN)).toBe('signed in');
  });

  test('takes the password of everybody where the site says so', async () => {
    const { refusal, setPin } = await openBadgeRoom('with-password');
    await setPin();
    expect(await refusal(PIN)).toBe('sign-in-refused');
    expect(await refusal(PASSWORD)).toBe('signed in');
  });

  test('takes the password of an administrator, whatever the site says', async () => {
    for (const policy of ['alone', 'with-pin', 'with-password'] as const) {
      const { house, signIn, refusal, setPin } = await openBadgeRoom(policy);
      await setPin();
      await house.addUser('Ada', { type: 'Admin' });
      await house.features.users.change('operator', { type: 'Admin' }, ADMINISTRATOR);
      await expect(signIn()).rejects.toMatchObject({ code: 'second-factor-required' });
      expect(await refusal(PIN)).toBe('sign-in-refused');
      expect(await refusal(PASSWORD)).toBe('signed in');
    }
  });

  test('signs in alone where the site says so, and is refused like any sign-in where nobody has it', async () => {
    const { house, signIn, refusal } = await openBadgeRoom('alone');
    expect((await signIn()).session.user.name).toBe('operator');
    expect(await refusal(undefined, { badge: STRANGE })).toBe('sign-in-refused');
    expect(await house.lastAudit()).toMatchObject({ reason: 'unknown-badge', subject: null });
  });

  test('signs nobody in where the site has none', async () => {
    const { refusal } = await openBadgeRoom('off');
    expect([await refusal(), await refusal(PASSWORD)]).toEqual(['forbidden', 'forbidden']);
  });

  test('at an app whose user is somebody else takes over in one step', async () => {
    const { house, hmi, signIn, setPin } = await openBadgeRoom();
    await setPin();
    await house.signIn('supervisor', { app: hmi });
    house.story();
    await signIn(PIN, { app: hmi });
    expect(house.story()).toEqual([
      'supervisor at HMI ended: replaced, then operator',
      'operator at HMI opened',
    ]);
  });

  test('with a one-time secret leads to the way to replace it, and on into the app', async () => {
    const { house, hmi, badgeId, signIn } = await openBadgeRoom();
    const { oneTimeSecret } = await house.features.sessions.resetPassword('operator', ADMINISTRATOR);
    const error = (await signIn(oneTimeSecret, { app: hmi }).catch((thrown: unknown) => thrown)) as {
      ticket: string;
    };
    expect(error).toMatchObject({ code: 'password-change-required', why: 'one-time-secret' });
    await house.features.sessions.changePassword(error.ticket, 'the password of my own choice', DOOR);
    expect(house.features.sessions.ofApp(hmi.id)?.user.name).toBe('operator');
    const row = (await house.audit()).findLast(({ action }) => action === 'sign-in');
    expect(row).toMatchObject({ reason: 'badge', detail: { badge: badgeId } });
  });

  test('with an expired password does, too', async () => {
    const { house, refusal } = await openBadgeRoom('with-password');
    await house.restart({ config: { badges: { signIn: 'with-password' }, passwords: { maxAgeDays: 90 } } });
    await house.advance(90 * DAY_MS);
    expect(await refusal(PASSWORD)).toBe('password-change-required');
  });
});

describe('the second step', () => {
  const spoil: Record<string, (room: BadgeRoom) => Promise<unknown>> = {
    'wrong-pin': async () => {},
    'badge-revoked': ({ house, badgeId }) => house.features.sessions.revokeBadge(badgeId, ADMINISTRATOR),
    'user-disabled': async ({ house }) => {
      await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
    },
    'user-passive': ({ house }) =>
      house.features.users.change('operator', { type: 'Passive' }, ADMINISTRATOR),
    'wrong-password': ({ house }) => house.features.sessions.resetPassword('operator', ADMINISTRATOR),
  };
  const typed: Record<string, string> = { 'wrong-pin': WRONG_PIN, 'user-disabled': PASSWORD };

  test.each(Object.keys(spoil))(
    'is refused for %s in the words of a wrong password, and the row knows why',
    async (why) => {
      const room = await openBadgeRoom();
      const { house, badgeId, signIn, setPin } = room;
      await setPin();
      await spoil[why]?.(room);
      const error = await signIn(typed[why] ?? PIN).catch((thrown: unknown) => thrown);
      expect(error).toEqual(await house.signIn('nobody').catch((thrown: unknown) => thrown));
      const rows = (await house.audit()).filter(({ action }) => action === 'sign-in-refused');
      expect(rows.at(-2)).toMatchObject({ reason: why, subject: 'operator', detail: { badge: badgeId } });
    },
  );

  test('is refused for a number that nobody has in the same words', async () => {
    const { house, signIn } = await openBadgeRoom();
    const error = await signIn(PIN, { badge: STRANGE }).catch((thrown: unknown) => thrown);
    expect(error).toEqual(await house.signIn('nobody').catch((thrown: unknown) => thrown));
    const row = (await house.audit()).find(({ action }) => action === 'sign-in-refused');
    expect(row).toMatchObject({ reason: 'unknown-badge', subject: null, detail: {} });
  });

  test('that is refused for another reason than its PIN brings the PIN no nearer to its block, on disk neither', async () => {
    const { house, refusal, signIn, setPin } = await openBadgeRoom();
    await setPin();
    const app = await house.addApp('Kiln');
    for (let i = 0; i < 10; i += 1) expect(await refusal(PIN, { app })).toBe('sign-in-refused');
    expect((await house.audit()).map(({ action }) => action)).not.toContain('pin-blocked');
    await house.restart();
    expect((await signIn(PIN)).session.user.name).toBe('operator');
  });

  test('is refused at an app where the user has no rights', async () => {
    const { house, setPin, refusal } = await openBadgeRoom();
    await setPin();
    const app = await house.addApp('Kiln');
    expect(await refusal(PIN, { app })).toBe('sign-in-refused');
    expect(await house.lastAudit()).toMatchObject({ reason: 'not-allowed-at-app', app: 'Kiln' });
  });

  test.each([
    ['badge-revoked', ({ house, badgeId }) => house.features.sessions.revokeBadge(badgeId, ADMINISTRATOR)],
    [
      'wrong-pin',
      ({ house, operator }) =>
        house.features.store.write((writer, afterCommit) =>
          house.features.pins.remove(writer, afterCommit, operator.id),
        ),
    ],
  ] as [string, (room: BadgeRoom) => Promise<void>][])(
    'is refused for %s where that came while the hash was computed',
    async (why, change) => {
      const room = await openBadgeRoom();
      await room.setPin();
      const { house, hmi } = room;
      const { features, clock, random, log } = house;
      const pins: Pins = {
        ...features.pins,
        async verify(...tried) {
          const checked = await features.pins.verify(...tried);
          await change(room);
          return checked;
        },
      };
      const tokens = createTokens({ keys: features.keys, clock }, { issuer: 'i', audience: 'a' });
      const sessions = await openSessions(
        { ...features, mayRecord: () => true, tokens, clock, random, log, pins },
        { browserIdleMin: 15, browserMaxHours: 12, accessTokenSec: 300, refreshTokenDays: 7 },
      );
      onTestFinished(() => sessions.close());
      await expect(
        sessions.signIn({
          credential: { kind: 'badge', badge: NUMBER, secondFactor: PIN },
          ...{ appId: hmi.id, presentation: 'cookie', door: DOOR },
        }),
      ).rejects.toMatchObject({ code: 'sign-in-refused' });
      expect(await house.lastAudit()).toMatchObject({ reason: why, subject: 'operator' });
      expect(sessions.list()).toEqual([]);
    },
  );
});

describe('guessing', () => {
  test('PINs with a found badge ends after ten, until the password was used; the row says so once', async () => {
    const { house, refusal, setPin } = await openBadgeRoom();
    await setPin();
    for (let i = 0; i < 12; i += 1) expect(await refusal(String(739_200 + i))).toBe('sign-in-refused');
    const blocked = (await house.audit()).filter(({ action }) => action === 'pin-blocked');
    expect(blocked).toMatchObject([{ subject: 'operator', actor: 'anonymous' }]);
    await house.restart();
    expect(await refusal(PIN)).toBe('sign-in-refused');
    await house.signIn('operator');
    expect(await refusal(PIN)).toBe('signed in');
  });

  test('is over for the PIN also where the password came with the badge', async () => {
    const { refusal, setPin } = await openBadgeRoom();
    await setPin();
    for (let i = 0; i < 10; i += 1) await refusal(WRONG_PIN);
    expect([await refusal(PIN), await refusal(PASSWORD), await refusal(PIN)]).toEqual([
      'sign-in-refused',
      'signed in',
      'signed in',
    ]);
  });

  test('is slowed for a badge at an address, whether anybody has the badge or not', async () => {
    for (const badge of [NUMBER, STRANGE]) {
      const { house, signIn, refusal } = await openBadgeRoom('with-pin', {});
      for (let i = 0; i < 3; i += 1) expect(await refusal('a guess', { badge })).toBe('sign-in-refused');
      await expect(signIn('a guess', { badge })).rejects.toMatchObject({
        code: 'too-many-tries',
        retryAfterSec: 1,
      });
      expect(await refusal(PASSWORD, { badge: '77310042' })).toBe('sign-in-refused');
      await house.advance(SECOND_MS);
      expect(await refusal('a guess', { badge })).toBe('sign-in-refused');
    }
  });

  test.each([undefined, PIN])(
    'numbers, where a badge signs in alone, slows the address, and fills no disk (beside them %s)',
    async (secondFactor) => {
      const { house, refusal } = await openBadgeRoom('alone', { addressTries: 20 });
      const before = (await house.audit()).length;
      const outcomes = [];
      for (let i = 0; i < 40; i += 1) {
        outcomes.push(await refusal(secondFactor, { badge: `000${String(i)}18` }));
      }
      expect(outcomes.filter((code) => code === 'too-many-tries')).toHaveLength(20);
      expect((await house.audit()).length - before).toBeLessThan(4);
    },
  );

  test('counts against the account, and a locked one takes no PIN from where its user is not known', async () => {
    const { house, refusal, setPin } = await openBadgeRoom('with-pin', { ...NO_LOCKOUT, accountTries: 5 });
    await setPin();
    const door = { ...DOOR, address: '198.51.100.9' };
    for (let i = 0; i < 5; i += 1) await refusal(WRONG_PIN, { door });
    expect(await refusal(PIN, { door })).toBe('sign-in-refused');
    expect(await house.lastAudit()).toMatchObject({ action: 'sign-in-refused', reason: 'locked' });
    expect(await refusal(PIN)).toBe('signed in');
  });

  test('is forgotten with a sign-in', async () => {
    const { refusal, setPin } = await openBadgeRoom('with-pin', { ...NO_LOCKOUT, delayAfter: 3 });
    await setPin();
    for (let round = 0; round < 3; round += 1) {
      expect([await refusal(WRONG_PIN), await refusal(WRONG_PIN), await refusal(PIN)]).toEqual([
        'sign-in-refused',
        'sign-in-refused',
        'signed in',
      ]);
    }
  });
});

describe('a lost badge', () => {
  test('that is revoked ends every session of its user, and nobody else', async () => {
    const { house, hmi, boiler, badgeId, signIn } = await openBadgeRoom('with-password');
    await signIn(PASSWORD, { app: hmi });
    await house.signIn('operator');
    await house.signIn('supervisor', { app: boiler });
    house.story();
    await house.features.sessions.revokeBadge(badgeId, ADMINISTRATOR);
    expect(house.story()).toEqual([
      'operator at HMI ended: badge-revoked',
      'operator at Keyswitch ended: badge-revoked',
    ]);
    const rows = (await house.audit()).slice(-3);
    expect(rows.map(({ action, reason }) => reason ?? action)).toEqual([
      'badge-revoked',
      'badge-revoked',
      'badge-revoked',
    ]);
    expect(rows).toMatchObject([
      {
        action: 'badge-revoked',
        actor: 'Ada',
        subject: 'operator',
        detail: { badge: badgeId, label: 'blue' },
      },
      { action: 'session-ended' },
      { action: 'session-ended' },
    ]);
    await house.restart();
    expect(house.features.sessions.list().map(({ user }) => user.name)).toEqual(['supervisor']);
  });
});

describe("one's own PIN", () => {
  const changePin = async ({ house }: BadgeRoom, pin: string, password = PASSWORD) => {
    const { session } = await house.signIn('operator');
    await house.features.sessions.changeOwnPin(session, password, pin, { ...DOOR, name: 'operator' });
  };

  test('takes the place of the former one, is audited, and ends no session', async () => {
    const room = await openBadgeRoom();
    await room.setPin();
    await changePin(room, '402881');
    expect(await room.house.lastAudit()).toMatchObject({
      ...{ action: 'pin-changed', actor: 'operator', subject: 'operator' },
    });
    expect(room.house.features.sessions.list()).toHaveLength(1);
    expect([await room.refusal(PIN), await room.refusal('402881')]).toEqual(['sign-in-refused', 'signed in']);
    expect(filesWith(room.house.folder, '402881')).toEqual([]);
  });

  test.each([
    ['a wrong password', '402881', 'not the present one', 'sign-in-refused', 'wrong-password'],
    ['a PIN that is too simple', '123456', PASSWORD, 'pin-unacceptable', 'policy'],
    ['a PIN that is too short', '40288', PASSWORD, 'pin-unacceptable', 'policy'],
  ])('is refused for %s, on record, and stays as it was', async (_what, pin, password, code, reason) => {
    const room = await openBadgeRoom();
    await room.setPin();
    await expect(changePin(room, pin, password)).rejects.toMatchObject({ code });
    expect(await room.house.lastAudit()).toMatchObject({
      ...{ action: 'pin-change-refused', subject: 'operator', reason },
    });
    expect(await room.refusal(PIN)).toBe('signed in');
  });

  test('names the rules that failed, and nothing of what was typed', async () => {
    const room = await openBadgeRoom();
    await expect(changePin(room, '11a')).rejects.toMatchObject({
      message: expect.not.stringContaining('11a') as string,
      faults: [
        { field: 'newPin', rule: 'only-digits' },
        { field: 'newPin', rule: 'min-length', values: { limit: 6 } },
      ],
    });
  });

  test('counts wrong passwords like those at the door', async () => {
    const room = await openBadgeRoom('with-pin', {});
    const { session } = await room.house.signIn('operator');
    const guess = () => room.house.features.sessions.changeOwnPin(session, 'a guess', '402881', DOOR);
    for (let i = 0; i < 3; i += 1) await expect(guess()).rejects.toMatchObject({ code: 'sign-in-refused' });
    await expect(guess()).rejects.toMatchObject({ code: 'too-many-tries' });
  });

  test("goes with an administrator's reset, and with the account that is disabled", async () => {
    const taken: ((room: BadgeRoom) => Promise<unknown>)[] = [
      ({ house }) => house.features.sessions.resetPassword('operator', ADMINISTRATOR),
      ({ house }) => house.features.users.change('operator', { enabled: false }, ADMINISTRATOR),
    ];
    for (const take of taken) {
      const room = await openBadgeRoom();
      await room.setPin();
      await take(room);
      const { pins, store } = room.house.features;
      expect(await pins.setAt(store.read, room.operator.id)).toBeNull();
    }
  });
});
