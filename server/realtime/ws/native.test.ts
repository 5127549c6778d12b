import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { newFolder, startTestHost, type TestHost } from '../../../test/host.ts';
import { GUID, INSTANT, JWT } from '../../../test/scenario.ts';
import { connect, type Socket, type SocketOptions } from '../../../test/socket.ts';

const OVERVIEW = { type: 'subscribe', topic: 'overview' };
const LOOK = 'send a message of the native protocol: look at its field';
const follow = (appId: string) => ({ type: 'subscribe', topic: 'app', appId });
const ACTIVITY = { type: 'activity' };

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi, key } = await house.addApp('HMI', { users: { olivia: '5', adam: '9' } });
const station = house.features.apps.station()!;
afterAll(() => house.close());
beforeEach(() => house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`));
afterEach(async () => expect((await house.ask('GET', '/healthz')).status).toBe(200));

const { run } = house.features.appStates;
const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';

async function open(cookie?: string, host: TestHost = house): Promise<Socket> {
  return openWith(cookie === undefined ? {} : { cookie }, host);
}

async function openWith(options: SocketOptions, host: TestHost = house): Promise<Socket> {
  const socket = await connect(host, options);
  onTestFinished(() => socket.raw.terminate());
  return socket;
}

const nobody = {
  authenticated: false,
  user: null,
  displayName: null,
  role: null,
  openedAt: null,
  expiresAt: null,
};
const somebody = (user: string, role: string) => ({
  authenticated: true,
  user,
  displayName: user,
  role,
  openedAt: INSTANT,
  expiresAt: INSTANT,
});
const overview = (state: object) => ({
  type: 'overview',
  serverTime: INSTANT,
  apps: expect.arrayContaining([
    { id: hmi.id, name: 'HMI', station: false, state },
    { id: station.id, name: station.name, station: true, state: nobody },
  ]) as unknown,
  links: [],
  emergencies: [],
});
const ownSession = (user: string, type: string) => ({
  type: 'session',
  serverTime: INSTANT,
  session: {
    id: GUID,
    kind: 'browser',
    user: { id: GUID, name: user, displayName: user, type },
    app: null,
    role: type,
    openedAt: INSTANT,
    expiresAt: INSTANT,
    idleExpiresAt: INSTANT,
  },
  reason: null,
});

describe('the overview', () => {
  test('is told to a page that is signed in, at once and after every change', async () => {
    const cookie = await house.signInForCookie('olivia');
    const socket = await open(cookie);
    socket.send(OVERVIEW);
    expect(await socket.next()).toEqual(ownSession('olivia', 'Active'));
    expect(await socket.next()).toEqual(overview(nobody));
    const { accessToken, refreshToken } = await house.signIn('adam', hmi.id);
    const changed = await socket.next();
    expect(changed).toEqual(overview(somebody('adam', '9')));
    for (const secret of [accessToken, refreshToken, key, cookie])
      expect(JSON.stringify(changed)).not.toContain(secret);
    await house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`);
    expect(await socket.next()).toEqual(overview(nobody));
  });

  test('is told once where several changes come at once, and never with nobody between two users', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(OVERVIEW);
    await socket.next();
    await socket.next();
    await house.signIn('olivia', hmi.id);
    await house.signIn('adam', hmi.id);
    const seen = [await socket.next(), await socket.next()];
    expect(seen).toEqual([overview(somebody('olivia', '5')), overview(somebody('adam', '9'))]);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('shows an app that was added', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(OVERVIEW);
    await socket.next();
    await socket.next();
    await house.addApp('Panel');
    const { apps } = await socket.next<{ apps: { name: string }[] }>();
    expect(apps.map(({ name }) => name)).toContain('Panel');
  });

  test('is told again to a page that asks again, and each change once', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(OVERVIEW);
    socket.send(OVERVIEW);
    for (const type of ['session', 'overview', 'session', 'overview']) {
      expect(await socket.next()).toMatchObject({ type });
    }
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toEqual(overview(somebody('adam', '9')));
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test.each([
    ['without a cookie', undefined],
    ['with a cookie that never was one', 'x'],
  ])('is not told %s', async (_, cookie) => {
    const socket = await open(cookie);
    socket.send(OVERVIEW);
    expect(await socket.closed).toEqual({ code: 4401, reason: 'sign in first' });
    expect(socket.waiting()).toEqual([]);
  });

  test('is told to a program that comes with a token, until its session ends', async () => {
    const { accessToken } = await house.signIn('adam');
    const socket = await openWith({ headers: { Authorization: `Bearer ${accessToken}` } });
    socket.send(OVERVIEW);
    socket.send({ type: 'ping' });
    const types = [await socket.next(), await socket.next(), await socket.next()].map(({ type }) => type);
    expect(types).toEqual(['session', 'overview', 'pong']);
    await house.ask('POST', '/api/v1/sign-out', { token: accessToken });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'signed-out' });
  });

  test.each([
    ['that is none', 'Bearer x'],
    ['of another scheme', 'Basic YWRhbTp4'],
    ['that is empty', 'Bearer '],
  ])('is not told to one who comes with a token %s, whatever the cookie', async (_, Authorization) => {
    const cookie = await house.signInForCookie('olivia');
    const socket = await openWith({ cookie, headers: { Authorization } });
    socket.send(follow(hmi.id));
    expect(await socket.next()).toMatchObject({ type: 'app' });
    socket.send(OVERVIEW);
    expect((await socket.closed).code).toBe(4401);
  });

  test('is not told after it was unsubscribed', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(OVERVIEW);
    socket.send({ type: 'unsubscribe', topic: 'overview' });
    expect([await socket.next(), await socket.next()]).toMatchObject([
      { type: 'session' },
      { type: 'overview' },
    ]);
    await socket.settled();
    await house.signIn('adam', hmi.id);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });
});

describe("a page's own session", () => {
  const ends: [title: string, reason: string, end: (cookie: string) => Promise<unknown>][] = [
    ['it signs out', 'signed-out', (cookie) => house.ask('POST', '/api/v1/sign-out', { cookie })],
    [
      'an administrator disables the user',
      'user-disabled',
      () => house.features.users.change('olivia', { enabled: false }, HOST_ACTOR),
    ],
  ];
  test.each(ends)('is told to have ended, and why, when %s', async (_, reason, end) => {
    await house.features.users.change('olivia', { enabled: true }, HOST_ACTOR);
    const cookie = await house.signInForCookie('olivia');
    const bystander = await open(await house.signInForCookie('adam'));
    bystander.send(OVERVIEW);
    await bystander.next();
    await bystander.next();
    const socket = await open(cookie);
    socket.send(OVERVIEW);
    await socket.next();
    await socket.next();
    await end(cookie);
    let last: unknown;
    do last = await socket.next();
    while ((last as { type: string }).type === 'overview');
    expect(last).toEqual({ type: 'session', serverTime: INSTANT, session: null, reason });
    expect(await socket.closed).toEqual({ code: 4401, reason });
    await bystander.settled();
    expect(JSON.stringify(bystander.waiting())).not.toContain('"type":"session"');
    await house.features.users.change('olivia', { enabled: true }, HOST_ACTOR);
  });

  test('is told to have ended to a page that was away when it did', async () => {
    const cookie = await house.signInForCookie('olivia');
    await house.ask('POST', '/api/v1/sign-out', { cookie });
    const socket = await open(cookie);
    socket.send(OVERVIEW);
    expect(await socket.next()).toEqual({
      type: 'session',
      serverTime: INSTANT,
      session: null,
      reason: 'signed-out',
    });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'signed-out' });
  });

  test('ends for want of activity, and not before', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({
      clock,
      config: { 'sessions.browserIdleMin': '2', 'realtime.heartbeatSec': '300' },
    });
    await timed.addUser('olivia');
    const socket = await open(await timed.signInForCookie('olivia'), timed);
    socket.send(OVERVIEW);
    const [own] = [await socket.next<{ session: { idleExpiresAt: string } }>(), await socket.next()];
    expect(own.session.idleExpiresAt).toBe(new Date(clock.now() + 120_000).toISOString());

    await clock.advance(119_000);
    socket.send(ACTIVITY);
    expect(await socket.next()).toMatchObject({
      session: { idleExpiresAt: new Date(clock.now() + 120_000).toISOString() },
    });
    // An overview is no activity: it comes by itself.
    await clock.advance(119_999);
    await timed.addApp('HMI');
    expect(await socket.next()).toMatchObject({ type: 'overview' });

    const last = socket.next();
    await clock.advance(1);
    expect(await last).toMatchObject({ type: 'session', session: null, reason: 'idle' });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'idle' });
  });

  test('is told anew to its page whenever its user was active elsewhere, at most once a second', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock, config: { 'realtime.heartbeatSec': '300' } });
    await timed.addUser('olivia');
    const { app: desk } = await timed.addApp('desk', { idleLimitInMin: 2, users: { olivia: '5' } });
    const socket = await open(await timed.signInForCookie('olivia', desk.id), timed);
    socket.send(OVERVIEW);
    const { session } = await socket.next<{ session: { id: string } }>();
    await socket.next();

    const { sessions } = timed.features;
    for (const [stepMs, isTold] of [
      [999, false],
      [1, true],
      [500, false],
      [100_000, true],
    ] as const) {
      await clock.advance(stepMs);
      sessions.touch(session.id);
      // One that was told without need would be found in the place of the next.
      const idleExpiresAt = new Date(clock.now() + 120_000).toISOString();
      if (isTold) expect(await socket.next()).toMatchObject({ type: 'session', session: { idleExpiresAt } });
    }
  });

  test('ends at its absolute limit, however active its user is', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({
      clock,
      config: {
        'sessions.browserIdleMin': '60',
        'sessions.browserMaxHours': '1',
        'realtime.heartbeatSec': '300',
      },
    });
    await timed.addUser('olivia');
    const cookie = await timed.signInForCookie('olivia');
    await clock.advance(59 * 60_000);
    const socket = await open(cookie, timed);
    socket.send(ACTIVITY);
    const { session } = await socket.next<{ session: { expiresAt: string; idleExpiresAt: string } }>();
    expect(session.idleExpiresAt).toBe(session.expiresAt);
    const ended = timed.published('SessionEnded');
    await clock.advance(60_000);
    await ended;
    socket.send(ACTIVITY);
    expect(await socket.next()).toMatchObject({ session: null, reason: 'time-limit' });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'time-limit' });
  });

  test('is not kept alive by one who is not signed in', async () => {
    const socket = await open();
    socket.send(ACTIVITY);
    expect(await socket.closed).toEqual({ code: 4401, reason: 'sign in first' });
  });
});

describe('the state of an app', () => {
  const message = (state: object, revision: unknown = expect.any(Number), token: unknown = null) => ({
    type: 'app',
    serverTime: INSTANT,
    appId: hmi.id,
    run,
    revision,
    state,
    token,
  });

  test.each([
    ['as it is', hmi.id],
    ['in capitals', hmi.id.toUpperCase()],
  ])('is told to anyone who knows the AppId, at once and after every change: %s', async (_, appId) => {
    const socket = await open();
    socket.send(follow(appId));
    const first = await socket.next<{ revision: number }>();
    const { revision } = first;
    expect(first).toEqual(message(nobody));
    const { accessToken } = await house.signIn('olivia', hmi.id);
    const changed = await socket.next();
    expect(changed).toEqual(message(somebody('olivia', '5'), revision + 1));
    expect(JSON.stringify(changed)).not.toContain(accessToken);
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toEqual(message(somebody('adam', '9'), revision + 2));
    await house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`);
    expect(await socket.next()).toEqual(message(nobody, revision + 3));
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is told beside the overview, on one connection', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(follow(hmi.id));
    socket.send(OVERVIEW);
    const types = [await socket.next(), await socket.next(), await socket.next()].map(({ type }) => type);
    expect(types).toEqual(['app', 'session', 'overview']);
  });

  test('is told of several apps on one connection, and no more of one that was unsubscribed', async () => {
    const { app: panel } = await house.addApp('Panel for several', { users: { adam: '9' } });
    const socket = await open();
    for (const { id } of [hmi, panel]) socket.send(follow(id));
    expect([await socket.next(), await socket.next()]).toMatchObject([
      { appId: hmi.id },
      { appId: panel.id },
    ]);
    await house.signIn('adam', panel.id);
    expect(await socket.next()).toMatchObject({ appId: panel.id, state: { user: 'adam' } });
    socket.send({ type: 'unsubscribe', topic: 'app', appId: panel.id.toUpperCase() });
    socket.send({ type: 'unsubscribe', topic: 'app', appId: UNKNOWN });
    await socket.settled();
    await house.ask('POST', `/api/v1/apps/${panel.id}/sign-out`);
    await house.signIn('olivia', hmi.id);
    expect(await socket.next()).toMatchObject({ appId: hmi.id, state: { user: 'olivia' } });
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is told with the token to who proves the key of the app, and it is good', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await open();
    socket.send({ ...follow(hmi.id), key });
    const told = await socket.next<{ token: string }>();
    expect(told).toEqual(message(somebody('olivia', '5'), expect.any(Number), JWT));
    expect((await house.ask('GET', '/api/v1/session', { token: told.token })).body).toMatchObject({
      session: { user: { name: 'olivia' } },
    });
    await house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`);
    expect(await socket.next()).toEqual(message(nobody));
  });

  test('is told with the token from then on to who proves the key later', async () => {
    await house.signIn('olivia', hmi.id);
    const socket = await open();
    socket.send(follow(hmi.id));
    expect(await socket.next()).toMatchObject({ token: null });
    socket.send({ ...follow(hmi.id), key });
    expect(await socket.next()).toMatchObject({ token: JWT });
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toMatchObject({ state: { user: 'adam' }, token: JWT });
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  describe('that a client knows already', () => {
    async function knownState() {
      const socket = await open();
      socket.send(follow(hmi.id));
      const { revision } = await socket.next<{ revision: number }>();
      socket.raw.terminate();
      return { run, revision };
    }

    test.each([
      ['', {}],
      [', with the key as well', { key }],
    ])('is not told again where nothing has changed%s', async (_, proof) => {
      await house.signIn('olivia', hmi.id);
      const since = await knownState();
      const socket = await open();
      socket.send({ ...follow(hmi.id), ...proof, since });
      expect(await socket.next()).toEqual({
        type: 'unchanged',
        serverTime: INSTANT,
        appId: hmi.id,
        ...since,
      });
      await house.signIn('adam', hmi.id);
      expect(await socket.next()).toMatchObject({ type: 'app', revision: since.revision + 1 });
    });

    test('is told where it has changed meanwhile', async () => {
      const since = await knownState();
      await house.signIn('olivia', hmi.id);
      const socket = await open();
      socket.send({ ...follow(hmi.id), since });
      expect(await socket.next()).toEqual(message(somebody('olivia', '5'), since.revision + 1));
    });

    test('is told where it was known of another run of the host, whatever the revision', async () => {
      const { revision } = await knownState();
      const socket = await open();
      socket.send({ ...follow(hmi.id), since: { run: 'another run', revision } });
      expect(await socket.next()).toEqual(message(nobody, revision));
    });

    test('is told after a restart, which is another run, with the user who is still there', async () => {
      const dataFolder = newFolder();
      onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
      const first = await startTestHost({ dataFolder });
      await first.addUser('olivia');
      const { app } = await first.addApp('HMI', { users: { olivia: '5' } });
      await first.signIn('olivia', app.id);
      const before = await open(undefined, first);
      before.send(follow(app.id));
      const { run: firstRun, revision } = await before.next<{ run: string; revision: number }>();
      await first.close();
      expect(await before.closed).toEqual({ code: 1001, reason: 'the host is stopping' });
      await using second = await startTestHost({ dataFolder });
      const after = await open(undefined, second);
      after.send({ ...follow(app.id), since: { run: firstRun, revision } });
      const told = await after.next<{ run: string }>();
      expect(told).toMatchObject({ type: 'app', appId: app.id, state: somebody('olivia', '5') });
      expect(told.run).not.toBe(firstRun);
    });
  });

  test.each([
    ['an AppId that no app has', { appId: UNKNOWN }, 4404, 'no app has this AppId'],
    ['an AppId that no app has, with a key', { appId: UNKNOWN, key }, 4404, 'no app has this AppId'],
    ['a wrong key', { key: 'x' }, 4401, "that is not this app's key"],
    ['what is no AppId', { appId: 'HMI' }, 4400, `${LOOK} appId`],
    ['a key that is none', { key: '' }, 4400, `${LOOK} key`],
    ['a state that never was', { since: { run, revision: -1 } }, 4400, `${LOOK} since.revision`],
    ['a topic that is none', { topic: 'x' }, 4400, `${LOOK} topic`],
  ])('is not told for %s', async (_, wrong, code, reason) => {
    await house.signIn('olivia', hmi.id);
    const socket = await open();
    socket.send({ ...follow(hmi.id), ...wrong });
    expect(await socket.closed).toEqual({ code, reason });
    expect(socket.waiting()).toEqual([]);
  });

  test.each([
    ['garbage', 'garbage', 4400],
    ['an AppId of the other protocol', hmi.id, 4400],
    ['a field nobody knows', { ...follow(hmi.id), secret: key }, 4400],
    ['a topic for those who are signed in', OVERVIEW, 4401],
  ])('ends with what comes after it, where that is %s', async (_, next, code) => {
    const socket = await open();
    socket.send(follow(hmi.id));
    await socket.next();
    socket.send(next);
    expect((await socket.closed).code).toBe(code);
  });

  test('goes on where only a page in the same browser was signed out', async () => {
    const cookie = await house.signInForCookie('olivia');
    const socket = await open(cookie);
    socket.send(follow(hmi.id));
    await socket.next();
    await house.ask('POST', '/api/v1/sign-out', { cookie });
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toMatchObject({ state: { user: 'adam' } });
  });
});

describe("the list of one's own sessions", () => {
  const LIST = { type: 'subscribe', topic: 'sessions' };

  test('is told at once and after every change, and holds nobody else', async () => {
    await house.addUser('lena');
    const cookie = await house.signInForCookie('lena');
    await house.signInForCookie('olivia');
    const socket = await open(cookie);
    socket.send(LIST);
    const first = await socket.next<{ sessions: { own: boolean; kind: string }[] }>();
    expect(first).toMatchObject({ type: 'sessions', serverTime: INSTANT });
    expect(first.sessions.map(({ own, kind }) => [own, kind])).toEqual([[true, 'browser']]);
    const { accessToken: token } = await house.signIn('lena');
    const second = await socket.next<typeof first>();
    expect(second.sessions.map(({ own, kind }) => [own, kind])).toEqual([
      [true, 'browser'],
      [false, 'bearer'],
    ]);
    await house.signInForCookie('olivia');
    await house.ask('POST', '/api/v1/sign-out', { token });
    expect((await socket.next<typeof first>()).sessions).toHaveLength(1);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('is not told without a session, and ends with it', async () => {
    const anonymous = await open();
    anonymous.send(LIST);
    expect(await anonymous.closed).toEqual({ code: 4401, reason: 'sign in first' });
    const cookie = await house.signInForCookie('olivia');
    const socket = await open(cookie);
    socket.send(LIST);
    await socket.next();
    await house.ask('POST', '/api/v1/sign-out', { cookie });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'signed-out' });
  });
});

describe('the PLC links', () => {
  const PLC = { type: 'subscribe', topic: 'plc' };

  test('are told at once, after a change, and every second', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    await timed.addUser('olivia');
    const socket = await open(await timed.signInForCookie('olivia'), timed);
    const told = (): object => ({
      type: 'plc',
      serverTime: new Date(clock.now()).toISOString(),
      links: [],
    });
    socket.send(PLC);
    expect(await socket.next()).toEqual(told());
    await clock.advance(1000);
    expect(await socket.next()).toEqual(told());
    timed.features.bus.publish('LinkChanged', { linkId: 'x' });
    timed.features.bus.publish('LinkChanged', { linkId: 'y' });
    expect(await socket.next()).toEqual(told());
    socket.send({ type: 'unsubscribe', topic: 'plc' });
    await socket.settled();
    await clock.advance(5000);
    await socket.settled();
    expect(socket.waiting()).toEqual([]);
  });

  test('are not told without a session', async () => {
    const socket = await open();
    socket.send(PLC);
    expect(await socket.closed).toEqual({ code: 4401, reason: 'sign in first' });
  });
});

describe('a ping', () => {
  test.each([
    ['with an id', { id: 'a1' }, 'a1'],
    ['without', {}, null],
  ])('%s is answered, session or not', async (_, fields, id) => {
    const socket = await open();
    socket.send({ type: 'ping', ...fields });
    expect(await socket.next()).toEqual({ type: 'pong', serverTime: INSTANT, id });
  });

  test('with an id longer than it may be is refused', async () => {
    const socket = await open();
    socket.send({ type: 'ping', id: 'x'.repeat(65) });
    expect(await socket.closed).toEqual({ code: 4400, reason: `${LOOK} id` });
  });
});

describe('a client that says nothing', () => {
  test('is closed after ten seconds', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    const socket = await open(undefined, timed);
    await clock.advance(10_000);
    expect(await socket.closed).toEqual({ code: 4408, reason: 'send a message within 10 s of connecting' });
  });
});

describe('a client that asks for too much', () => {
  test('is turned away where as many as may be are connected', async () => {
    const config = { 'realtime.maxConnections': '2', 'realtime.maxConnectionsPerAddress': '1' };
    await using small = await startTestHost({ config });
    await open(undefined, small);
    await expect(open(undefined, small)).rejects.toThrow('refused: 429');
    await openWith({ localAddress: '127.0.0.2' }, small);
    await expect(openWith({ localAddress: '127.0.0.3' }, small)).rejects.toThrow('refused: 503');
  });

  test('is closed where it says more than it may', async () => {
    await using small = await startTestHost({ config: { 'realtime.messagesPerSec': '1' } });
    const socket = await open(undefined, small);
    for (let at = 0; at < 6; at += 1) socket.send({ type: 'ping' });
    expect(await socket.closed).toEqual({ code: 4429, reason: 'send fewer messages, at most 1 a second' });
  });

  test('is closed at the topic that is one too many, and one that gives some back is not', async () => {
    await using small = await startTestHost({ config: { 'realtime.maxSubscriptions': '2' } });
    const apps = [await small.addApp('A'), await small.addApp('B'), await small.addApp('C')];
    const [a, b, c] = apps.map(({ app }) => app.id) as [string, string, string];
    const socket = await open(undefined, small);
    for (const id of [a, b, a]) socket.send(follow(id));
    socket.send({ type: 'unsubscribe', topic: 'app', appId: a });
    socket.send({ type: 'subscribe', topic: 'emergencies' });
    const types = [1, 2, 3, 4].map(() => socket.next());
    expect((await Promise.all(types)).map(({ type }) => type)).toEqual(['app', 'app', 'app', 'emergencies']);
    socket.send(follow(c));
    expect(await socket.closed).toEqual({
      code: 4429,
      reason: 'subscribe to at most 2 topics and apps on a connection',
    });
  });

  test('is closed for a thousand subscriptions, and others hear at once', async () => {
    const bystander = await open();
    bystander.send(follow(hmi.id));
    await bystander.next();
    const socket = await open();
    for (let at = 0; at < 1000; at += 1) socket.send(follow(hmi.id));
    expect((await socket.closed).code).toBe(4429);
    await house.signIn('olivia', hmi.id);
    expect(await bystander.next()).toMatchObject({ state: { user: 'olivia' } });
  });

  test('is closed for a message that is larger than it may be', async () => {
    const socket = await open();
    socket.send(JSON.stringify(follow(hmi.id)).padEnd(4096));
    expect(await socket.next()).toMatchObject({ type: 'app' });
    socket.send(JSON.stringify(follow(hmi.id)).padEnd(4097));
    expect(await socket.closed).toEqual({ code: 1009, reason: 'send messages of at most 4096 bytes' });
  });
});

const anything = fc.oneof(
  fc.string({ maxLength: 300, unit: 'binary' }),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  fc.json(),
  fc
    .record(
      {
        type: fc.constantFrom('subscribe', 'unsubscribe', 'activity', 'ping', 'x'),
        topic: fc.constantFrom('overview', 'app', 'sessions', 'plc', 'emergencies', '__proto__'),
        appId: fc.oneof(fc.constant(hmi.id), fc.anything()),
        key: fc.oneof(fc.string(), fc.anything()),
        since: fc.anything(),
        id: fc.anything(),
      },
      { requiredKeys: ['type'] },
    )
    .map((value) => JSON.stringify(value)),
  fc.uuid().map((id) => `{${id}}:key`),
  fc.constant('['.repeat(2000) + ']'.repeat(2000)),
  fc.constantFrom('null', '[]', '{"__proto__":{}}', '\0', '\ufeff{}', '{"type":"subscribe","topic":"app"}'),
);
test('messages of any kind never end the host, and always get a code that is in the book', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anything, { minLength: 1, maxLength: 4 }), async (messages) => {
      const socket = await connect(house);
      for (const message of messages) socket.raw.send(message);
      socket.send('the end');
      const { code, reason } = await socket.closed;
      expect([4400, 4401, 4404]).toContain(code);
      expect(reason).not.toBe('');
    }),
    { numRuns: 100 },
  );
  expect(house.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('an emergency session', () => {
  const REASON = 'the directory is away';

  interface Told {
    readonly type: string;
    readonly emergencies: unknown;
  }

  /** A screen of an app, one of none, and a page that is signed in; all have heard how it is. */
  async function openPlant() {
    const plant = await startTestHost();
    onTestFinished(() => plant.close());
    await plant.addUser('olivia');
    const { app: panel } = await plant.addApp('Panel');
    const { secret: code } = await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    const account = await plant.features.users.byName('Emergency');
    await plant.features.apps.grant(panel, account!, '9', HOST_ACTOR);
    const page = await open(await plant.signInForCookie('olivia'), plant);
    page.send(OVERVIEW);
    expect(await page.next()).toMatchObject({ type: 'session' });
    const screens = await Promise.all([open(undefined, plant), open(undefined, plant)]);
    screens[0]!.send(follow(panel.id));
    expect(await screens[0]!.next()).toMatchObject({ type: 'app' });
    for (const screen of screens) screen.send({ type: 'subscribe', topic: 'emergencies' });
    const hear = (): Promise<Told[]> => Promise.all([page, ...screens].map((socket) => socket.next<Told>()));
    expect((await hear()).map(({ type, emergencies }) => [type, emergencies])).toEqual([
      ['overview', []],
      ['emergencies', []],
      ['emergencies', []],
    ]);
    const useCode = async (json: object = {}) => {
      const { body } = await plant.ask('POST', '/api/v1/emergency/sign-in', {
        json: { secret: code, reason: `  ${REASON} `, ...json },
      });
      return body as { accessToken: string; sealed: { secret: string } };
    };
    return { plant, panel, page, screens, hear, useCode, code };
  }

  const known = (app: string | null) => [{ since: INSTANT, app, user: 'Emergency', reason: REASON }];
  const unknown = (app: string | null) => [{ since: INSTANT, app, user: null, reason: null }];

  test('is told to every screen, who and why to those who are signed in, and its end as well', async () => {
    const { plant, page, screens, hear, useCode, code } = await openPlant();
    const { accessToken: token, sealed } = await useCode();
    const told = await hear();
    expect(told.map(({ emergencies }) => emergencies)).toEqual([known(null), unknown(null), unknown(null)]);
    for (const secret of [code, sealed.secret, token]) expect(JSON.stringify(told)).not.toContain(secret);
    expect(JSON.stringify(told.slice(1))).not.toMatch(/Emergency|directory/);
    await plant.ask('POST', '/api/v1/sign-out', { token });
    expect((await hear()).map(({ emergencies }) => emergencies)).toEqual([[], [], []]);
    for (const socket of [page, ...screens]) {
      await socket.settled();
      expect(socket.waiting()).toEqual([]);
    }
  });

  test('at an app is told with its name, and that screen is told who is at its controls, as always', async () => {
    const { plant, panel, page, screens, hear, useCode } = await openPlant();
    const [screen] = screens;
    await useCode({ appId: panel.id });
    expect(await screen.next()).toMatchObject({ type: 'app', state: somebody('Emergency', '9') });
    expect((await hear()).map(({ emergencies }) => emergencies)).toEqual([
      known('Panel'),
      unknown('Panel'),
      unknown('Panel'),
    ]);
    await plant.ask('POST', `/api/v1/apps/${panel.id}/sign-out`);
    expect(await screen.next()).toMatchObject({ type: 'app', state: nobody });
    expect((await hear()).map(({ emergencies }) => emergencies)).toEqual([[], [], []]);
    for (const socket of [page, ...screens]) {
      await socket.settled();
      expect(socket.waiting()).toEqual([]);
    }
  });

  test('is told at once to a screen that comes later', async () => {
    const { plant, useCode } = await openPlant();
    await useCode();
    const late = await open(undefined, plant);
    late.send({ type: 'subscribe', topic: 'emergencies' });
    expect(await late.next()).toMatchObject({ type: 'emergencies', emergencies: unknown(null) });
  });

  test('that is refused is told to nobody', async () => {
    const { page, screens, useCode } = await openPlant();
    await useCode({ secret: '00000-00000-00000-00000-00000' });
    for (const socket of [page, ...screens]) {
      await socket.settled();
      expect(socket.waiting()).toEqual([]);
    }
  });
});

test('a page that is gone is told nothing more, and leaves nothing behind', async () => {
  const socket = await open(await house.signInForCookie('olivia'));
  socket.send(OVERVIEW);
  await socket.next();
  socket.raw.terminate();
  await socket.closed;
  await house.signIn('adam', hmi.id);
  expect(house.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
