/** The client with Node's own WebSocket and fetch, in front of a real host. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { HOST_ACTOR } from '../../../server/audit/audit.ts';
import { newFolder, PASSWORD, startTestHost, type TestHost } from '../../../test/host.ts';
import { GUID, INSTANT, JWT } from '../../../test/scenario.ts';
import { createSteeredClock } from '../../../test/steered-clock.ts';
import { createClient, type Client, type ClientOptions } from './client.ts';
import type { FollowedApp } from './followed-app.ts';
import type { SocketOptions } from './ports.ts';
import { KeyswitchProblem } from './problem.ts';

const NEW_PASSWORD = 'a quieter pump house';
const clock = createSteeredClock();
const house = await startTestHost({ clock });
afterAll(() => house.close());
trust(house);
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi, key: hmiKey } = await house.addApp('HMI', { users: { olivia: '5', adam: '9' } });
const { app: pump } = await house.addApp('Pump', { users: { olivia: '3' } });

function trust({ ca }: TestHost): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}

function open(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: house.url, clock, ...options });
  onTestFinished(() => client.close());
  return client;
}

const OLIVIA = { username: 'olivia', password: PASSWORD };

/** The problem that a call ends with. */
async function problemOf(call: Promise<unknown>): Promise<KeyswitchProblem> {
  const problem = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (problem instanceof KeyswitchProblem) return problem;
  throw new Error(`no problem: ${String(problem)}`);
}

/** All that a listener is told, and a way to wait for what it will be told. */
function listen<News>() {
  const told: News[] = [];
  const waiting: { readonly isMeant: (news: News) => boolean; readonly resolve: (news: News) => void }[] = [];
  return {
    told,
    listener(news: News): void {
      told.push(news);
      for (const { isMeant, resolve } of waiting) if (isMeant(news)) resolve(news);
    },
    /** Resolves with the latest, or the first to come, that is meant. */
    until(isMeant: (news: News) => boolean): Promise<News> {
      const latest = told.at(-1);
      if (latest !== undefined && isMeant(latest)) return Promise.resolve(latest);
      return new Promise((resolve) => waiting.push({ isMeant, resolve }));
    },
  };
}

describe('signing in', () => {
  test('opens a session that is known until it is ended', async () => {
    const client = open();
    expect(await client.session()).toBeNull();
    const session = await client.signIn({ ...OLIVIA, appId: hmi.id });
    expect(session).toMatchObject({ kind: 'app', user: { name: 'olivia' }, app: { id: hmi.id }, role: '5' });
    expect(await client.session()).toEqual(session);
    expect(await client.accessToken()).toEqual(JWT);
    await client.signOut();
    expect([await client.session(), await client.accessToken()]).toEqual([null, null]);
    await client.signOut();
    expect(house.features.sessions.byId(session.id)).toBeNull();
  });

  test('that is refused is a problem with its code', async () => {
    const problem = await problemOf(open().signIn({ username: 'olivia', password: 'wrong' }));
    expect(problem).toMatchObject({ code: 'sign-in-refused', status: 401, ticket: null, faults: [] });
    expect(await problemOf(open().signIn({ ...OLIVIA, appId: 'HMI' }))).toMatchObject({
      code: 'invalid-input',
      faults: [{ field: 'appId' }],
    });
  });

  test('with a password that must be replaced goes on with the ticket', async () => {
    await house.addUser('newcomer', { mustChange: true });
    const client = open();
    const { code, ticket, why } = await problemOf(
      client.signIn({ username: 'newcomer', password: PASSWORD }),
    );
    expect([code, why]).toEqual(['password-change-required', 'one-time-secret']);
    const refused = await problemOf(client.changePassword({ ticket: ticket!, newPassword: 'short' }));
    expect(refused.code).toBe('password-unacceptable');
    expect(refused.faults.map(({ rule }) => rule)).toContain('min-length');
    const session = await client.changePassword({ ticket: ticket!, newPassword: NEW_PASSWORD });
    expect(await client.session()).toEqual(session);
  });

  test('renews its tokens before they are too old, once for all who ask', async () => {
    const client = open();
    const { id } = await client.signIn(OLIVIA);
    const first = await client.accessToken();
    expect(await client.accessToken()).toBe(first);
    clock.skip(280_000);
    const [one, other] = await Promise.all([client.accessToken(), client.accessToken()]);
    expect([one === first, one === other]).toEqual([false, true]);
    expect(await client.session()).toMatchObject({ id });
  });

  test('is over when the host says so, and no sooner', async () => {
    const client = open();
    const { id } = await client.signIn(OLIVIA);
    clock.skip(280_000);
    await house.features.sessions.end(id, 'ended-by-administrator', HOST_ACTOR);
    expect([await client.accessToken(), await client.session()]).toEqual([null, null]);
  });

  test('at an app can be ended by whoever knows the app', async () => {
    await open().signIn({ ...OLIVIA, appId: hmi.id });
    await open().signOutApp(hmi.id);
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
    expect((await problemOf(open().signOutApp('unknown'))).code).toBe('invalid-input');
  });
});

describe('a host', () => {
  test('that does not answer is unreachable, and the session is kept', async () => {
    let isThere = true;
    const client = open({
      fetch: (...call) => (isThere ? fetch(...call) : Promise.reject(new TypeError('fetch failed'))),
    });
    await client.signIn(OLIVIA);
    isThere = false;
    expect(await problemOf(client.session())).toMatchObject({ code: 'unreachable', status: 0 });
    expect((await problemOf(client.signOut())).code).toBe('unreachable');
    isThere = true;
    expect(await client.session()).toMatchObject({ user: { name: 'olivia' } });
  });

  test('that is none is unexpected', async () => {
    const stranger = createServer((request, response) => {
      response.writeHead(request.method === 'POST' ? 502 : 200, { 'Retry-After': '7' }).end('<html>');
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const client = open({ url: `http://127.0.0.1:${port}` });
    const problem = await problemOf(client.signIn(OLIVIA));
    expect(problem).toMatchObject({ code: 'unexpected', status: 502, retryAfterSec: 7 });
  });
});

describe('following apps', () => {
  const nobody = { authenticated: false, user: null, role: null, expiresAt: null };

  test('tells who comes and goes at each of several, over one socket, that of another library as well', async () => {
    let count = 0;
    class Trusting extends WebSocket {
      constructor(url: string, options?: SocketOptions) {
        super(url, { ca: house.ca, ...options });
        count += 1;
      }
    }
    const client = open({ WebSocket: Trusting });
    const [atHmi, atPump] = [listen<FollowedApp>(), listen<FollowedApp>()];
    client.follow(hmi.id, atHmi.listener);
    client.follow(pump.id.toUpperCase(), atPump.listener);
    expect(atHmi.told).toMatchObject([{ connection: { state: 'connecting' }, state: null, revision: null }]);
    const before = await atHmi.until(({ state }) => state !== null);
    expect(before).toMatchObject({ connection: { state: 'live' }, state: nobody, token: null });
    await atPump.until(({ state }) => state !== null);

    const session = await open().signIn({ ...OLIVIA, appId: hmi.id });
    const after = await atHmi.until(({ state }) => state?.authenticated === true);
    expect(after).toMatchObject({
      run: before.run,
      state: { user: 'olivia', role: '5', openedAt: INSTANT, expiresAt: session.expiresAt },
    });
    expect(after.revision).toBeGreaterThan(before.revision!);
    await open().signOutApp(hmi.id);
    expect(await atHmi.until(({ state }) => state?.authenticated === false)).toMatchObject({ state: nobody });
    expect(atPump.told.filter(({ state }) => state !== null)).toHaveLength(1);
    expect(count).toBe(1);
  });

  test('with the key tells the token as well, and is over where the key is wrong', async () => {
    const client = open();
    const [right, wrong] = [listen<FollowedApp>(), listen<FollowedApp>()];
    client.follow(hmi.id, right.listener, { key: hmiKey });
    client.follow(pump.id, wrong.listener, { key: 'wrong' });
    const refused = await wrong.until(({ connection }) => connection.state === 'refused');
    expect(refused).toMatchObject({ connection: { code: 4401 }, state: null });
    await client.signIn({ ...OLIVIA, appId: hmi.id });
    const { token } = await right.until(({ state }) => state?.authenticated === true);
    const { body } = await house.ask('GET', '/api/v1/session', { token: token! });
    expect(body).toMatchObject({ session: { user: { name: 'olivia' }, app: { id: hmi.id } } });
  });

  test('is over at an app that does not exist, and goes on at the others', async () => {
    const client = open();
    const [unknown, known] = [listen<FollowedApp>(), listen<FollowedApp>()];
    client.follow('00000000-0000-4000-8000-000000000000', unknown.listener);
    client.follow(pump.id, known.listener);
    const refused = await unknown.until(({ connection }) => connection.state === 'refused');
    expect(refused).toMatchObject({ connection: { code: 4404 } });
    await known.until(({ connection }) => connection.state === 'live');
    await open().signIn({ ...OLIVIA, appId: pump.id });
    expect(await known.until(({ state }) => state?.user === 'olivia')).toMatchObject({
      state: { role: '3' },
    });
  });

  test('outlasts a restart of the host, and says meanwhile that the news is old', async () => {
    const dataFolder = newFolder();
    onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
    const former = await startTestHost({ dataFolder });
    trust(former);
    await former.addUser('olivia');
    const { app } = await former.addApp('HMI', { users: { olivia: '5' } });
    await former.signIn('olivia', app.id);
    const client = open({ url: former.url });
    const { told, listener, until } = listen<FollowedApp>();
    client.follow(app.id, listener);
    const { run } = await until(({ state }) => state?.authenticated === true);
    await former.close();
    expect(await until(({ connection }) => connection.state === 'lost')).toMatchObject({
      connection: { since: expect.any(Number) },
      state: { user: 'olivia' },
    });
    const later = await startTestHost({ dataFolder, config: { 'http.port': String(former.port) } });
    onTestFinished(() => later.close());
    const after = await until(({ connection }) => connection.state === 'live');
    expect(after).toMatchObject({ state: { user: 'olivia' } });
    expect(after.run).not.toBe(run);
    expect(told.filter(({ state }) => state?.authenticated === false)).toEqual([]);
  });
});

describe('watching', () => {
  test('what needs a session is refused without one, and told with one until it ends', async () => {
    const client = open();
    const stranger = listen<{ readonly connection: { readonly state: string } }>();
    client.watch('overview', stranger.listener);
    await stranger.until(({ connection }) => connection.state === 'refused');

    const { id } = await client.signIn({ username: 'adam', password: PASSWORD });
    const [overview, sessions] = [listen<unknown>(), listen<unknown>()];
    const typeOf = (news: unknown): unknown => (news as { message: { type: string } | null }).message?.type;
    client.watch('overview', overview.listener);
    client.watch('sessions', sessions.listener);
    expect(await overview.until((news) => typeOf(news) === 'overview')).toMatchObject({
      connection: { state: 'live' },
      message: { apps: expect.arrayContaining([expect.objectContaining({ id: hmi.id })]) },
    });
    expect(await sessions.until((news) => typeOf(news) === 'sessions')).toMatchObject({
      message: { sessions: expect.arrayContaining([expect.objectContaining({ id: GUID, own: true })]) },
    });
    await house.features.sessions.end(id, 'ended-by-administrator', HOST_ACTOR);
    const isOver = (news: unknown) => (news as News).connection.state === 'refused';
    expect(await overview.until(isOver)).toMatchObject({
      message: { type: 'session', session: null, reason: 'ended-by-administrator' },
    });
    await sessions.until(isOver);
  });

  test('emergencies needs nobody to be signed in', async () => {
    const { listener, until } = listen<News>();
    open().watch('emergencies', listener);
    expect(await until(({ message }) => message !== null)).toMatchObject({ message: { emergencies: [] } });
  });
});

interface News {
  readonly connection: { readonly state: string };
  readonly message: unknown;
}
