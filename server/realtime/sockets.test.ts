import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createConnection, type AddressInfo, type Socket as NetSocket } from 'node:net';
import fc from 'fast-check';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { connect, type Socket, type SocketOptions } from '../../test/socket.ts';
import { createPlaces } from './places.ts';
import { openSockets, type AcceptedSocket, type MountLimits } from './sockets.ts';

const TRUSTED = 'https://hmi.example:8080';

interface DoorOptions extends Partial<MountLimits> {
  readonly serve?: (socket: AcceptedSocket) => void;
  readonly paths?: readonly string[];
  readonly heartbeatSec?: number;
  readonly messagesPerSec?: number;
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
}

/** Says again what it is told, in the same kind of frame. */
function echo(socket: AcceptedSocket): void {
  socket.onMessage((data) => socket.write(data));
}

/** A door on a plain HTTP server; what it serves is an echo where a test gives nothing else. */
async function openDoor(options: DoorOptions = {}) {
  const { serve = echo, paths = ['/ws'], maxMessageBytes = 4096, firstMessageSec } = options;
  const { heartbeatSec = 15, messagesPerSec = 50 } = options;
  const { maxConnections = 1000, maxConnectionsPerAddress = 1000 } = options;
  const clock = createFixedClock();
  const log = createMemoryLog();
  const server: Server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const places = createPlaces({ clock, log }, { maxConnections, maxConnectionsPerAddress });
  const sockets = openSockets(
    server,
    { clock, log, places },
    { heartbeatSec, messagesPerSec, trustedOrigins: [TRUSTED] },
  );
  sockets.mount(paths, serve, { maxMessageBytes, ...(firstMessageSec !== undefined && { firstMessageSec }) });
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  return {
    clock,
    log,
    server,
    sockets,
    port,
    host: `127.0.0.1:${port}`,
    async connect(socketOptions: SocketOptions = {}): Promise<Socket> {
      const socket = await connect({ url: `http://127.0.0.1:${port}`, ca: '' }, socketOptions);
      clients.push(socket);
      return socket;
    },
    close(): void {
      for (const { raw } of clients) raw.terminate();
      sockets.close();
      server.close();
    },
  };
}

async function open(options: DoorOptions = {}) {
  const door = await openDoor(options);
  onTestFinished(door.close);
  return door;
}

/** The TCP connection below. */
const wireOf = ({ raw }: Socket): NetSocket => (raw as unknown as { _socket: NetSocket })._socket;

function sendInPieces(socket: Socket, text: string, size = 1000): void {
  for (let at = 0; at < text.length; at += size) {
    socket.raw.send(text.slice(at, at + size), { fin: at + size >= text.length });
  }
}

describe('the handshake', async () => {
  const door = await openDoor({ paths: ['/ws', '/Signals/Hub'] });
  afterAll(door.close);

  test.each([
    ['at another path', { path: '/' }, 404],
    ['at a path below', { path: '/ws/more' }, 404],
    ['at a path that is ours but for two slashes', { path: '/ws//' }, 404],
    ['from a page of another site', { origin: 'https://elsewhere.example' }, 403],
    ['from a page that will not say of which', { origin: 'null' }, 403],
    ['from a page of our name without TLS', { origin: `http://${door.host}` }, 403],
    ['from another site by fetch metadata', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
  ])('%s is refused', async (_, options, status) => {
    await expect(door.connect(options)).rejects.toThrow(`refused: ${status}`);
  });

  test.each([
    ['without an origin, as programs that are no browsers', {}],
    ['from our own page', { origin: `https://${door.host}` }],
    ['from a page of a trusted origin', { origin: TRUSTED }],
    ['with a query', { path: '/ws?x=1' }],
    ['in capitals and with a closing slash', { path: '/WS/' }],
    ['at another path of the same door', { path: '/signals/hub?id=1' }],
  ])('%s is taken', async (_, options) => {
    const socket = await door.connect(options);
    socket.send('"hello"');
    expect(await socket.next()).toBe('hello');
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
    const socket = createConnection(door.port, '127.0.0.1');
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(head.toString().split(' ')[1]).toBe(status);
    socket.destroy();
  });

  test('that is refused leaves no connection behind, even of a client that never closes its end', async () => {
    const connected = once(door.server, 'connection') as Promise<[NetSocket]>;
    const client = createConnection({ port: door.port, host: '127.0.0.1', allowHalfOpen: true }).resume();
    client.write('GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [connection] = await connected;
    await once(connection, 'close');
    client.destroy();
  });
});

describe('how many may be connected', () => {
  test('is limited in all, and whoever goes makes room', async () => {
    const door = await open({ maxConnections: 2 });
    const [first] = [await door.connect(), await door.connect()];
    await expect(door.connect()).rejects.toThrow('refused: 503');
    first.raw.terminate();
    await first.closed;
    expect(await again(() => door.connect())).toBeDefined();
  });

  test('is limited for each address', async () => {
    const door = await open({ maxConnectionsPerAddress: 1 });
    await door.connect();
    await expect(door.connect()).rejects.toThrow('refused: 429');
    const elsewhere = await door.connect({ localAddress: '127.0.0.2' });
    elsewhere.send('1');
    expect(await elsewhere.next()).toBe(1);
  });

  test('does not count handshakes that failed', async () => {
    const door = await open({ maxConnections: 1 });
    for (let at = 0; at < 3; at += 1) {
      const wire = createConnection(door.port, '127.0.0.1');
      wire.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      wire.resume();
      await once(wire, 'close');
    }
    expect(await again(() => door.connect())).toBeDefined();
  });

  /** The host hears of a connection's end a moment after its client. */
  async function again(attempt: () => Promise<Socket>): Promise<Socket> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!/refused: 503/.test((error as Error).message)) throw error;
      }
    }
  }
});

describe('a message', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])('of %i bytes goes both ways', async (length) => {
    const door = await open({ maxMessageBytes: 100_000 });
    const socket = await door.connect();
    const said: unknown[] = [];
    socket.raw.on('message', (data: Buffer, isBinary) => said.push([isBinary, data.toString()]));
    const text = 'ü€'.repeat(Math.ceil(length / 5)).slice(0, Math.floor(length / 3));
    socket.raw.send(Buffer.alloc(length, 'x'));
    socket.raw.send('x'.repeat(length));
    socket.raw.send(text);
    await socket.settled();
    expect(said).toEqual([
      [true, 'x'.repeat(length)],
      [false, 'x'.repeat(length)],
      [false, text],
    ]);
  });

  test('in the pieces of a slow line is read as one', async () => {
    const door = await open();
    const socket = await door.connect();
    sendInPieces(socket, JSON.stringify('x'.repeat(3500)));
    expect(await socket.next()).toHaveLength(3500);
  });

  test.each([
    [
      'larger than it may be',
      (socket: Socket) => socket.send('x'.repeat(4097)),
      1009,
      'send messages of at most 4096 bytes',
    ],
    [
      'larger than it may be, in pieces',
      (socket: Socket) => sendInPieces(socket, 'x'.repeat(4097)),
      1009,
      'send messages of at most 4096 bytes',
    ],
    [
      'that says it is a gigabyte',
      (socket: Socket) => wireOf(socket).write(Buffer.from('82ff0000000040000000', 'hex')),
      1009,
      'send messages of at most 4096 bytes',
    ],
    [
      'that is not UTF-8',
      (socket: Socket) => socket.raw.send(Buffer.from([0xff]), { binary: false }),
      1007,
      'send text as UTF-8',
    ],
    [
      'in more pieces than anyone needs',
      (socket: Socket) => sendInPieces(socket, ' '.repeat(1100), 1),
      1008,
      'send a message in fewer pieces',
    ],
    [
      'with reserved bits set, which nothing was agreed on',
      (socket: Socket) => wireOf(socket).write(Buffer.from('f18000000000', 'hex')),
      1002,
      'send frames as RFC 6455 has them',
    ],
  ])('%s ends its own connection with a reason, and no other', async (_, send, code, reason) => {
    const door = await open();
    const bystander = await door.connect();
    const socket = await door.connect();
    send(socket);
    expect(await socket.closed).toEqual({ code, reason });
    expect(socket.waiting()).toEqual([]);
    bystander.send('1');
    expect(await bystander.next()).toBe(1);
  });

  test('whose answer fails ends its connection with a defect, which the log has', async () => {
    const door = await open({
      serve(socket) {
        socket.onMessage(() => {
          throw new Error('broken on purpose');
        });
        socket.onGone(() => {
          throw new Error('broken on purpose');
        });
      },
    });
    const bystander = await door.connect();
    const socket = await door.connect();
    socket.send('1');
    expect(await socket.closed).toEqual({ code: 1011, reason: 'the host could not answer; connect again' });
    await bystander.settled();
    const defects = door.log.lines.filter(({ level }) => level === 'error');
    expect(new Set(defects.map(({ msg }) => msg))).toEqual(new Set(['serving a WebSocket client failed']));
  });

  test('of whatever bytes in whatever pieces never ends the process, and is answered or ends its connection', async () => {
    const door = await open();
    const frames = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        // A well-formed masked frame of any opcode, with a mask of zeros.
        fc
          .tuple(fc.nat(255), fc.uint8Array({ maxLength: 125 }))
          .map(([first, bytes]) =>
            Buffer.concat([Buffer.from([first, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]),
          ),
      ),
      { minLength: 1, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(frames, async (chunks) => {
        const socket = await door.connect();
        const wire = wireOf(socket);
        for (const chunk of chunks) wire.write(chunk);
        wire.end();
        const { code } = await socket.closed;
        expect([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 4429]).toContain(
          code >= 3000 && code !== 4429 ? 1000 : code,
        );
      }),
      { numRuns: 60 },
    );
    const socket = await door.connect();
    socket.send('1');
    expect(await socket.next()).toBe(1);
    expect(door.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a client that sends too much', () => {
  const FULL = { code: 4429, reason: 'send fewer messages, at most 50 a second' };

  test.each([
    ['messages', (socket: Socket) => socket.send('1')],
    ['pings', (socket: Socket) => socket.raw.ping()],
    ['pongs', (socket: Socket) => socket.raw.pong()],
  ])('of %s is closed, and what it sends behind that does nothing', async (_, send) => {
    let heard = 0;
    const door = await open({ serve: (socket) => socket.onMessage(() => (heard += 1)) });
    const bystander = await door.connect();
    const socket = await door.connect();
    for (let at = 0; at < 1000; at += 1) send(socket);
    expect(await socket.closed).toEqual(FULL);
    expect(heard).toBeLessThanOrEqual(200);
    await bystander.settled();
  });

  test('may send four seconds of messages at once, and as many a second for long', async () => {
    const door = await open();
    const socket = await door.connect();
    const say = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 1) socket.send(String(at));
      for (let at = 0; at < count; at += 1) expect(await socket.next()).toBe(at);
    };
    await say(200);
    for (let second = 0; second < 5; second += 1) {
      await door.clock.advance(1000);
      await say(50);
    }
    socket.send('1');
    expect(await socket.closed).toEqual(FULL);
  });
});

describe('a client that says nothing', () => {
  test('is closed when its time for a first message is over, and one that has spoken is not', async () => {
    const door = await open({ firstMessageSec: 10 });
    const silent = await door.connect();
    const quiet = await door.connect();
    quiet.send('1');
    await quiet.next();
    await door.clock.advance(9_999);
    await silent.settled();
    await door.clock.advance(1);
    expect(await silent.closed).toEqual({ code: 4408, reason: 'send a message within 10 s of connecting' });
    await quiet.settled();
  });

  test('stays where nobody expects anything of it', async () => {
    const door = await open();
    const silent = await door.connect();
    await door.clock.advance(14_000);
    await silent.settled();
  });
});

describe('the heartbeat', () => {
  test('drops a client that does not answer, and keeps one that does', async () => {
    const door = await open();
    const dead = await door.connect({ autoPong: false });
    const alive = await door.connect();
    for (let beat = 0; beat < 3; beat += 1) {
      const pinged = once(alive.raw, 'ping');
      await door.clock.advance(15_000);
      await pinged;
      // Its answer has been read when what follows it is.
      await alive.settled();
    }
    expect((await dead.closed).code).toBe(1006);
    expect(alive.raw.readyState).toBe(alive.raw.OPEN);
  });

  test('takes a message for a sign of life', async () => {
    const door = await open();
    const socket = await door.connect({ autoPong: false });
    for (let beat = 0; beat < 3; beat += 1) {
      const pinged = once(socket.raw, 'ping');
      await door.clock.advance(15_000);
      await pinged;
      socket.send('1');
      await socket.next();
    }
    expect(socket.raw.readyState).toBe(socket.raw.OPEN);
  });

  test('asks once in its time', async () => {
    const door = await open({ heartbeatSec: 30 });
    const socket = await door.connect();
    let pings = 0;
    socket.raw.on('ping', () => (pings += 1));
    await door.clock.advance(29_999);
    await socket.settled();
    expect(pings).toBe(0);
    await door.clock.advance(1);
    await socket.settled();
    expect(pings).toBe(1);
  });
});

describe('a client that does not read', () => {
  /** More than the kernel takes for a connection on its way. */
  const CHUNK = Buffer.alloc(1_000_000);
  const MOST_CHUNKS = 200;

  async function openStalled() {
    const served: AcceptedSocket[] = [];
    const door = await open({ serve: (socket) => void served.push(socket) });
    const client = await door.connect();
    const [socket] = served;
    wireOf(client).pause();
    let chunks = 0;
    for (; !socket!.isBehind && chunks < MOST_CHUNKS; chunks += 1) {
      socket!.write(CHUNK);
      // What the kernel takes it takes now.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { door, client, socket: socket!, chunks };
  }

  test('is behind until it has read, and what is written meanwhile comes in order', async () => {
    const { client, socket, chunks } = await openStalled();
    expect(socket.isBehind).toBe(true);
    const drained = new Promise<void>((resolve) => socket.onDrained(resolve));
    socket.write('"last"');
    const sizes: number[] = [];
    const last = new Promise<void>((resolve) =>
      client.raw.on('message', (data: Buffer, isBinary) => {
        if (isBinary) sizes.push(data.length);
        else resolve();
      }),
    );
    wireOf(client).resume();
    await Promise.all([drained, last]);
    expect(socket.isBehind).toBe(false);
    expect(sizes).toEqual(Array.from({ length: chunks }, () => CHUNK.length));
  });

  test('hears the code of its close once it reads on', async () => {
    const { client, socket } = await openStalled();
    socket.close(4408, 'too slow');
    wireOf(client).resume();
    expect(await client.closed).toEqual({ code: 4408, reason: 'too slow' });
  });

  test('is cut off where it does not read on', async () => {
    const { door, client, socket } = await openStalled();
    const gone = new Promise<void>((resolve) => socket.onGone(resolve));
    socket.close(4408, 'too slow');
    await door.clock.advance(4_999);
    expect(socket.request.socket.destroyed).toBe(false);
    await door.clock.advance(1);
    expect(socket.request.socket.destroyed).toBe(true);
    await gone;
    wireOf(client).resume();
    expect((await client.closed).code).toBe(1006);
  });
});

test('doors that close say so to every client, and take no more', async () => {
  const door = await open();
  const clients = [await door.connect(), await door.connect()];
  door.sockets.close();
  for (const { closed } of clients) {
    expect(await closed).toEqual({ code: 1001, reason: 'the host is stopping' });
  }
  await expect(door.connect()).rejects.toThrow('refused: 503');
});
