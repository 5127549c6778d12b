import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { HubConnectionState } from '@microsoft/signalr';
import fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startTestHost, type Answer, type Ask, type TestHost } from '../../../test/host.ts';
import { INSTANT, JWT } from '../../../test/scenario.ts';
import {
  ClientsEventSource,
  connectHub,
  connectRecords,
  hubClient,
  trust,
  type EventStream,
  type HubClient,
  type HubOptions,
  type ProtocolName,
  type TransportName,
} from '../../../test/signalr.ts';
import { connect } from '../../../test/socket.ts';
import { createSteeredClock, type SteeredClock } from '../../../test/steered-clock.ts';
import { startTcpProxy } from '../../../test/tcp-proxy.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';
const TRUSTED = 'https://hmi.example:8080';
const ELSEWHERE = 'https://elsewhere.example';
const NOBODY = { Authenticated: false };

const house = await startTestHost({ config: { 'http.trustedOrigins': TRUSTED } });
trust(house);
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const users = { olivia: '5', adam: '9' };
const { app: hmi, key } = await house.addApp('HMI', { users });
const { app: panel, key: panelKey } = await house.addApp('Panel', { users });
afterAll(() => house.close());

const signOut = (appId = hmi.id) => house.ask('DELETE', `/api/Token/${appId}`);
beforeEach(() => Promise.all([signOut(hmi.id), signOut(panel.id)]));
afterEach(async () => expect((await house.ask('GET', '/healthz')).status).toBe(200));

const told = (User: string, Token: unknown = null, TokenExpires: unknown = INSTANT) => ({
  Authenticated: true,
  User,
  Role: users[User as keyof typeof users],
  Token,
  TokenExpires,
});

const WAYS: [TransportName, ProtocolName][] = [
  ['WebSockets', 'json'],
  ['WebSockets', 'messagepack'],
  ['ServerSentEvents', 'json'],
  ['LongPolling', 'json'],
  ['LongPolling', 'messagepack'],
];

describe.each(WAYS)('the official client over %s in %s', (transport, protocol) => {
  const open = (options: HubOptions = {}): Promise<HubClient> =>
    connectHub(house.url, { transport, protocol, ...options });
  // MessagePack has times, JSON has text.
  const expires = protocol === 'messagepack' ? expect.any(Date) : INSTANT;

  test('is told at once, of every change in its order, and of nothing after it has unsubscribed', async () => {
    const client = await open();
    await client.subscribe(hmi.id);
    expect(await client.next()).toEqual(NOBODY);
    await house.signIn('olivia', hmi.id);
    expect(await client.next()).toEqual(told('olivia', null, expires));
    await house.signIn('adam', hmi.id);
    expect(await client.next()).toEqual(told('adam', null, expires));
    await signOut();
    expect(await client.next()).toEqual(NOBODY);
    await client.raw.invoke('Unsubscribe');
    await house.signIn('olivia', hmi.id);
    await client.settled();
    expect(client.waiting()).toEqual([]);
  });

  test('is told who is there already, and follows the app that it subscribed to last', async () => {
    await house.signIn('olivia', hmi.id);
    await house.signIn('adam', panel.id);
    const client = await open();
    await client.subscribe(hmi.id);
    expect(await client.next()).toEqual(told('olivia', null, expires));
    await client.subscribe(panel.id);
    expect(await client.next()).toEqual(told('adam', null, expires));
    await signOut(hmi.id);
    await signOut(panel.id);
    expect(await client.next()).toEqual(NOBODY);
    await client.settled();
    expect(client.waiting()).toEqual([]);
  });

  test.each<[string, HubOptions, string]>([
    ["by its app's key as the access token", { accessToken: key }, hmi.id],
    ["by its app's key in a header", { headers: { 'X-App-Key': key } }, hmi.id],
    ["by its app's key behind the AppId", {}, `${hmi.id}:${key}`],
    [
      'behind the AppId, whatever key it came with',
      { accessToken: panelKey },
      `{${hmi.id.toUpperCase()}}:${key}`,
    ],
  ])('is told the token, and it is good, where it proves itself %s', async (_, options, subscription) => {
    await house.signIn('olivia', hmi.id);
    const client = await open(options);
    await client.subscribe(subscription);
    expect(await client.next()).toEqual(told('olivia', JWT, expires));
    await house.signIn('adam', hmi.id);
    const { Token: token } = (await client.next()) as { Token: string };
    expect((await house.ask('GET', '/api/v1/session', { token })).body).toMatchObject({
      session: { user: { name: 'adam' } },
    });
    await signOut();
    expect(await client.next()).toEqual(NOBODY);
    expect((await house.ask('GET', '/api/v1/session', { token })).status).toBe(401);
  });

  test('is told no token for having one', async () => {
    const { accessToken } = await house.signIn('olivia', hmi.id);
    const client = await open({ accessToken });
    await client.subscribe(hmi.id);
    expect(await client.next()).toEqual(told('olivia', null, expires));
  });

  test.each<[string, string, unknown[], HubOptions]>([
    ['an AppId that no app has', 'Subscribe', [UNKNOWN], {}],
    ['a name', 'Subscribe', ['HMI'], {}],
    ['a number', 'Subscribe', [7], {}],
    ['nothing', 'Subscribe', [], {}],
    ['more than an AppId', 'Subscribe', [hmi.id, key], {}],
    ['a wrong key', 'Subscribe', [`${hmi.id}:x`], {}],
    ["another app's key", 'Subscribe', [`${hmi.id}:${panelKey}`], {}],
    ["another app's key as its token", 'Subscribe', [hmi.id], { accessToken: panelKey }],
    ['a wrong key in a header', 'Subscribe', [hmi.id], { headers: { 'X-App-Key': 'x' } }],
    ['a method that there is not', 'constructor', [], {}],
  ])(
    'that calls with %s is told what is wrong, and its connection stays',
    async (_, method, args, options) => {
      const client = await open(options);
      await expect(client.raw.invoke(method, ...args)).rejects.toThrow('HubException: ');
      await client.subscribe(`${panel.id}:${panelKey}`);
      expect(await client.next()).toEqual(NOBODY);
    },
  );

  test('whose call that nobody waits for is refused loses its connection, and is told why', async () => {
    const client = await open();
    await client.raw.send('Subscribe', UNKNOWN);
    expect(await client.closed).toContain('HubException: ');
  });

  test('that asks for a stream is refused', async () => {
    const client = await open();
    const outcome = await new Promise((resolve) =>
      client.raw
        .stream('Subscribe', hmi.id)
        .subscribe({ next: resolve, complete: () => resolve(null), error: resolve }),
    );
    expect(outcome).toBeInstanceOf(Error);
  });

  test('leaves nothing behind when it stops', async () => {
    const client = await open();
    await client.subscribe(hmi.id);
    await client.next();
    await client.raw.stop();
    await house.signIn('olivia', hmi.id);
    expect(house.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('is told when the host stops, and comes back to the next one', async () => {
    await using brief = await startTestHost();
    trust(brief);
    const client = await connectHub(brief.url, { transport, protocol, retryDelaysMs: [0, 60_000] });
    const reconnecting = new Promise((resolve) => client.raw.onreconnecting(resolve));
    await client.settled();
    await brief.close();
    const reason = String(await reconnecting);
    // Between two polls there is no way to tell it.
    if (transport !== 'LongPolling') expect(reason).toContain('The host is stopping.');
  });
});

describe('a client that may choose', () => {
  test.each(['/authHub', '/signalr/authHub', '/AUTHHUB', '/SignalR/authhub', '/authHub/'])(
    'finds the hub at %s, and takes WebSockets',
    async (path) => {
      const client = await connectHub(house.url, { path });
      await client.subscribe(hmi.id);
      expect(await client.next()).toEqual(NOBODY);
    },
  );

  test('takes another transport where WebSockets are switched off', async () => {
    await using without = await startTestHost({ config: { 'dialects.iauthSignalRWebSockets': 'false' } });
    trust(without);
    const { app } = await without.addApp('HMI');
    const client = await connectHub(without.url);
    await client.subscribe(app.id);
    expect(await client.next()).toEqual(NOBODY);
    await expect(connect(without, { path: '/authHub' })).rejects.toThrow('refused: 404');
    const { body } = await without.ask(
      'POST',
      '/authHub/negotiate?negotiateVersion=1&useStatefulReconnect=true',
    );
    expect(body).not.toHaveProperty('useStatefulReconnect');
    expect((body as { availableTransports: { transport: string }[] }).availableTransports).toHaveLength(2);
  });

  test.each(['dialects.iauth', 'dialects.iauthSignalR'])(
    'finds no hub where %s is switched off',
    async (setting) => {
      await using without = await startTestHost({ config: { [setting]: 'false' } });
      expect((await without.ask('POST', '/authHub/negotiate')).status).toBe(404);
      await expect(connect(without, { path: '/authHub' })).rejects.toThrow('refused: 404');
    },
  );

  test('finds the hub and the native protocol where iAuth over /ws is switched off', async () => {
    await using without = await startTestHost({ config: { 'dialects.iauthWebSockets': 'false' } });
    trust(without);
    const { app } = await without.addApp('HMI');
    const socket = await connect(without);
    socket.send(app.id);
    expect((await socket.closed).code).toBe(4400);
    const client = await connectHub(without.url);
    await client.subscribe(app.id);
    expect(await client.next()).toEqual(NOBODY);
  });
});

describe('a token that is no good', () => {
  const garbage = `${'x'.repeat(20)}.${'y'.repeat(20)}.z`;

  test.each<[string, Ask, string]>([
    ['that is garbage', { token: garbage }, ''],
    ['that is garbage, in the query', {}, `&access_token=${garbage}`],
    ['that is empty', { headers: { Authorization: 'Bearer ' } }, ''],
    ['of another scheme', { headers: { Authorization: `Basic ${key}` } }, ''],
    ['shorter than a key', { token: key.slice(1) }, ''],
    ['given twice', { headers: { Authorization: [`Bearer ${key}`, `Bearer ${key}`] } }, ''],
  ])('%s is refused at the negotiation and at the connection', async (_, ask, query) => {
    const negotiated = await house.ask('POST', `/authHub/negotiate?negotiateVersion=1${query}`, ask);
    expect([negotiated.status, negotiated.body]).toEqual([
      401,
      expect.objectContaining({ code: 'not-signed-in' }),
    ]);
    const token = await negotiate();
    const connected = await house.ask('GET', `/authHub?id=${token}${query}`, ask);
    expect([connected.status, connected.body]).toEqual([
      401,
      expect.objectContaining({ code: 'not-signed-in' }),
    ]);
  });

  test('is refused to a WebSocket, with or without a negotiation before it', async () => {
    for (const id of ['', `&id=${await negotiate()}`]) {
      const socket = await connect(house, { path: `/authHub?access_token=${garbage}${id}` });
      expect((await socket.closed).code).toBe(4401);
    }
  });

  test('of a session that has ended is refused', async () => {
    const { accessToken } = await house.signIn('olivia', hmi.id);
    await signOut();
    await expect(hubClient(house.url, { accessToken }).raw.start()).rejects.toThrow("'401'");
  });

  test('that is good is read from the query of a WebSocket, where what came before it is kept', async () => {
    const { accessToken } = await house.signIn('olivia', hmi.id);
    const socket = await connectRecords(house, { path: `/authHub?access_token=${accessToken}` });
    socket.send({ type: 1, invocationId: '1', target: 'subscribe', arguments: [hmi.id] });
    expect(await socket.next()).toMatchObject({
      target: 'UserChanged',
      arguments: [{ User: 'olivia', Token: null }],
    });
  });
});

async function negotiate(host = house, query = 'negotiateVersion=1'): Promise<string> {
  const { body } = await host.ask('POST', `/authHub/negotiate?${query}`);
  return (body as { connectionToken: string }).connectionToken;
}

/** A poll that the host has and holds: of two it ends the former. */
async function openPoll(host: TestHost, path: string): Promise<{ answer: Promise<Answer> }> {
  const [first, second] = [host.ask('GET', path), host.ask('GET', path)];
  const isFirstOver = await Promise.race([first.then(() => true), second.then(() => false)]);
  return { answer: isFirstOver ? second : first };
}

describe('the negotiation', () => {
  test('of version 0 gives an id that connects, and no token', async () => {
    const { body, headers } = await house.ask('POST', '/authHub/negotiate');
    const { connectionId, ...rest } = body as { connectionId: string };
    expect(rest).not.toHaveProperty('connectionToken');
    expect(headers['cache-control']).toBe('no-store');
    expect((await house.ask('GET', `/authHub?id=${connectionId}`)).status).toBe(200);
  });

  test('of version 1 gives an id that connects nobody', async () => {
    const { body } = await house.ask('POST', '/authHub/negotiate?negotiateVersion=1');
    const { connectionId, connectionToken } = body as { connectionId: string; connectionToken: string };
    expect((await house.ask('GET', `/authHub?id=${connectionId}`)).status).toBe(404);
    expect((await house.ask('GET', `/authHub?id=${connectionToken}`)).status).toBe(200);
  });

  test('of a version that is no number is refused in words', async () => {
    const { status, body } = await house.ask('POST', '/authHub/negotiate?negotiateVersion=x');
    expect([status, body]).toEqual([200, { error: expect.any(String) }]);
  });

  test.each(['GET', 'PUT', 'DELETE'])('is not made by %s', async (method) => {
    const { status, headers } = await house.ask(method, '/authHub/negotiate');
    expect([status, headers.allow]).toEqual([405, 'POST']);
  });

  test('is limited, and told so', async () => {
    await using small = await startTestHost({ config: { 'realtime.maxConnectionsPerAddress': '2' } });
    await negotiate(small);
    await negotiate(small);
    const { status, body } = await small.ask('POST', '/authHub/negotiate');
    expect([status, body]).toEqual([429, expect.objectContaining({ code: 'too-many-connections' })]);
    await expect(connect(small, { path: '/ws' })).rejects.toThrow('refused: 429');
  });
});

describe('a page', () => {
  const asked = 'authorization,x-app-key,x-requested-with,x-signalr-user-agent';
  const preflight = (path: string, origin: string) =>
    house.ask('OPTIONS', path, {
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': asked,
      },
    });

  test.each(['/authHub/negotiate', '/signalr/AUTHHUB/negotiate', '/authHub'])(
    'of a trusted origin may use %s from a browser, with credentials',
    async (path) => {
      const { status, headers } = await preflight(path, TRUSTED);
      expect(status).toBe(204);
      expect(headers).toMatchObject({
        'access-control-allow-origin': TRUSTED,
        'access-control-allow-credentials': 'true',
        vary: 'Origin',
      });
      const allowed = headers['access-control-allow-headers']?.toLowerCase().split(', ');
      expect(allowed).toEqual(expect.arrayContaining(asked.split(',')));
    },
  );

  test('of a trusted origin is answered with credentials at the hub, and without elsewhere', async () => {
    const headers = { Origin: TRUSTED };
    const atHub = await house.ask('POST', '/authHub/negotiate', { headers });
    expect([atHub.status, atHub.headers['access-control-allow-credentials']]).toEqual([200, 'true']);
    for (const path of ['/api/v1/session', '/authHubs']) {
      const elsewhere = await house.ask('GET', path, { headers });
      expect(elsewhere.headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  test('of another origin is refused by every transport', async () => {
    const headers = { Origin: ELSEWHERE };
    expect((await preflight('/authHub', ELSEWHERE)).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    const token = await negotiate();
    const tries: [string, string, Record<string, string>][] = [
      ['POST', '/authHub/negotiate', {}],
      ['GET', `/authHub?id=${token}`, { Accept: 'text/event-stream' }],
      ['GET', `/authHub?id=${token}`, {}],
      ['POST', `/authHub?id=${token}`, {}],
      ['DELETE', `/authHub?id=${token}`, {}],
    ];
    for (const [method, path, more] of tries) {
      const { status, body } = await house.ask(method, path, { headers: { ...headers, ...more } });
      expect([status, body]).toEqual([403, expect.objectContaining({ code: 'cross-site' })]);
    }
    await expect(connect(house, { path: '/authHub', origin: ELSEWHERE })).rejects.toThrow('refused: 403');
  });
});

describe('a client that is cut off', () => {
  test('comes back by itself, and is told the present state when it subscribes again', async () => {
    await using proxy = await startTcpProxy({ target: house.port });
    const client = await connectHub(`https://127.0.0.1:${proxy.port}`, {
      transport: 'WebSockets',
      retryDelaysMs: [0, 100, 1000],
    });
    await client.subscribe(hmi.id);
    expect(await client.next()).toEqual(NOBODY);
    const back = new Promise((resolve) => client.raw.onreconnected(resolve));
    proxy.cut();
    await back;
    await house.signIn('olivia', hmi.id);
    await client.subscribe(hmi.id);
    expect(await client.next()).toEqual(told('olivia'));
  });

  test.each<ProtocolName>(['json', 'messagepack'])(
    'misses no change where it keeps its state, and its connection is the same, in %s',
    async (protocol) => {
      await using proxy = await startTcpProxy({ target: house.port });
      const client = await connectHub(`https://127.0.0.1:${proxy.port}`, { protocol, isStateful: true });
      await client.subscribe(hmi.id);
      expect(await client.next()).toEqual(NOBODY);
      const { connectionId } = client.raw;
      for (let round = 0; round < 3; round += 1) {
        const stop = proxy.impair({ do: 'hold' }, { direction: 'up' });
        proxy.cut();
        await proxy.next(({ what }) => what === 'opened');
        await house.signIn('olivia', hmi.id);
        await house.signIn('adam', hmi.id);
        await signOut();
        // Called while the connection is away: it is made once the client is back.
        const subscribing = client.subscribe(hmi.id);
        stop();
        expect([await client.next(), await client.next(), await client.next()]).toMatchObject([
          { User: 'olivia' },
          { User: 'adam' },
          NOBODY,
        ]);
        await subscribing;
        expect(await client.next()).toEqual(NOBODY);
      }
      expect([client.raw.connectionId, client.raw.state]).toEqual([
        connectionId,
        HubConnectionState.Connected,
      ]);
      await client.settled();
      expect(client.waiting()).toEqual([]);
    },
  );

  test('has its place taken by its new connection, although the old one still seems to stand', async () => {
    await using proxy = await startTcpProxy({ target: house.port });
    const client = await connectHub(`https://127.0.0.1:${proxy.port}`, { isStateful: true });
    await client.subscribe(hmi.id);
    await client.next();
    // The host goes on believing in the former one.
    proxy.leaveHalfOpen('server');
    await house.signIn('olivia', hmi.id);
    expect(await client.next()).toEqual(told('olivia'));
  });
});

describe('time', () => {
  /** Lets time pass, and what falls due with it happen. */
  async function pass(clock: SteeredClock, ms: number): Promise<void> {
    clock.skip(ms);
    await new Promise<void>((resolve) => clock.after(0, resolve));
  }

  async function timed(): Promise<{
    clock: SteeredClock;
    host: TestHost;
    appId: string;
  }> {
    const clock = createSteeredClock();
    const host = await startTestHost({ clock });
    onTestFinished(() => host.close());
    trust(host);
    const { app } = await host.addApp('HMI');
    return { clock, host, appId: app.id };
  }

  test('ends a connection whose handshake does not come', async () => {
    const { clock, host } = await timed();
    const socket = await connectRecords(host, { isSilent: true });
    clock.skip(16_000);
    expect(await socket.next()).toEqual({ error: expect.any(String) });
    expect((await socket.closed).code).toBe(4400);
  });

  test('lets a stream be that comes when its client has given it up and has another one', async () => {
    const { clock, host, appId } = await timed();
    const { port } = new URL(host.url);
    const proxy = await startTcpProxy({ target: Number(port) });
    onTestFinished(() => proxy.close());
    await proxy.refuse();
    const sources: EventStream[] = [];
    class RefusedAtFirst extends ClientsEventSource {
      constructor(url: string, options: object) {
        super(sources.length === 0 ? url.replace(port, String(proxy.port)) : url, options);
        sources.push(this);
      }
    }
    const client = hubClient(host.url, { transport: 'ServerSentEvents', eventSource: RefusedAtFirst });
    await expect(client.raw.start()).rejects.toThrow('EventSource failed to connect');
    await proxy.heal();
    await new Promise((resolve) => sources[0]?.addEventListener('open', resolve));
    const firstWord = new Promise((resolve) =>
      sources[0]?.addEventListener('message', ({ data }) => resolve(data)),
    );
    await client.raw.start();
    await client.subscribe(appId);
    await client.next();
    await pass(clock, 16_000);
    await client.settled();
    expect(client.raw.state).toBe(HubConnectionState.Connected);
    // It is open still, and nothing was said there before this.
    const path = `/authHub${new URL(sources[0]?.url ?? '').search}`;
    await host.ask('POST', path, { raw: '{"protocol":"json","version":1}\x1e' });
    expect(await firstWord).toBe('{}\x1e');
  });

  test('brings a ping, and ends a client that says nothing', async () => {
    const { clock, host } = await timed();
    const socket = await connectRecords(host);
    clock.skip(16_000);
    expect(await socket.next()).toEqual({ type: 6 });
    clock.skip(16_000);
    expect(await socket.next()).toMatchObject({ type: 7, allowReconnect: true });
    expect((await socket.closed).code).toBe(4408);
  });

  test('brings a ping by Server-Sent Events', async () => {
    const { clock, host } = await timed();
    const client = await connectHub(host.url, { transport: 'ServerSentEvents' });
    // The official client would close itself after so long without a word.
    client.raw.serverTimeoutInMilliseconds = 2000;
    await client.settled();
    for (let round = 0; round < 3; round += 1) {
      clock.skip(14_000);
      await client.settled();
    }
    expect(client.raw.state).toBe(HubConnectionState.Connected);
  });

  test('ends a poll with nothing after 90 s, and a client without a poll after 30 s', async () => {
    const { clock, host } = await timed();
    const token = await negotiate(host);
    const path = `/authHub?id=${token}`;
    expect(await host.ask('GET', path)).toMatchObject({ status: 200, text: '' });
    const poll = host.ask('GET', path);
    await host.ask('POST', path, { raw: '{"protocol":"json","version":1}\x1e' });
    expect((await poll).text).toBe('{}\x1e');
    const { answer } = await openPoll(host, path);
    clock.skip(91_000);
    expect(await answer).toMatchObject({ status: 200, text: '' });
    await pass(clock, 31_000);
    expect((await host.ask('GET', path)).status).toBe(404);
  });

  test('ends what was negotiated and never connected', async () => {
    const { clock, host } = await timed();
    const token = await negotiate(host);
    await pass(clock, 16_000);
    expect((await host.ask('GET', `/authHub?id=${token}`)).status).toBe(404);
  });
});

describe('long polling', () => {
  async function polling(): Promise<string> {
    const path = `/authHub?id=${await negotiate()}`;
    await house.ask('GET', path);
    await house.ask('POST', path, { raw: '{"protocol":"json","version":1}\x1e' });
    return path;
  }

  test('hands over what has come between two polls', async () => {
    const path = await polling();
    expect(await house.ask('GET', path)).toMatchObject({ status: 200, text: '{}\x1e' });
    const subscribe = { type: 1, invocationId: '1', target: 'Subscribe', arguments: [hmi.id] };
    await house.ask('POST', path, { raw: `${JSON.stringify(subscribe)}\x1e` });
    await house.signIn('olivia', hmi.id);
    await house.signIn('adam', hmi.id);
    const { text, headers } = await house.ask('GET', path);
    const records = text
      .split('\x1e')
      .slice(0, -1)
      .map((record) => JSON.parse(record) as unknown);
    expect(records).toEqual([
      { type: 1, target: 'UserChanged', arguments: [told('adam')] },
      { type: 3, invocationId: '1' },
    ]);
    expect(headers['cache-control']).toContain('no-store');
  });

  test('tells who polls when the host stops', async () => {
    await using brief = await startTestHost();
    const path = `/authHub?id=${await negotiate(brief)}`;
    await brief.ask('GET', path);
    await brief.ask('POST', path, { raw: '{"protocol":"json","version":1}\x1e' });
    await brief.ask('GET', path);
    const { answer } = await openPoll(brief, path);
    const closing = brief.host.close();
    expect(JSON.parse((await answer).text.slice(0, -1))).toMatchObject({ type: 7, allowReconnect: true });
    await closing;
  });

  test('ends a poll that still waits when another one comes', async () => {
    const path = await polling();
    await house.ask('GET', path);
    const { answer: first } = await openPoll(house, path);
    const second = house.ask('GET', path);
    expect((await first).status).toBe(204);
    expect((await house.ask('DELETE', path)).status).toBe(202);
    expect((await second).status).toBe(204);
    expect((await house.ask('GET', path)).status).toBe(404);
  });

  test.each([
    ['without an id', 'GET', '/authHub', 400],
    ['with two ids', 'GET', '/authHub?id=a&id=b', 400],
    ['with an id that nobody was given', 'GET', '/authHub?id=x', 404],
    ['that speaks to nobody', 'POST', '/authHub?id=x', 404],
    ['that ends nothing', 'DELETE', '/authHub?id=x', 404],
    ['by a method that there is not', 'PUT', '/authHub?id=x', 405],
    ['for the head alone', 'HEAD', '/authHub?id=x', 405],
  ])('%s is refused', async (_, method, path, status) => {
    expect((await house.ask(method, path)).status).toBe(status);
  });

  test('before and after another transport, and for one that is none, is refused', async () => {
    const waiting = `/authHub?id=${await negotiate()}`;
    expect((await house.ask('POST', waiting, { raw: 'x' })).status).toBe(400);
    expect((await house.ask('DELETE', waiting)).status).toBe(400);
    const path = await polling();
    const events = await house.ask('GET', path, { headers: { Accept: 'text/event-stream' } });
    // A poll is a poll, whatever it would take.
    expect(events.headers['content-type']).toContain('text/plain');
    const other = await connect(house, { path });
    expect((await other.closed).code).toBe(4400);
  });

  test('of more than a message may have is refused', async () => {
    const path = await polling();
    const { status, body } = await house.ask('POST', path, { raw: 'x'.repeat(4097) });
    expect([status, body]).toEqual([413, expect.objectContaining({ code: 'body-too-large' })]);
  });
});

describe('what comes over a WebSocket', () => {
  test('larger than a message may be, in several frames, ends the connection and says why', async () => {
    const socket = await connectRecords(house);
    for (let piece = 0; piece < 3; piece += 1) socket.sendRaw('x'.repeat(2000));
    expect(await socket.next()).toEqual({ type: 7, error: expect.any(String) });
    expect((await socket.closed).code).toBe(4400);
  });

  test('larger than a message may be, in one frame, ends the connection', async () => {
    const socket = await connectRecords(house);
    socket.sendRaw('x'.repeat(5000));
    expect((await socket.closed).code).toBe(1009);
  });

  test('to a connection that is not there ends at once', async () => {
    const socket = await connect(house, { path: '/authHub?id=x' });
    expect((await socket.closed).code).toBe(4404);
  });

  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text)),
    fc
      .record({
        protocol: fc.constantFrom('json', 'messagepack', 'x'),
        version: fc.integer({ min: 0, max: 3 }),
      })
      .map((value) => Buffer.from(`${JSON.stringify(value)}\x1e`)),
    fc
      .record({
        type: fc.integer({ min: 0, max: 10 }),
        invocationId: fc.string(),
        target: fc.constantFrom('Subscribe', 'Unsubscribe', 'x'),
        arguments: fc.array(fc.anything({ maxDepth: 1 })),
        sequenceId: fc.integer(),
      })
      .map((value) => Buffer.from(`${JSON.stringify(value)}\x1e`)),
  );

  test('of any kind, in any pieces and either kind of frame, never ends the host', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 6 }), fc.nat(20), async (chunks, size) => {
        const socket = await connect(house, { path: '/authHub' });
        const wire = Buffer.concat(chunks);
        for (let at = 0; at < wire.length; at += size + 1) {
          socket.raw.send(wire.subarray(at, at + size + 1), { binary: at % 2 === 0 });
        }
        socket.close();
        await socket.closed;
      }),
      { numRuns: 60, seed: 5 },
    );
    expect(house.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('by POST in any pieces never ends the host', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { minLength: 1, maxLength: 4 }), async (chunks) => {
        const path = `/authHub?id=${await negotiate()}`;
        await house.ask('GET', path);
        for (const raw of chunks) {
          const { status } = await house.ask('POST', path, { raw });
          expect([200, 404]).toContain(status);
        }
        await house.ask('DELETE', path);
      }),
      { numRuns: 40, seed: 6 },
    );
  });
});

test('who is behind is told the newest, while others are told everything at once', async () => {
  await house.signIn('olivia', hmi.id);
  const slow = await connectRecords(house, { path: '/authHub' });
  const quick = await connectHub(house.url);
  slow.send({ type: 1, target: 'Subscribe', arguments: [hmi.id] });
  await slow.next();
  await quick.subscribe(hmi.id);
  await quick.next();
  const { bus, sessions } = house.features;
  const session = sessions.ofApp(hmi.id)!;
  const states = 2000;
  for (let at = 1; at <= states; at += 1)
    bus.publish('SessionOpened', { session: { ...session, role: `${at}` } });
  const roles: number[] = [];
  while (roles.at(-1) !== states) {
    const {
      arguments: [auth],
    } = (await slow.next()) as { arguments: [{ Role: string }] };
    roles.push(Number(auth.Role));
  }
  expect(roles.length).toBeLessThan(states);
  expect(roles).toEqual([...roles].sort((a, b) => a - b));
});

test('who reads no events at all is dropped after a while, and holds up nobody', async () => {
  const clock = createSteeredClock();
  await using crowded = await startTestHost({ clock });
  trust(crowded);
  await crowded.addUser('olivia');
  const { app } = await crowded.addApp('HMI', { users: { olivia: '5' } });
  await crowded.signIn('olivia', app.id);
  const session = crowded.features.sessions.ofApp(app.id)!;
  const path = `/authHub?id=${await negotiate(crowded)}`;
  const headers = { Accept: 'text/event-stream' };
  const { hostname, port } = new URL(crowded.url);
  const outgoing = request({ hostname, port, path, headers, ca: crowded.ca }).end();
  outgoing.on('error', () => {});
  const [slow] = (await once(outgoing, 'response')) as [IncomingMessage];
  slow.on('error', () => {});
  expect(slow.headers['content-type']).toBe('text/event-stream');
  await crowded.ask('POST', path, { raw: '{"protocol":"json","version":1}\x1e' });
  const subscribe = { type: 1, target: 'Subscribe', arguments: [app.id] };
  await crowded.ask('POST', path, { raw: `${JSON.stringify(subscribe)}\x1e` });
  const quick = await connectHub(crowded.url, { transport: 'ServerSentEvents' });
  await quick.subscribe(app.id);
  await quick.next();
  // More than the buffers of both sides hold.
  for (let round = 0; round < 600; round += 1) {
    const role = `${round}`.padEnd(40_000);
    crowded.features.bus.publish('SessionOpened', { session: { ...session, role } });
    expect(await quick.next()).toMatchObject({ Role: role });
  }
  const dropped = new Promise((resolve) => slow.on('close', resolve));
  clock.skip(11_000);
  slow.resume();
  await dropped;
  expect(crowded.log.lines).toContainEqual(
    expect.objectContaining({ msg: 'a subscriber that reads too slowly was dropped' }),
  );
  expect((await crowded.ask('GET', path)).status).toBe(404);
  expect(quick.raw.state).toBe(HubConnectionState.Connected);
});
