import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFixedClock } from '../server/ports/clock.ts';
import { startTcpProxy, type ProxyEvent, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';

/** One side of a connection: what it was sent, and how it ended for it. */
interface Side {
  readonly socket: Socket;
  /** Resolves with all that came, once it is that long. */
  received(length: number): Promise<Buffer>;
  /** The pieces in which it came. */
  readonly chunks: readonly Buffer[];
  readonly gone: Promise<'ended' | 'reset'>;
}

function sideOf(socket: Socket): Side {
  const chunks: Buffer[] = [];
  const length = (): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const ended = Promise.withResolvers<'ended' | 'reset'>();
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => ended.resolve('ended'));
  socket.on('error', () => ended.resolve('reset'));
  return {
    socket,
    chunks,
    gone: ended.promise,
    async received(wanted) {
      while (length() < wanted) await once(socket, 'data');
      return Buffer.concat(chunks);
    },
  };
}

let server: Server;
let proxy: TcpProxy;
const sockets = new Set<Socket>();
const accepted: PromiseWithResolvers<Side>[] = [];

async function start(options: Partial<TcpProxyOptions> = {}): Promise<void> {
  proxy = await startTcpProxy({ target: (server.address() as AddressInfo).port, ...options });
}

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    accepted.shift()?.resolve(sideOf(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  accepted.splice(0);
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

/** Both ends of a connection through the proxy. */
async function open(): Promise<{ client: Side; peer: Side }> {
  const other = Promise.withResolvers<Side>();
  accepted.push(other);
  const client = sideOf(await attempt());
  return { client, peer: await other.promise };
}

async function attempt(): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.add(socket);
  await once(socket, 'connect');
  return socket;
}

const text = (side: Side): string => Buffer.concat(side.chunks).toString();

/** Lets what is under way come to its end: turns of the event loop in which every socket is served. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a TCP proxy', () => {
  it('passes everything on in both directions, and tells what it saw', async () => {
    await start();
    const { client, peer } = await open();
    client.socket.write('question');
    expect((await peer.received(8)).toString()).toBe('question');
    peer.socket.write('answer');
    expect((await client.received(6)).toString()).toBe('answer');
    client.socket.end();
    expect(await peer.gone).toBe('ended');
    peer.socket.write(' and more');
    expect((await client.received(15)).toString()).toBe('answer and more');
    peer.socket.end();
    expect(await client.gone).toBe('ended');
    expect(proxy.events.map(({ what, bytes }) => `${what} ${bytes}`)).toEqual([
      'opened 0',
      'up 8',
      'down 6',
      'client ended 0',
      'down 9',
      'server ended 0',
    ]);
  });

  it('passes a reset on as a reset', async () => {
    await start();
    const { client, peer } = await open();
    client.socket.resetAndDestroy();
    expect(await peer.gone).toBe('reset');
  });

  it('swallows bytes and ends while the connection stays, and lets later ones through once healed', async () => {
    await start();
    const { client, peer } = await open();
    const heal = proxy.impair({ do: 'swallow' });
    const both = Promise.all([saw('up'), saw('down')]);
    client.socket.write('lost');
    peer.socket.write('lost');
    await both;
    heal();
    client.socket.write('found');
    expect((await peer.received(5)).toString()).toBe('found');
    expect(text(client)).toBe('');

    proxy.impair({ do: 'swallow' });
    const ended = saw('client ended');
    client.socket.end();
    await ended;
    await settled();
    expect(peer.socket.readableEnded).toBe(false);
  });

  it('holds bytes until it is healed', async () => {
    await start();
    const { client, peer } = await open();
    const heal = proxy.impair({ do: 'hold' }, { direction: 'up', from: 3 });
    const came = saw('up');
    client.socket.write('onetwo');
    await came;
    expect((await peer.received(3)).toString()).toBe('one');
    peer.socket.write('the other way is free');
    await client.received(21);
    expect(text(peer)).toBe('one');
    heal();
    expect((await peer.received(6)).toString()).toBe('onetwo');
  });

  it('holds back a sender that fills its buffers', async () => {
    await start();
    const { client, peer } = await open();
    proxy.impair({ do: 'hold' });
    const much = Buffer.alloc(16 * 1024 * 1024, 'x');
    expect(client.socket.write(much)).toBe(false);
    await settled();
    expect(client.socket.writableNeedDrain).toBe(true);
    await proxy.heal();
    expect((await peer.received(much.length)).equals(much)).toBe(true);
  });

  it('delays bytes by the clock, in their order', async () => {
    const clock = createFixedClock();
    await start({ clock });
    const { client, peer } = await open();
    proxy.impair({ do: 'delay', ms: 100 }, { direction: 'up' });
    for (const word of ['one ', 'two ', 'end']) {
      const came = saw('up');
      client.socket.write(word);
      await came;
      await clock.advance(40);
    }
    expect((await peer.received(4)).toString()).toBe('one ');
    await clock.advance(59);
    expect((await peer.received(8)).toString()).toBe('one two ');
    await clock.advance(1);
    expect((await peer.received(11)).toString()).toBe('one two end');
  });

  it('throttles bytes by the clock', async () => {
    const clock = createFixedClock();
    await start({ clock });
    const { client, peer } = await open();
    proxy.impair({ do: 'throttle', bytesPerSec: 1000 });
    const came = saw('up');
    client.socket.write(Buffer.alloc(1000, 'x'));
    await came;
    await clock.advance(500);
    expect((await peer.received(500)).length).toBe(500);
    await clock.advance(500);
    expect((await peer.received(1000)).length).toBe(1000);
  });

  it('garbles bytes from the one that was named on, the same on every connection', async () => {
    await start();
    const seen: string[] = [];
    proxy.impair({ do: 'garble', seed: 'noise' }, { direction: 'up', from: 4 });
    for (let connection = 0; connection < 2; connection += 1) {
      const { client, peer } = await open();
      client.socket.write('good bad');
      seen.push((await peer.received(8)).toString('latin1'));
    }
    expect(seen[0]).toMatch(/^good(?! bad)/);
    expect(seen[1]).toBe(seen[0]);
  });

  it('duplicates bytes', async () => {
    await start();
    const { client, peer } = await open();
    proxy.impair({ do: 'duplicate' });
    client.socket.write('again ');
    expect((await peer.received(12)).toString()).toBe('again again ');
  });

  it('splits bytes into pieces that come one by one', async () => {
    await start();
    const { client, peer } = await open();
    proxy.impair({ do: 'split', bytes: 1 });
    client.socket.write('abcdefgh');
    await peer.received(8);
    expect(peer.chunks.map(String)).toEqual([...'abcdefgh']);
  });

  it.each([
    ['close', 'ended'],
    ['cut', 'reset'],
  ] as const)('truncates a stream: %s after so many bytes', async (fault, end) => {
    await start();
    const { client, peer } = await open();
    proxy.impair({ do: fault }, { direction: 'up', from: 5 });
    client.socket.write('truncated');
    expect([await client.gone, await peer.gone]).toEqual([end, end]);
    // A reset may overtake the bytes before it.
    expect('trunc').toContain(text(peer));
    expect(text(peer)).toBe(fault === 'close' ? 'trunc' : text(peer));
  });

  it('adds faults up', async () => {
    await start();
    const { client, peer } = await open();
    proxy.impair({ do: 'duplicate' });
    proxy.impair({ do: 'swallow' }, { from: 3 });
    client.socket.write('ab');
    expect((await peer.received(3)).toString()).toBe('aba');
  });

  it.each([
    ['cut', 'reset'],
    ['end', 'ended'],
  ] as const)('ends every connection at once: %s', async (how, end) => {
    await start();
    const { client, peer } = await open();
    proxy[how]();
    expect([await client.gone, await peer.gone]).toEqual([end, end]);
  });

  it.each(['client', 'server'] as const)(
    'leaves a connection half-open, with the %s believing in it',
    async (who) => {
      await start();
      const { client, peer } = await open();
      const [stays, goes] = who === 'client' ? [client, peer] : [peer, client];
      proxy.leaveHalfOpen(who);
      expect(await goes.gone).toBe('reset');
      const came = saw(who === 'client' ? 'up' : 'down');
      stays.socket.write('anybody?');
      await came;
      await settled();
      expect([stays.socket.destroyed, stays.socket.readableEnded]).toEqual([false, false]);
      expect(proxy.connections).toBe(who === 'client' ? 1 : 0);
    },
  );

  it('refuses connections, keeps those that are there, and takes new ones once healed', async () => {
    await start();
    const { client, peer } = await open();
    await proxy.refuse();
    await expect(attempt()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.socket.write('still here');
    await peer.received(10);
    await proxy.heal();
    const again = await open();
    again.client.socket.write('here too');
    await again.peer.received(8);
  });

  it('is a black hole: no attempt to connect is answered at all', async () => {
    await start();
    const { client, peer } = await open();
    await proxy.blackHole();
    const waiting = connect({ port: proxy.port, host: '127.0.0.1' });
    sockets.add(waiting);
    const answered: string[] = [];
    waiting.on('connect', () => answered.push('connected')).on('error', () => answered.push('refused'));
    const came = saw('up');
    client.socket.write('lost');
    await came;
    await settled();
    expect([waiting.connecting, answered, text(peer)]).toEqual([true, [], '']);
    waiting.destroy();
    await proxy.heal();
    const again = await open();
    again.client.socket.write('out again');
    await again.peer.received(9);
  });

  it('resets the client where the server is gone', async () => {
    await start();
    server.close();
    const client = sideOf(await attempt());
    expect(await client.gone).toBe('reset');
  });
});

function saw(what: ProxyEvent['what']): Promise<ProxyEvent> {
  return proxy.next((event) => event.what === what);
}
