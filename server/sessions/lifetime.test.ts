import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DAY_MS,
  DOOR,
  HOUR_MS,
  MINUTE_MS,
  openControlRoom,
  openHouse,
  type House,
} from '../../test/house.ts';

/** The session that a cookie names now, if any. */
const byCookie = (house: House, cookie = '') => house.features.sessions.byCookie(cookie);

describe('the limit of a session', () => {
  test.each([
    ['the app alone limits', null, 10, 10],
    ['the user is limited more', 5, 10, 5],
    ['the app is limited more', 60, 10, 10],
    ['both are the same', 10, 10, 10],
    ['it is a week', null, 10_080, 10_080],
  ])(
    'at an app, where %s (user %s, app %d minutes), is %d minutes',
    async (_name, ofUser, ofApp, expected) => {
      const house = await openHouse();
      await house.addUser('operator', { logoutTimeInMin: ofUser });
      const app = await house.addApp('HMI', { operator: '5' }, ofApp);
      const { session } = await house.signIn('operator', { app });
      expect(session.expiresAt - session.openedAt).toBe(expected * MINUTE_MS);
      await house.advance(expected * MINUTE_MS - 1);
      expect(house.features.sessions.ofApp(app.id)).toEqual(session);
      await house.advance(1);
      expect(house.features.sessions.ofApp(app.id)).toBeNull();
    },
  );

  test.each([
    ['a browser', 'cookie', 12 * HOUR_MS],
    ['a program', 'bearer', 7 * DAY_MS],
  ] as const)(
    'of %s at Keyswitch does not depend on the limit of the user',
    async (_name, presentation, expected) => {
      const house = await openHouse();
      await house.addUser('operator', { logoutTimeInMin: 5 });
      const { session } = await house.signIn('operator', { presentation });
      expect(session.expiresAt - session.openedAt).toBe(expected);
    },
  );

  test('ends it by itself, audited and announced with its reason', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    house.story();
    await house.advance(10 * MINUTE_MS);
    expect(house.story()).toEqual(['operator at HMI ended: time-limit']);
    expect(await house.lastAudit()).toMatchObject({
      at: session.expiresAt,
      action: 'session-ended',
      actor: 'host',
      subject: 'operator',
      app: 'HMI',
      door: 'host',
      address: null,
      reason: 'time-limit',
      detail: { session: session.id },
    });
    expect(await house.sessionRows()).toMatchObject([
      { ended_at: session.expiresAt, end_reason: 'time-limit' },
    ]);
  });

  test('need not pass: what the operating system tells ends it, and stands in the audit trail', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    await house.features.sessions.endAtApp(hmi.id, 'screen-locked', DOOR, { event: 'lock-screen' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'session-ended',
      reason: 'screen-locked',
      detail: { session: session.id, event: 'lock-screen' },
    });
  });

  test('is not lengthened by activity', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    for (let minute = 0; minute < 10; minute += 1) {
      house.features.sessions.touch(session.id);
      await house.advance(MINUTE_MS);
    }
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
  });

  test('of a session that has ended ends nobody who came after it', async () => {
    const { house, hmi } = await openControlRoom();
    await house.signIn('operator', { app: hmi });
    await house.advance(6 * MINUTE_MS);
    const { session } = await house.signIn('supervisor', { app: hmi });
    await house.advance(6 * MINUTE_MS);
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(session);
  });

  test('that cannot be put on disk is tried again until it can', async () => {
    const { house, hmi } = await openControlRoom();
    await house.signIn('operator', { app: hmi });
    const mend = await spoilSessions(house, 'update');
    house.story();
    await house.advance(10 * MINUTE_MS);
    await house.advance(10 * MINUTE_MS);
    expect(house.story()).toEqual([]);
    expect(house.log.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(1);
    await mend();
    await house.advance(MINUTE_MS);
    expect(house.story()).toEqual(['operator at HMI ended: time-limit']);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
  });
});

describe('a store that fails for a while', () => {
  test('does not keep a disabled user signed in, whatever the user does meanwhile', async () => {
    const { house } = await openControlRoom();
    const pair = await house.signIn('operator', { presentation: 'bearer' });
    const mend = await spoilSessions(house, 'update');
    await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
    await house.settle();
    await mend();
    await house.features.sessions.refresh(pair.refreshToken ?? '', DOOR).catch(() => {});
    await house.advance(MINUTE_MS);
    expect(house.features.sessions.list()).toEqual([]);
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'user-disabled' }]);
  });

  test('leaves the former user of an app where they are when the next one cannot be signed in', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    house.story();
    const mend = await spoilSessions(house, 'insert');
    const audited = (await house.audit()).length;
    await expect(house.signIn('supervisor', { app: hmi })).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT_TRIGGER',
    });
    expect(house.story()).toEqual([]);
    expect(house.features.sessions.list()).toEqual([session]);
    expect(await house.sessionRows()).toMatchObject([{ id: session.id, ended_at: null }]);
    expect(await house.audit()).toHaveLength(audited);
    await mend();
    await house.signIn('supervisor', { app: hmi });
  });
});

/** Makes the sessions' table refuse a kind of change, as a full disk would; the answer mends it. */
async function spoilSessions(house: House, kind: 'insert' | 'update'): Promise<() => Promise<void>> {
  const run = async (statement: string): Promise<void> => {
    await house.features.store.write((writer) => sql.raw(statement).execute(writer));
  };
  await run(`create trigger spoilt before ${kind} on sessions begin select raise(abort, 'no room'); end`);
  return () => run('drop trigger spoilt');
}

describe('the idle limit', () => {
  test('ends the session of a browser by itself, fifteen minutes after it was last active', async () => {
    const { house } = await openControlRoom();
    const { session, cookie } = await house.signIn('operator');
    house.story();
    await house.advance(15 * MINUTE_MS - 1);
    expect(byCookie(house, cookie)).toEqual(session);
    await house.advance(1);
    expect(byCookie(house, cookie)).toBeNull();
    expect(house.story()).toEqual(['operator at Keyswitch ended: idle']);
    expect(await house.lastAudit()).toMatchObject({
      actor: 'host',
      subject: 'operator',
      reason: 'idle',
      app: null,
    });
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'idle' }]);
  });

  test('starts anew with each activity, up to the absolute limit', async () => {
    const { house } = await openControlRoom();
    const { session } = await house.signIn('operator');
    const { sessions } = house.features;
    for (let passed = 0; passed < 12 * 60; passed += 10) {
      expect(sessions.byId(session.id)).toEqual(session);
      sessions.touch(session.id);
      expect(sessions.idleExpiresAt(session.id)).toBe(
        Math.min(house.clock.now() + 15 * MINUTE_MS, session.expiresAt),
      );
      await house.advance(10 * MINUTE_MS);
    }
    expect(sessions.byId(session.id)).toBeNull();
    expect(house.story().at(-1)).toBe('operator at Keyswitch ended: time-limit');
  });

  test('counts from the last activity alone, to the millisecond', async () => {
    const { house } = await openControlRoom();
    const { session } = await house.signIn('operator');
    const { sessions } = house.features;
    for (const minutes of [1, 2, 7]) {
      await house.advance(minutes * MINUTE_MS);
      sessions.touch(session.id);
    }
    await house.advance(15 * MINUTE_MS - 1);
    expect(sessions.byId(session.id)).not.toBeNull();
    await house.advance(1);
    expect(sessions.byId(session.id)).toBeNull();
  });

  test('of an app, where it has one, ends its session unless somebody is active', async () => {
    const { house } = await openControlRoom();
    const desk = await house.addApp('desk', { operator: '5' }, 60, 2);
    const { session } = await house.signIn('operator', { app: desk, presentation: 'token' });
    const { sessions } = house.features;
    expect(sessions.idleExpiresAt(session.id)).toBe(house.clock.now() + 2 * MINUTE_MS);
    await house.advance(2 * MINUTE_MS - 1);
    sessions.touch(session.id);
    await house.advance(2 * MINUTE_MS - 1);
    expect(sessions.ofApp(desk.id)).toEqual(session);
    await house.advance(1);
    expect(house.story().at(-1)).toBe('operator at desk ended: idle');
  });

  test('that is set for an app counts from the next sign-in on', async () => {
    const { house, boiler } = await openControlRoom();
    const { sessions, apps } = house.features;
    const before = await house.signIn('operator', { app: boiler });
    await apps.change(boiler.id, { idleLimitInMin: 1 }, ADMINISTRATOR);
    await house.advance(2 * MINUTE_MS);
    expect(sessions.ofApp(boiler.id)).toEqual(before.session);
    await house.signIn('supervisor', { app: boiler });
    await house.advance(MINUTE_MS);
    expect(house.story().at(-1)).toBe('supervisor at Boiler ended: idle');
  });

  test('tells whoever listens that it has started anew, and of nobody without one', async () => {
    const { house, hmi } = await openControlRoom();
    const page = await house.signIn('operator');
    const app = await house.signIn('operator', { app: hmi });
    const active: string[] = [];
    house.features.sessions.onActive(({ id }) => active.push(id));
    for (const { session } of [page, app, page]) house.features.sessions.touch(session.id);
    expect(active).toEqual([page.session.id, page.session.id]);
  });

  test('is not for programs, nor for apps that have none', async () => {
    const { house, boiler } = await openControlRoom();
    const app = await house.signIn('operator', { app: boiler });
    const program = await house.signIn('operator', { presentation: 'bearer' });
    const { sessions } = house.features;
    for (const { session } of [app, program]) expect(sessions.idleExpiresAt(session.id)).toBeNull();
    await house.advance(30 * MINUTE_MS);
    expect(sessions.list()).toEqual([app.session, program.session]);
  });

  test('goes to disk when a third of it has passed since it last did', async () => {
    const { house } = await openControlRoom();
    const { session } = await house.signIn('operator');
    const openedAt = house.clock.now();
    const saved = async (): Promise<number> => {
      house.features.sessions.touch(session.id);
      await house.settle();
      return ((await house.sessionRows())[0]?.active_at ?? 0) - openedAt;
    };
    await house.advance(5 * MINUTE_MS - 1);
    expect(await saved()).toBe(0);
    await house.advance(1);
    expect(await saved()).toBe(5 * MINUTE_MS);
    await house.advance(4 * MINUTE_MS);
    expect(await saved()).toBe(5 * MINUTE_MS);
    await house.advance(MINUTE_MS);
    expect(await saved()).toBe(10 * MINUTE_MS);
  });

  test('has nothing to say of a session that is not there', async () => {
    const { house } = await openControlRoom();
    const { sessions } = house.features;
    sessions.touch('no session');
    expect(sessions.idleExpiresAt('no session')).toBeNull();
  });
});

describe('a PC that was suspended', () => {
  test('ends at once what fell due meanwhile, although its timers stood still', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    const page = await house.signIn('operator');
    await house.signIn('operator', { app: hmi });
    const other = await house.signIn('supervisor', { app: boiler });
    house.story();
    house.clock.setWallClock(house.clock.now() + 20 * MINUTE_MS);
    house.features.sessions.slept(20 * MINUTE_MS);
    await house.advance(0);
    expect(house.story().sort()).toEqual([
      'operator at HMI ended: time-limit',
      'operator at Keyswitch ended: idle',
    ]);
    expect(byCookie(house, page.cookie)).toBeNull();
    await house.advance(40 * MINUTE_MS - 1);
    expect(house.features.sessions.ofApp(boiler.id)).toEqual(other.session);
    await house.advance(1);
    expect(house.features.sessions.ofApp(boiler.id)).toBeNull();
  });

  test('ends nothing before its time', async () => {
    const { house } = await openControlRoom();
    const { session } = await house.signIn('operator');
    const { sessions } = house.features;
    sessions.slept(10 * MINUTE_MS);
    expect(sessions.idleOf(session.id)).toEqual({ limitMs: 15 * MINUTE_MS, leftMs: 5 * MINUTE_MS });
    sessions.touch(session.id);
    await house.advance(15 * MINUTE_MS - 1);
    expect(sessions.byId(session.id)).toEqual(session);
    await house.advance(1);
    expect(sessions.byId(session.id)).toBeNull();
  });
});

describe('the wall clock set, forward or back', () => {
  test.each([DAY_MS, -DAY_MS])('by %d ms moves the end for want of activity with it', async (by) => {
    const { house } = await openControlRoom();
    const desk = await house.addApp('desk', { operator: '5' }, 10_080, 5);
    const { session } = await house.signIn('operator', { app: desk });
    const { sessions } = house.features;
    await house.advance(3 * MINUTE_MS);
    house.clock.setWallClock(house.clock.now() + by);
    expect(sessions.idleOf(session.id)?.leftMs).toBe(2 * MINUTE_MS);
    expect(sessions.leftOf(session.id)).toBe(10_077 * MINUTE_MS);
    expect(sessions.idleExpiresAt(session.id)).toBe(house.clock.now() + 2 * MINUTE_MS);
    await house.advance(2 * MINUTE_MS - 1);
    expect(sessions.ofApp(desk.id)).toEqual(session);
    await house.advance(1);
    expect(sessions.ofApp(desk.id)).toBeNull();
    expect(sessions.leftOf(session.id)).toBeNull();
  });
});

describe('the wall clock set back', () => {
  test('lengthens neither the limit nor the idle limit', async () => {
    const { house, hmi } = await openControlRoom();
    const page = await house.signIn('operator');
    await house.signIn('operator', { app: hmi });
    await house.advance(5 * MINUTE_MS);
    house.clock.setWallClock(house.clock.now() - DAY_MS);
    await house.advance(5 * MINUTE_MS);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
    expect(byCookie(house, page.cookie)).not.toBeNull();
    await house.advance(5 * MINUTE_MS);
    expect(byCookie(house, page.cookie)).toBeNull();
  });

  test('does not let a refresh lengthen a session at an app', async () => {
    const { house, hmi } = await openControlRoom();
    const pair = await house.signIn('operator', { app: hmi, presentation: 'bearer' });
    await house.advance(5 * MINUTE_MS);
    house.clock.setWallClock(house.clock.now() - HOUR_MS);
    await house.features.sessions.refresh(pair.refreshToken ?? '', DOOR);
    await house.advance(5 * MINUTE_MS - 1);
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(pair.session);
    await house.advance(1);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
  });

  test('ends no session before its time, refreshed or not', async () => {
    const { house } = await openControlRoom();
    const pair = await house.signIn('operator', { presentation: 'bearer' });
    const page = await house.signIn('operator');
    house.clock.setWallClock(house.clock.now() - 10 * DAY_MS);
    await house.features.sessions.refresh(pair.refreshToken ?? '', DOOR);
    await house.advance(14 * MINUTE_MS);
    expect(byCookie(house, page.cookie)).toEqual(page.session);
    await house.advance(7 * DAY_MS - 15 * MINUTE_MS);
    expect(house.features.sessions.byId(pair.session.id)).not.toBeNull();
    await house.restart();
    expect(house.features.sessions.byId(pair.session.id)).not.toBeNull();
    await house.advance(MINUTE_MS);
    expect(house.features.sessions.byId(pair.session.id)).toBeNull();
  });

  test('while the host is off gives no session more than its whole limit', async () => {
    const { house, hmi } = await openControlRoom();
    const page = await house.signIn('operator');
    await house.signIn('operator', { app: hmi });
    await house.restart({}, () => house.clock.setWallClock(house.clock.now() - DAY_MS));
    await house.advance(10 * MINUTE_MS);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
    await house.advance(5 * MINUTE_MS);
    expect(byCookie(house, page.cookie)).toBeNull();
  });
});

describe('a restart', () => {
  test('keeps the sessions and all that was presented for them', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    const page = await house.signIn('operator');
    const program = await house.signIn('operator', { presentation: 'bearer' });
    const app = await house.signIn('operator', { app: hmi, presentation: 'token' });
    const plc = await house.signIn('supervisor', { app: boiler, presentation: 'none' });
    house.story();
    await house.restart();
    const { sessions } = house.features;
    const all = [page, program, app, plc].map(({ session }) => session);
    expect(new Set(sessions.list())).toEqual(new Set(all));
    expect(byCookie(house, page.cookie)).toEqual(page.session);
    expect(await sessions.byAccessToken(program.accessToken ?? '')).toEqual(program.session);
    expect(await sessions.byAccessToken(app.accessToken ?? '')).toEqual(app.session);
    expect(sessions.ofApp(hmi.id)).toEqual(app.session);
    expect(sessions.ofApp(boiler.id)).toEqual(plc.session);
    expect(house.story()).toEqual([]);
  });

  test('counts the time that the host was off', async () => {
    const { house, hmi } = await openControlRoom();
    const { session } = await house.signIn('operator', { app: hmi });
    await house.advance(4 * MINUTE_MS);
    await house.restart({}, () => house.clock.advance(4 * MINUTE_MS));
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(session);
    await house.advance(2 * MINUTE_MS - 1);
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(session);
    await house.advance(1);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
    expect(await house.lastAudit()).toMatchObject({ reason: 'time-limit', at: session.expiresAt });
  });

  test('ends what fell due while the host was off before anybody is let in', async () => {
    const { house, hmi } = await openControlRoom();
    await house.signIn('operator', { app: hmi, presentation: 'token' });
    const { cookie } = await house.signIn('operator');
    await house.restart({}, () => house.clock.advance(13 * HOUR_MS));
    const { sessions } = house.features;
    expect(sessions.list()).toEqual([]);
    expect(sessions.ofApp(hmi.id)).toBeNull();
    expect(byCookie(house, cookie)).toBeNull();
    expect(await house.sessionRows()).toMatchObject([
      { kind: 'app', ended_at: house.clock.now(), end_reason: 'time-limit' },
      { kind: 'browser', ended_at: house.clock.now(), end_reason: 'idle' },
    ]);
    const ends = (await house.audit()).filter(({ action }) => action === 'session-ended');
    expect(ends).toMatchObject([
      { actor: 'host', app: 'HMI', reason: 'time-limit' },
      { actor: 'host', app: null, reason: 'idle' },
    ]);
  });

  test('goes on counting the idle time from the last activity on disk', async () => {
    const { house } = await openControlRoom();
    const { session, cookie } = await house.signIn('operator');
    await house.advance(5 * MINUTE_MS);
    house.features.sessions.touch(session.id);
    await house.advance(4 * MINUTE_MS);
    await house.restart({}, () => house.clock.advance(4 * MINUTE_MS));
    expect(house.features.sessions.idleExpiresAt(session.id)).toBe(house.clock.now() + 7 * MINUTE_MS);
    await house.advance(7 * MINUTE_MS - 1);
    expect(byCookie(house, cookie)).toEqual(session);
    await house.advance(1);
    expect(byCookie(house, cookie)).toBeNull();
    expect(await house.lastAudit()).toMatchObject({ reason: 'idle' });
  });

  test('ends the sessions of a user who is not enabled any more', async () => {
    const { house, hmi, boiler } = await openControlRoom();
    await house.signIn('operator', { app: hmi });
    const other = await house.signIn('supervisor', { app: boiler });
    // As after a power cut between the disabling and the end of the sessions.
    await house.features.store.write((writer) =>
      writer.updateTable('users').set({ enabled: 0 }).where('name', '=', 'operator').execute(),
    );
    await house.restart();
    expect(house.features.sessions.list()).toEqual([other.session]);
    expect(await house.lastAudit()).toMatchObject({ subject: 'operator', reason: 'user-disabled' });
  });

  test('does not bring back what had ended', async () => {
    const { house, hmi } = await openControlRoom();
    const { session, cookie } = await house.signIn('operator');
    await house.signIn('operator', { app: hmi });
    await house.features.sessions.end(session.id, 'signed-out', DOOR);
    await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR);
    await house.restart();
    expect(house.features.sessions.list()).toEqual([]);
    expect(byCookie(house, cookie)).toBeNull();
  });

  test('with another SECRET_PWD_KEY keeps the sessions, but none of their tokens', async () => {
    const { house, hmi } = await openControlRoom();
    const app = await house.signIn('operator', { app: hmi, presentation: 'token' });
    const program = await house.signIn('operator', { presentation: 'bearer' });
    const page = await house.signIn('operator');
    await house.restart({ secrets: { secretPwdKey: Buffer.from('another key that signs the tokens') } });
    const { sessions } = house.features;
    for (const { accessToken = '' } of [app, program]) {
      await expect(sessions.byAccessToken(accessToken)).rejects.toMatchObject({ code: 'not-signed-in' });
    }
    await expect(sessions.refresh(program.refreshToken ?? '', DOOR)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
    expect(byCookie(house, page.cookie)).toEqual(page.session);
    expect(sessions.ofApp(hmi.id)).toEqual(app.session);
  });
});

test('after closing no timer is left that would end a session', async () => {
  const { house, hmi } = await openControlRoom();
  await house.signIn('operator', { app: hmi });
  await house.signIn('operator');
  house.story();
  await house.restart({}, async () => {
    await house.clock.advance(5 * MINUTE_MS);
    expect(house.log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });
  expect(house.features.sessions.list()).toHaveLength(2);
});
