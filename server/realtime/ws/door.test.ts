import { once } from 'node:events';
import { createServer } from 'node:http';
import { createConnection, type AddressInfo, type Socket as NetSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { createFixedClock } from '../../ports/clock.ts';
import { createMemoryLog } from '../../ports/log.ts';
import { startTestHost, type TestHost } from '../../../test/host.ts';
import { connect, type Socket, type SocketOptions } from '../../../test/socket.ts';
import { openWebSocketDoor } from './door.ts';

const TRUSTED = 'https://hmi.example:8080';

const house = await startTestHost({ config: { 'http.trustedOrigins': TRUSTED } });
await house.addUser('olivia');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
afterAll(() => house.close());
afterEach(async () => expect((await house.ask('GET', '/healthz')).status).toBe(200));

async function open(options: SocketOptions = {}, host: TestHost = house): Promise<Socket> {
  const socket = await connect(host, options);
  onTestFinished(() => socket.raw.terminate());
  return socket;
}

const follow = (appId = hmi.id) => ({ type: 'subscribe', topic: 'app', appId });

describe('the handshake', () => {
  test.each([
    ['at another path', { path: '/' }, 404],
    ['at a path below', { path: '/ws/more' }, 404],
    ['at a path that is ours but for a slash', { path: '/ws/' }, 404],
    ['at a path in capitals', { path: '/WS' }, 404],
    ['from a page of another site', { origin: 'https://elsewhere.example' }, 403],
    ['from a page that will not say of which', { origin: 'null' }, 403],
    ['from a page of our name without TLS', { origin: house.url.replace('https', 'http') }, 403],
    ['from another site by fetch metadata', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
  ])('%s is refused', async (_, options, status) => {
    await expect(connect(house, options)).rejects.toThrow(`refused: ${status}`);
  });

  test.each([
    ['without an origin, as programs that are no browsers', {}],
    ['from our own page', { origin: house.url }],
    ['from a page of a trusted origin', { origin: TRUSTED }],
    ['with a query', { path: '/ws?x=1' }],
  ])('%s is taken', async (_, options) => {
    const socket = await open(options);
    socket.send(follow());
    expect(await socket.next()).toMatchObject({ type: 'app', appId: hmi.id });
  });

  test('that is refused leaves no connection behind, even of a client that never closes its end', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ports = { clock: createFixedClock(), log: createMemoryLog() };
    openWebSocketDoor(server, [], ports, {
      maxMessageBytes: 1,
      heartbeatSec: 1,
      maxBufferedKib: 1,
      trustedOrigins: [],
    });
    const connected = once(server, 'connection') as Promise<[NetSocket]>;
    const { port } = server.address() as AddressInfo;
    const client = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true }).resume();
    client.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [connection] = await connected;
    await once(connection, 'close');
    client.destroy();
    server.close();
  });

  test.each([
    [
      'of a version nobody speaks',
      'Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '400',
    ],
    ['without a key', 'Sec-WebSocket-Version: 13', '400'],
    ['with a key that is none', 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x', '400'],
  ])('%s is refused', async (_, headers, status) => {
    const socket = connectTls({ port: house.port, ca: house.ca });
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString().split(' ')[1]).toBe(status);
    socket.destroy();
  });
});

describe('a message', () => {
  test.each([
    ['binary', (socket: Socket) => socket.raw.send(Buffer.from(hmi.id)), 4400, 'send text, not binary'],
    [
      'garbage',
      (socket: Socket) => socket.send('garbage'),
      4400,
      'send an AppId, or {"type":"subscribe",...}',
    ],
    [
      'JSON of another kind',
      (socket: Socket) => socket.send({ type: 'shutdown' }),
      4400,
      'send an AppId, or {"type":"subscribe",...}',
    ],
    [
      'lists within lists',
      (socket: Socket) => socket.send(`${'['.repeat(2000)}${']'.repeat(2000)}`),
      4400,
      'send an AppId, or {"type":"subscribe",...}',
    ],
    ['larger than it may be', (socket: Socket) => socket.send('x'.repeat(4097)), 1009, ''],
    [
      'larger than it may be, in pieces',
      (socket: Socket) => sendInPieces(socket, 'x'.repeat(4097)),
      1009,
      '',
    ],
    [
      'that is not UTF-8',
      (socket: Socket) => socket.raw.send(Buffer.from([0xff]), { binary: false }),
      1007,
      '',
    ],
  ])('%s ends the connection with its code, and nothing else', async (_, send, code, reason) => {
    const bystander = await open();
    bystander.send(follow());
    await bystander.next();
    const socket = await open();
    send(socket);
    expect(await socket.closed).toEqual({ code, reason });
    expect(socket.waiting()).toEqual([]);
    await bystander.settled();
  });

  function sendInPieces(socket: Socket, text: string): void {
    for (let at = 0; at < text.length; at += 1000) {
      socket.raw.send(text.slice(at, at + 1000), { fin: at + 1000 >= text.length });
    }
  }

  test('of the largest size that is admitted is read', async () => {
    const socket = await open();
    socket.send(JSON.stringify(follow()).padEnd(4096));
    expect(await socket.next()).toMatchObject({ type: 'app' });
  });

  test('in the pieces of a slow line is read', async () => {
    const socket = await open();
    sendInPieces(socket, JSON.stringify(follow()).padEnd(3500));
    expect(await socket.next()).toMatchObject({ type: 'app' });
  });

  test('that breaks the protocol ends its own connection alone', async () => {
    const bystander = await open();
    const socket = await open();
    // A frame with reserved bits set, which nothing was agreed on (RFC 6455 section 5.2).
    const { _socket: raw } = socket.raw as unknown as { _socket: { write(bytes: Buffer): void } };
    raw.write(Buffer.from('f18000000000', 'hex'));
    expect((await socket.closed).code).toBe(1002);
    await bystander.settled();
  });

  const texts = fc.oneof(
    fc.string({ maxLength: 300, unit: 'binary' }),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('subscribe', 'activity', 'x'),
        topic: fc.constantFrom('overview', 'app', 'x'),
        appId: fc.anything(),
      })
      .map((value) => JSON.stringify(value)),
    fc.uuid().map((id) => `{${id}}:key`),
    fc.constantFrom('null', '[]', '{"__proto__":{}}', '\0', '\ufeff{}', '{"type":"subscribe","topic":"app"}'),
  );
  test('of any kind never ends the process, and is answered or ends its connection', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 3 }), async (messages) => {
        const socket = await connect(house);
        for (const message of messages) socket.send(message);
        const { code } = await socket.closed;
        expect([4400, 4401, 4404]).toContain(code);
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  test('whose answer fails ends its connection with a defect, which the log has', async () => {
    await using broken = await startTestHost();
    const { app } = await broken.addApp('HMI');
    const socket = await open({}, broken);
    const real = broken.features.sessions.ofApp;
    broken.features.sessions.ofApp = () => {
      throw new Error('broken on purpose');
    };
    socket.send(follow(app.id));
    expect(await socket.closed).toEqual({ code: 1011, reason: 'the host could not answer' });
    broken.features.sessions.ofApp = real;
    const defects = broken.log.lines.filter(({ level }) => level === 'error');
    expect(defects).toEqual([expect.objectContaining({ msg: 'a message of a WebSocket client failed' })]);
    expect((await broken.ask('GET', '/healthz')).status).toBe(200);
  });
});

describe('a client that does not read', () => {
  test('is dropped, and delays nobody', async () => {
    await using crowded = await startTestHost({ config: { 'realtime.maxBufferedKib': '16' } });
    await crowded.addUser('olivia');
    for (let at = 0; at < 40; at += 1) await crowded.addApp(`HMI with a rather long name ${at}`);
    const { app } = await crowded.addApp('HMI', { users: { olivia: '5' } });
    const cookie = await crowded.signInForCookie('olivia');
    const [slow, quick] = [await open({ cookie }, crowded), await open({ cookie }, crowded)];
    for (const socket of [slow, quick]) {
      socket.send({ type: 'subscribe', topic: 'overview' });
      expect([await socket.next(), await socket.next()]).toMatchObject([
        { type: 'session' },
        { type: 'overview' },
      ]);
    }
    slow.raw.pause();
    let dropped = false;
    for (let round = 0; !dropped && round < 5000; round += 1) {
      crowded.features.bus.publish('AppChanged', { app });
      expect(await quick.next()).toMatchObject({ type: 'overview' });
      dropped = crowded.log.lines.some(({ msg }) => msg === 'a subscriber that reads too slowly was dropped');
    }
    expect(dropped).toBe(true);
    slow.raw.resume();
    expect((await slow.closed).code).toBe(1006);
    crowded.features.bus.publish('AppChanged', { app });
    expect(await quick.next()).toMatchObject({ type: 'overview' });
    expect(quick.waiting()).toEqual([]);
  });
});

describe('the heartbeat', () => {
  test('drops a client that does not answer, and keeps one that does', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    const dead = await open({ autoPong: false }, timed);
    const alive = await open({}, timed);
    for (let beat = 0; beat < 3; beat += 1) {
      const pinged = once(alive.raw, 'ping');
      await clock.advance(15_000);
      await pinged;
      // Its answer has been read when what follows it is.
      await alive.settled();
    }
    expect((await dead.closed).code).toBe(1006);
    expect(alive.raw.readyState).toBe(alive.raw.OPEN);
  });

  test('asks nobody before its time', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock, config: { 'realtime.heartbeatSec': '30' } });
    const socket = await open({}, timed);
    let pings = 0;
    socket.raw.on('ping', () => (pings += 1));
    await clock.advance(29_999);
    await socket.settled();
    expect(pings).toBe(0);
    await clock.advance(1);
    await socket.settled();
    expect(pings).toBe(1);
  });
});

test('a host that stops says so to every client, and waits for none that does not answer', async () => {
  const stopping = await startTestHost();
  const polite = await open({}, stopping);
  const deaf = await open({}, stopping);
  const { _socket: raw } = deaf.raw as unknown as { _socket: { pause(): void; resume(): void } };
  raw.pause();
  const stopped = stopping.close();
  expect(await polite.closed).toEqual({ code: 1001, reason: 'the host is stopping' });
  await stopped;
});
