import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  filesWith,
  openControlRoom,
  openHouse,
  PASSWORD,
  SECOND_MS,
  type ControlRoom,
  type House,
  type SignInOptions,
} from '../../test/house.ts';
import { isKeyswitchError, KeyswitchError } from '../errors.ts';
import { createTokens } from '../tokens/tokens.ts';
import { openSessions, type Sessions, type SessionsNeeds, type SignedIn } from './sessions.ts';

/** The sessions anew over the house's features, some of which are exchanged. */
async function openSessionsWith(
  { features, clock, random, log }: House,
  exchanged: Partial<Pick<SessionsNeeds, 'apps' | 'passwords'>>,
): Promise<Sessions> {
  const tokens = createTokens({ keys: features.keys, clock }, { issuer: 'i', audience: 'a' });
  const sessions = await openSessions(
    { ...features, mayRecord: () => true, tokens, clock, random, log, ...exchanged },
    { browserIdleMin: 15, browserMaxHours: 12, accessTokenSec: 300, refreshTokenDays: 7 },
  );
  onTestFinished(() => sessions.close());
  return sessions;
}

describe('signing in to an app', () => {
  test('makes the user its current user, with the data that the app gets', async () => {
    const { house, hmi, operator } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    expect(session).toMatchObject({
      kind: 'app',
      user: { id: operator.id, name: 'operator', displayName: 'Olivia Operator', type: 'Active' },
      app: { id: hmi.id, name: 'HMI' },
      role: '5',
      openedAt: house.clock.now(),
    });
    const { sessions } = house.features;
    expect(sessions.ofApp(hmi.id)).toEqual(session);
    expect(sessions.ofApp(hmi.id.toUpperCase())).toEqual(session);
    expect(sessions.byId(session.id)).toEqual(session);
    expect(sessions.list()).toEqual([session]);
    expect(house.story()).toEqual(['operator at HMI opened']);
  });

  test('is on disk and audited when it is answered', async () => {
    const { house, hmi, operator } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    expect(await house.sessionRows()).toMatchObject([
      {
        id: session.id,
        user_id: operator.id,
        app_id: hmi.id,
        role: '5',
        door: 'api',
        address: '192.0.2.7',
        ended_at: null,
      },
    ]);
    expect(await house.lastAudit()).toMatchObject({
      at: house.clock.now(),
      action: 'sign-in',
      actor: 'operator',
      subject: 'operator',
      app: 'HMI',
      door: DOOR.door,
      address: DOOR.address,
      reason: 'password',
      detail: { session: session.id, expiresAt: new Date(session.expiresAt).toISOString() },
    });
  });

  test('takes the id of the app in any letter case', async () => {
    const { house, hmi } = await openControlRoom();
    const upper = { ...hmi, id: hmi.id.toUpperCase() };
    await house.signIn('operator', { app: upper });
    expect(house.features.sessions.ofApp(hmi.id)).toMatchObject({ app: { id: hmi.id } });
    await house.signIn('supervisor', { app: upper });
    expect(house.features.sessions.list()).toHaveLength(1);
  });

  test('ends the session of whoever was there, whose successor is named', async () => {
    const { house, hmi } = await openControlRoom();
    const first = await house.signIn('operator', { app: hmi });
    const second = await house.signIn('supervisor', { app: hmi });
    expect(house.story()).toEqual([
      'operator at HMI opened',
      'operator at HMI ended: replaced, then supervisor',
      'supervisor at HMI opened',
    ]);
    expect(house.features.sessions.ofApp(hmi.id)?.id).toBe(second.session.id);
    expect(house.features.sessions.byId(first.session.id)).toBeNull();
    const [formerRow] = await house.sessionRows();
    expect(formerRow).toMatchObject({ end_reason: 'replaced', ended_at: house.clock.now() });
    const ends = (await house.audit()).filter(({ action }) => action === 'session-ended');
    expect(ends).toMatchObject([
      {
        subject: 'operator',
        app: 'HMI',
        reason: 'replaced',
        address: DOOR.address,
        detail: { session: first.session.id },
      },
    ]);
  });

  test('again by the same user opens another session', async () => {
    const { house, hmi } = await openControlRoom();
    const first = await house.signIn('operator', { app: hmi });
    const second = await house.signIn('operator', { app: hmi });
    expect(second.session.id).not.toBe(first.session.id);
    expect(house.features.sessions.list()).toEqual([second.session]);
  });

  test('leaves the other apps and the sessions at Keyswitch alone', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    const elsewhere = await house.signIn('operator', { app: boiler });
    const page = await house.signIn('operator');
    await house.signIn('operator', { app: hmi });
    expect(house.features.sessions.byId(elsewhere.session.id)).toEqual(elsewhere.session);
    expect(house.features.sessions.byId(page.session.id)).toEqual(page.session);
  });

  test('at the station is open to everybody, who is there what their type is', async () => {
    const { house } = await openControlRoom();
    const { app } = await house.features.apps.add(
      { name: 'desk', logoutTimeInMin: 10, station: true },
      ADMINISTRATOR,
    );
    expect(await house.signIn('operator', { app })).toMatchObject({ session: { role: 'Active' } });
  });
});

describe('signing in to Keyswitch itself', () => {
  test('for a cookie opens a session of a browser', async () => {
    const { house } = await openControlRoom();
    const { session, cookie = '', ...nothing } = await house.signIn('operator');
    expect(session).toMatchObject({ kind: 'browser', app: null, role: 'Active' });
    expect(Buffer.from(cookie, 'base64url')).toHaveLength(32);
    expect(nothing).toEqual({});
    expect(house.features.sessions.byCookie(cookie)).toEqual(session);
    expect(house.features.sessions.byCookie(`${cookie}A`)).toBeNull();
    expect(filesWith(house.folder, cookie)).toEqual([]);
  });

  test('for a pair of tokens opens a session of a program', async () => {
    const { house } = await openControlRoom();
    const {
      session,
      accessToken = '',
      refreshToken,
      accessTokenExpiresAt,
      ...nothing
    } = await house.signIn('operator', { presentation: 'bearer' });
    expect(session).toMatchObject({ kind: 'bearer', app: null, role: 'Active' });
    expect(accessTokenExpiresAt).toBe(house.clock.now() + 300_000);
    expect(refreshToken).toEqual(expect.any(String));
    expect(nothing).toEqual({});
    expect(await house.features.sessions.byAccessToken(accessToken)).toEqual(session);
  });

  test('may be done as often as one likes: every browser has its own session', async () => {
    const { house } = await openControlRoom();
    const signedIn = await Promise.all([house.signIn('operator'), house.signIn('operator')]);
    expect(new Set(house.features.sessions.list())).toEqual(new Set(signedIn.map(({ session }) => session)));
  });
});

describe('what is presented', () => {
  test('is one token as long as the session, where that was asked for', async () => {
    const { house, hmi } = await openControlRoom();
    const {
      session,
      accessToken = '',
      accessTokenExpiresAt,
      ...nothing
    } = await house.signIn('operator', {
      app: hmi,
      presentation: 'token',
    });
    expect(accessTokenExpiresAt).toBe(session.expiresAt);
    expect(nothing).toEqual({});
    const { sessions } = house.features;
    expect(await sessions.byAccessToken(accessToken)).toEqual(session);
    expect(await sessions.tokenOf(session)).toBe(accessToken);
  });

  test('is no secret at all, where none was asked for', async () => {
    const { house, hmi } = await openControlRoom();
    const signedIn = await house.signIn('operator', { app: hmi, presentation: 'none' });
    expect(Object.keys(signedIn)).toEqual(['session']);
  });

  test('is worth nothing as soon as the session has ended, seen before or not', async () => {
    const { house, hmi } = await openControlRoom();
    const { sessions } = house.features;
    const [seen, unseen] = [
      await house.signIn('operator', { app: hmi, presentation: 'bearer' }),
      await house.signIn('operator', { presentation: 'bearer' }),
    ];
    const browser = await house.signIn('operator');
    await sessions.byAccessToken(seen.accessToken ?? '');
    for (const { session } of [seen, unseen, browser]) await sessions.end(session.id, 'signed-out', DOOR);
    expect(() => sessions.byAccessToken(seen.accessToken ?? '')).toThrow(
      expect.objectContaining({ code: 'not-signed-in' }),
    );
    await expect(sessions.byAccessToken(unseen.accessToken ?? '')).rejects.toMatchObject({
      code: 'not-signed-in',
    });
    expect(sessions.byCookie(browser.cookie ?? '')).toBeNull();
  });
});

interface Refusal {
  readonly title: string;
  readonly username: string;
  readonly password?: string;
  /** Where: an app unless it is said that it is Keyswitch itself. */
  readonly at?: 'Keyswitch';
  readonly reason: string;
  /** The user that the audit row names; null where nobody was meant. */
  readonly subject: string | null;
}

const REFUSALS: readonly Refusal[] = [
  { title: 'an unknown user', username: 'tippedmypassword', reason: 'unknown-user', subject: null },
  { title: 'a name in other letters', username: 'Operator', reason: 'unknown-user', subject: null },
  {
    title: 'a wrong password',
    username: 'operator',
    password: 'not the right one',
    reason: 'wrong-password',
    subject: 'operator',
  },
  { title: 'no password', username: 'operator', password: '', reason: 'wrong-password', subject: 'operator' },
  { title: 'a disabled user', username: 'former', reason: 'user-disabled', subject: 'former' },
  {
    title: 'a disabled user at Keyswitch',
    username: 'former',
    at: 'Keyswitch',
    reason: 'user-disabled',
    subject: 'former',
  },
  {
    title: 'a wrong password of a disabled user',
    username: 'former',
    password: 'not the right one',
    reason: 'wrong-password',
    subject: 'former',
  },
  { title: 'a passive user', username: 'visitor', reason: 'user-passive', subject: 'visitor' },
  {
    title: 'a passive user at Keyswitch',
    username: 'visitor',
    at: 'Keyswitch',
    reason: 'user-passive',
    subject: 'visitor',
  },
  {
    title: 'a user who may not use the app',
    username: 'stranger',
    reason: 'not-allowed-at-app',
    subject: 'stranger',
  },
  {
    title: 'an administrator who may not use the app',
    username: 'Ada',
    reason: 'not-allowed-at-app',
    subject: 'Ada',
  },
  {
    title: 'a one-time secret of a user who may not use the app',
    username: 'newcomer',
    reason: 'not-allowed-at-app',
    subject: 'newcomer',
  },
];

describe('a refusal', () => {
  /** Everybody who may be refused. */
  async function openDoor(): Promise<ControlRoom> {
    const room = await openControlRoom();
    const { house, hmi } = room;
    await house.addUser('Ada', { type: 'Admin' });
    await house.addUser('stranger');
    await house.addUser('newcomer', { mustChange: true });
    for (const name of ['former', 'visitor']) {
      const user = await house.addUser(name, { type: name === 'visitor' ? 'Passive' : 'Active' });
      await house.features.apps.grant(hmi, user, '3', ADMINISTRATOR);
    }
    await house.features.users.change('former', { enabled: false }, ADMINISTRATOR);
    return room;
  }

  /** All that can be seen of an error from outside. */
  const seenOf = (error: unknown): unknown => {
    if (!isKeyswitchError(error)) throw error;
    const { code, message, faults, retryAfterSec, ticket, cause } = error;
    return { code, message, faults, retryAfterSec, ticket, cause, keys: Object.keys(error).toSorted() };
  };

  const attempt = (
    { house, hmi }: ControlRoom,
    { username, password = PASSWORD, at }: Refusal,
    address = DOOR.address,
  ): Promise<SignedIn> =>
    house.signIn(username, { password, app: at === 'Keyswitch' ? null : hmi, door: { ...DOOR, address } });

  test('looks like any other from outside', async () => {
    const room = await openDoor();
    const seen = [];
    // Each from an address of its own: what has been tried from there before is what may be told.
    for (const [index, refusal] of REFUSALS.entries())
      seen.push(seenOf(await attempt(room, refusal, `192.0.2.${index}`).catch((error: unknown) => error)));
    expect(seen[0]).toMatchObject({
      code: 'sign-in-refused',
      faults: [],
      ticket: undefined,
      cause: undefined,
    });
    for (const one of seen) expect(one).toEqual(seen[0]);
  });

  test.each(REFUSALS)('of $title tells the audit trail $reason, and opens nothing', async (refusal) => {
    const room = await openDoor();
    const { house } = room;
    house.story();
    await expect(attempt(room, refusal)).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({
      at: house.clock.now(),
      action: 'sign-in-refused',
      actor: DOOR.name,
      subject: refusal.subject,
      app: refusal.at === 'Keyswitch' ? null : 'HMI',
      door: DOOR.door,
      address: DOOR.address,
      reason: refusal.reason,
      detail: {},
    });
    expect(house.story()).toEqual([]);
    expect(await house.sessionRows()).toEqual([]);
    expect(house.features.sessions.list()).toEqual([]);
  });

  test('leaves whoever is signed in at the app where they are', async () => {
    const room = await openDoor();
    const { session } = await room.house.signIn('operator', { app: room.hmi });
    for (const refusal of REFUSALS) await attempt(room, refusal).catch(() => {});
    expect(room.house.features.sessions.list()).toEqual([session]);
  });

  test('keeps what was typed out of the data folder and the log: it may be a password', async () => {
    const room = await openDoor();
    const { house } = room;
    await attempt(room, { ...(REFUSALS[0] as Refusal), password: 'typedintothewrongfield' }).catch(() => {});
    for (const typed of ['tippedmypassword', 'typedintothewrongfield']) {
      expect(filesWith(house.folder, typed)).toEqual([]);
      expect(JSON.stringify(house.log.lines)).not.toContain(typed);
    }
  });

  test.each<[string, string, (room: ControlRoom) => Promise<unknown>]>([
    [
      'is disabled',
      'user-disabled',
      ({ house }) => house.features.users.change('operator', { enabled: false }, ADMINISTRATOR),
    ],
    [
      'is made passive',
      'user-passive',
      ({ house }) => house.features.users.change('operator', { type: 'Passive' }, ADMINISTRATOR),
    ],
    [
      'gets another password',
      'wrong-password',
      async ({ house, operator }) => {
        await house.clock.advance(SECOND_MS);
        const { passwords, store } = house.features;
        const hash = await passwords.prepare('another long password', operator);
        await store.write((writer) => passwords.set(writer, operator.id, hash, { mustChange: false }));
      },
    ],
  ])('comes in time for a user who %s while the password is being checked', async (_name, reason, change) => {
    const room = await openControlRoom();
    const { house, hmi } = room;
    const { apps, store } = house.features;
    const sessions = await openSessionsWith(house, {
      apps: {
        ...apps,
        // The last thing that is looked at before the transaction in which the session opens.
        async roleOf(db, app, user) {
          const role = await apps.roleOf(db, app, user);
          if (db === store.read) await change(room);
          return role;
        },
      },
    });
    const credential = { kind: 'password', username: 'operator', password: PASSWORD } as const;
    await expect(
      sessions.signIn({ credential, appId: hmi.id, presentation: 'none', door: DOOR }),
    ).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      subject: 'operator',
      app: 'HMI',
      reason,
      address: DOOR.address,
    });
    expect(await house.sessionRows()).toEqual([]);
    expect(sessions.list()).toEqual([]);
  });
});

describe('an unknown app', () => {
  const GHOST = {
    id: '00000000-0000-4000-8000-000000000000',
    name: '',
    logoutTimeInMin: 1,
    idleLimitInMin: null,
    station: false,
  };

  test.each([
    ['a user and the right password', 'operator', PASSWORD, 'operator'],
    ['a user and a wrong password', 'operator', 'not the right one', 'operator'],
    ['nobody', 'tippedmypassword', PASSWORD, null],
  ])('is not found, for %s alike', async (_name, username, password, subject) => {
    const { house } = await openControlRoom();
    const options: SignInOptions = { app: GHOST, password };
    await expect(house.signIn(username, options)).rejects.toMatchObject({ code: 'not-found' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      actor: DOOR.name,
      subject,
      app: null,
      reason: 'unknown-app',
      address: DOOR.address,
    });
    expect(filesWith(house.folder, 'tippedmypassword')).toEqual([]);
  });
});

describe('a PLC', () => {
  test('signs in a user without a password, audited as such', async () => {
    const { house, hmi, operator } = await openControlRoom();
    const { session, ...nothing } = await house.plcSignIn(operator, hmi);
    expect(session).toMatchObject({ kind: 'app', user: { name: 'operator' }, role: '5' });
    expect(nothing).toEqual({});
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in',
      actor: 'PLC link 1',
      subject: 'operator',
      app: 'HMI',
      door: 'plc',
      reason: 'plc',
    });
  });

  test('may sign in a passive user, but not one who is disabled or may not use the app', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    const visitor = await house.addUser('visitor', { type: 'Passive' });
    await house.features.apps.grant(hmi, visitor, '1', ADMINISTRATOR);
    await house.plcSignIn(visitor, hmi);
    expect(house.features.sessions.ofApp(hmi.id)?.user.name).toBe('visitor');
    await expect(house.plcSignIn(visitor, boiler)).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({ reason: 'not-allowed-at-app', subject: 'visitor' });
    await house.features.users.change('visitor', { enabled: false }, ADMINISTRATOR);
    await expect(house.plcSignIn(visitor, hmi)).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({ reason: 'user-disabled', subject: 'visitor' });
  });

  test('signs in an administrator only where that is allowed', async () => {
    const { house, hmi } = await openControlRoom();
    const admin = await house.addUser('Ada', { type: 'Admin' });
    await house.features.apps.grant(hmi, admin, '99', ADMINISTRATOR);
    await expect(house.plcSignIn(admin, hmi, false)).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({
      reason: 'admin-barred-from-plc',
      subject: 'Ada',
      door: 'plc',
    });
    expect(await house.plcSignIn(admin, hmi, true)).toMatchObject({ session: { user: { name: 'Ada' } } });
  });

  test('that names nobody is refused', async () => {
    const { house, hmi, operator } = await openControlRoom();
    await expect(house.plcSignIn({ ...operator, id: 'nobody' }, hmi)).rejects.toMatchObject({
      code: 'sign-in-refused',
    });
    expect(await house.lastAudit()).toMatchObject({ reason: 'unknown-user', subject: null });
  });
});

describe('many at once', () => {
  test('at one app leave exactly one live session, in memory and in the table, and tell it in order', async () => {
    const { house, hmi } = await openControlRoom();
    const names = Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 'operator' : 'supervisor'));
    const signedIn = await Promise.all(
      names.map((name, i) => house.signIn(name, { app: hmi, door: { ...DOOR, address: `192.0.2.${i}` } })),
    );
    const live = (await house.sessionRows()).filter(({ ended_at }) => ended_at === null);
    expect(live).toHaveLength(1);
    expect(house.features.sessions.list().map(({ id }) => id)).toEqual(live.map(({ id }) => id));
    expect(house.features.sessions.ofApp(hmi.id)?.id).toBe(live[0]?.id);

    // Opened, then ended with the next as successor, which is opened, and so on, each once.
    const told = house.events.filter(({ name }) => name === 'SessionOpened' || name === 'SessionEnded');
    const opened = told.filter(({ name }) => name === 'SessionOpened').map(idOf);
    expect(opened.toSorted()).toEqual(signedIn.map(({ session }) => session.id).toSorted());
    expect(told.map((event) => `${event.name} ${idOf(event)}`)).toEqual(
      opened.flatMap((id, i) => [...(i > 0 ? [`SessionEnded ${opened[i - 1]}`] : []), `SessionOpened ${id}`]),
    );
    const successors = told.flatMap((event) => (event.name === 'SessionEnded' ? [event.successor?.id] : []));
    expect(successors).toEqual(opened.slice(1));
  });

  const idOf = (event: object): string => (event as { session: { id: string } }).session.id;

  test('are told to come back where too many passwords wait to be checked, and nothing else is said of them', async () => {
    const { house, hmi } = await openControlRoom();
    const sessions = await openSessionsWith(house, {
      passwords: {
        ...house.features.passwords,
        async verify() {
          throw new KeyswitchError('busy', undefined, { retryAfterSec: 2 });
        },
      },
    });
    const audited = (await house.audit()).length;
    const credential = { kind: 'password', username: 'operator', password: PASSWORD } as const;
    await expect(
      sessions.signIn({ credential, appId: hmi.id, presentation: 'none', door: DOOR }),
    ).rejects.toMatchObject({ code: 'busy', retryAfterSec: 2 });
    expect(await house.audit()).toHaveLength(audited);
    expect(sessions.list()).toEqual([]);
  });
});

describe('signing out', () => {
  test('ends a session once, whoever else ends it at the same time', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    const { sessions } = house.features;
    const outcomes = await Promise.all([
      sessions.end(session.id, 'signed-out', { ...DOOR, name: 'operator' }),
      sessions.end(session.id, 'ended-by-administrator', ADMINISTRATOR),
      sessions.endAtApp(hmi.id.toUpperCase(), 'plc', DOOR),
    ]);
    expect(outcomes).toEqual([true, false, false]);
    expect(await sessions.end(session.id, 'signed-out', DOOR)).toBe(false);
    expect(house.story()).toEqual(['operator at HMI opened', 'operator at HMI ended: signed-out']);
    expect((await house.audit()).filter(({ action }) => action === 'session-ended')).toMatchObject([
      { actor: 'operator', subject: 'operator', app: 'HMI', reason: 'signed-out', address: DOOR.address },
    ]);
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'signed-out' }]);
  });

  test('an app ends whichever session it has when its turn comes', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    const elsewhere = await house.signIn('operator', { app: boiler });
    const signingIn = house.signIn('supervisor', { app: hmi });
    await signingIn;
    expect(await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR)).toBe(true);
    expect(await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR)).toBe(false);
    expect(house.features.sessions.list()).toEqual([elsewhere.session]);
  });

  test('of a session that nobody has ends nothing and says so', async () => {
    const { house } = await openControlRoom();
    expect(await house.features.sessions.end('no session', 'signed-out', DOOR)).toBe(false);
    expect(await house.features.sessions.endAtApp('no app', 'signed-out', DOOR)).toBe(false);
  });
});

describe('changing a user who is signed in', () => {
  test('ends all of their sessions when they are disabled, and those of nobody else', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    await house.signIn('operator', { app: hmi });
    const page = await house.signIn('operator');
    const program = await house.signIn('operator', { presentation: 'bearer' });
    const other = await house.signIn('supervisor', { app: boiler });
    house.story();
    await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
    await house.settle();
    expect(house.story()).toEqual([
      'operator at HMI ended: user-disabled',
      'operator at Keyswitch ended: user-disabled',
      'operator at Keyswitch ended: user-disabled',
    ]);
    const { sessions } = house.features;
    expect(sessions.list()).toEqual([other.session]);
    expect(sessions.byCookie(page.cookie ?? '')).toBeNull();
    await expect(sessions.refresh(program.refreshToken ?? '', DOOR)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
  });

  test('takes the rights of an administrator away at once, and keeps the session', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    await house.addUser('Adam', { type: 'Admin' });
    const { session, cookie = '' } = await house.signIn('Adam');
    const change = { type: 'Active', displayName: 'Adam the operator' } as const;
    await house.features.users.change('Adam', change, ADMINISTRATOR);
    const expected = { id: session.id, role: 'Active', user: { name: 'Adam', ...change } };
    expect(house.features.sessions.byCookie(cookie)).toMatchObject(expected);
    await house.restart();
    expect(house.features.sessions.byCookie(cookie)).toMatchObject(expected);
  });

  test('ends their sessions at Keyswitch when they become passive', async () => {
    const { house, hmi, operator } = await openControlRoom();
    await house.signIn('operator');
    await house.plcSignIn(operator, hmi);
    await house.features.users.change('operator', { type: 'Passive' }, ADMINISTRATOR);
    await house.settle();
    expect(house.features.sessions.list()).toMatchObject([
      { app: { name: 'HMI' }, user: { type: 'Passive' } },
    ]);
  });
});
