import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { startTestHost, type TestHost } from '../../../test/host.ts';
import { GUID, INSTANT } from '../../../test/scenario.ts';
import { connect, type Socket } from '../../../test/socket.ts';

const OVERVIEW = { type: 'subscribe', topic: 'overview' };
const ACTIVITY = { type: 'activity' };

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi, key } = await house.addApp('HMI', { users: { olivia: '5', adam: '9' } });
const station = house.features.apps.station()!;
afterAll(() => house.close());
beforeEach(() => house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`));

async function open(cookie?: string, host: TestHost = house): Promise<Socket> {
  const socket = await connect(host, cookie === undefined ? {} : { cookie });
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

  test('is told once however often a page asks', async () => {
    const socket = await open(await house.signInForCookie('olivia'));
    socket.send(OVERVIEW);
    socket.send(OVERVIEW);
    await socket.next();
    await socket.next();
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

  test('is not told to one who comes with a token, for tokens are for the API', async () => {
    const { accessToken } = await house.signIn('adam');
    const socket = await connect(house, { headers: { Authorization: `Bearer ${accessToken}` } });
    socket.send(OVERVIEW);
    expect((await socket.closed).code).toBe(4401);
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
  const follow = (appId: string) => ({ type: 'subscribe', topic: 'app', appId });
  const message = (state: object) => ({
    type: 'app',
    serverTime: INSTANT,
    appId: hmi.id,
    state,
    emergencies: [],
  });

  test.each([
    ['as it is', hmi.id],
    ['in capitals', hmi.id.toUpperCase()],
  ])('is told to anyone who knows the AppId, at once and after every change: %s', async (_, appId) => {
    const socket = await open();
    socket.send(follow(appId));
    expect(await socket.next()).toEqual(message(nobody));
    const { accessToken } = await house.signIn('olivia', hmi.id);
    const changed = await socket.next();
    expect(changed).toEqual(message(somebody('olivia', '5')));
    expect(JSON.stringify(changed)).not.toContain(accessToken);
    await house.signIn('adam', hmi.id);
    expect(await socket.next()).toEqual(message(somebody('adam', '9')));
    await house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`);
    expect(await socket.next()).toEqual(message(nobody));
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

  test.each([
    ['an AppId that no app has', 'eb97a642-78f5-4458-b8ca-036fe70298ef', 4404, 'no app has this AppId'],
    ['what is no AppId', 'HMI', 4400, 'send an AppId, or {"type":"subscribe",...}'],
  ])('is not told for %s', async (_, appId, code, reason) => {
    const socket = await open();
    socket.send(follow(appId));
    expect(await socket.closed).toEqual({ code, reason });
  });

  test.each([
    ['garbage', 'garbage', 4400],
    ['an AppId of the other protocol', hmi.id, 4400],
    ['a field nobody knows', { ...follow(hmi.id), key }, 4400],
    ['a topic for those who are signed in', OVERVIEW, 4401],
  ])('ends with what comes after it, where that is %s', async (_, next, code) => {
    const socket = await open();
    socket.send(follow(hmi.id));
    await socket.next();
    socket.send(next);
    expect((await socket.closed).code).toBe(code);
  });
});

describe('an emergency session', () => {
  const REASON = 'the directory is away';
  const follow = (appId: string) => ({ type: 'subscribe', topic: 'app', appId });

  interface Told {
    readonly type: string;
    readonly emergencies: unknown;
  }

  /** A screen of each of two apps, one of none, and a page that is signed in; all have heard how it is. */
  async function openPlant() {
    const plant = await startTestHost();
    onTestFinished(() => plant.close());
    await plant.addUser('olivia');
    const [{ app: panel }, { app: boiler }] = [await plant.addApp('Panel'), await plant.addApp('Boiler')];
    const { secret: code } = await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    const account = await plant.features.users.byName('Emergency');
    await plant.features.apps.grant(panel, account!, '9', HOST_ACTOR);
    const page = await open(await plant.signInForCookie('olivia'), plant);
    page.send(OVERVIEW);
    expect(await page.next()).toMatchObject({ type: 'session' });
    const screens = await Promise.all([open(undefined, plant), open(undefined, plant)]);
    [panel, boiler].forEach(({ id }, at) => screens[at]!.send(follow(id)));
    const bystander = await open(undefined, plant);
    bystander.send({ type: 'subscribe', topic: 'emergencies' });
    screens.push(bystander);
    const hear = (): Promise<Told[]> => Promise.all([page, ...screens].map((socket) => socket.next<Told>()));
    expect((await hear()).map(({ type, emergencies }) => [type, emergencies])).toEqual([
      ['overview', []],
      ['app', []],
      ['app', []],
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
    expect(told.map(({ emergencies }) => emergencies)).toEqual([
      known(null),
      unknown(null),
      unknown(null),
      unknown(null),
    ]);
    for (const secret of [code, sealed.secret, token]) expect(JSON.stringify(told)).not.toContain(secret);
    expect(JSON.stringify(told.slice(1))).not.toMatch(/Emergency|directory/);
    await plant.ask('POST', '/api/v1/sign-out', { token });
    expect((await hear()).map(({ emergencies }) => emergencies)).toEqual([[], [], [], []]);
    for (const socket of [page, ...screens]) {
      await socket.settled();
      expect(socket.waiting()).toEqual([]);
    }
  });

  test('at an app is told with its name, once to each, also to the screen of that app', async () => {
    const { plant, panel, page, screens, hear, useCode } = await openPlant();
    await useCode({ appId: panel.id });
    const told = await hear();
    expect(told.map(({ emergencies }) => emergencies)).toEqual([
      known('Panel'),
      unknown('Panel'),
      unknown('Panel'),
      unknown('Panel'),
    ]);
    // Who is at the controls is told to everyone, as always.
    expect(told[1]).toMatchObject({ state: somebody('Emergency', '9') });
    await plant.ask('POST', `/api/v1/apps/${panel.id}/sign-out`);
    expect((await hear()).map(({ emergencies }) => emergencies)).toEqual([[], [], [], []]);
    for (const socket of [page, ...screens]) {
      await socket.settled();
      expect(socket.waiting()).toEqual([]);
    }
  });

  test('is told at once to a screen that comes later', async () => {
    const { plant, panel, useCode } = await openPlant();
    await useCode();
    const late = await open(undefined, plant);
    late.send(follow(panel.id));
    expect(await late.next()).toMatchObject({ type: 'app', state: nobody, emergencies: unknown(null) });
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
