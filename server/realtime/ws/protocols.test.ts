import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket as NetSocket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFixedClock } from '../../ports/clock.ts';
import { createMemoryLog } from '../../ports/log.ts';
import { connect, type Socket } from '../../../test/socket.ts';
import { createPlaces } from '../places.ts';
import { openSockets } from '../sockets.ts';
import { speak, type Peer, type Protocol } from './protocols.ts';

const MAX_BEHIND_SEC = 10;
/** So large that few of them fill what the kernel takes for a connection on its way. */
const PADDING = 'x'.repeat(500_000);

/** A protocol of this name: it hears every message and tells every peer what a test has to tell. */
function createProtocol(name: string) {
  const peers: Peer[] = [];
  const heard: string[] = [];
  let ended = 0;
  const protocol: Protocol = {
    recognises: (message) => message.startsWith(name),
    start(peer) {
      peers.push(peer);
      return { hear: (message) => heard.push(message), end: () => (ended += 1) };
    },
  };
  return {
    protocol,
    peers,
    heard,
    ended: () => ended,
    tell(key: string, value: number): void {
      for (const peer of peers) peer.outbox.post(key, () => JSON.stringify({ key, value, PADDING }));
    },
  };
}

async function open() {
  const clock = createFixedClock();
  const log = createMemoryLog();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const places = createPlaces({ clock, log }, { maxConnections: 10, maxConnectionsPerAddress: 10 });
  const options = { heartbeatSec: 300, messagesPerSec: 50, trustedOrigins: [] };
  const sockets = openSockets(server, { clock, log, places }, options);
  const [first, second] = [createProtocol('first'), createProtocol('second')];
  const serve = speak([first.protocol, second.protocol], { clock, log }, { maxBehindSec: MAX_BEHIND_SEC });
  sockets.mount(['/ws'], serve, { maxMessageBytes: 4096 });
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    sockets.close();
    server.close();
  });
  return {
    clock,
    log,
    first,
    second,
    async connect(): Promise<Socket> {
      const socket = await connect({ url: `http://127.0.0.1:${port}`, ca: '' });
      onTestFinished(() => socket.raw.terminate());
      return socket;
    },
  };
}

const wireOf = ({ raw }: Socket): NetSocket => (raw as unknown as { _socket: NetSocket })._socket;

describe('the first message', () => {
  test('decides on the protocol, which then hears it and all that follow', async () => {
    const { first, second, connect: join } = await open();
    const socket = await join();
    socket.send('second: hello');
    socket.send('first: hello');
    await socket.settled();
    expect([first.heard, second.heard]).toEqual([[], ['second: hello', 'first: hello']]);
    expect([first.peers.length, second.peers.length]).toEqual([0, 1]);
    socket.close();
    await socket.closed;
    expect(second.ended()).toBe(1);
  });

  test.each([
    ['of no protocol', 'third', 'send an AppId, or {"type":"subscribe",...}'],
    ['that is empty', '', 'send an AppId, or {"type":"subscribe",...}'],
    ['of bytes', Buffer.from('first'), 'send text, not binary'],
  ])('%s ends the connection', async (_, message, reason) => {
    const { first, connect: join } = await open();
    const socket = await join();
    socket.raw.send(message);
    expect(await socket.closed).toEqual({ code: 4400, reason });
    expect(first.peers).toEqual([]);
  });

  test('may be followed by text only', async () => {
    const { connect: join } = await open();
    const socket = await join();
    socket.send('first');
    socket.raw.send(Buffer.from('first'));
    expect(await socket.closed).toEqual({ code: 4400, reason: 'send text, not binary' });
  });
});

describe('a client that stops reading', () => {
  interface Told {
    readonly key: string;
    readonly value: number;
  }

  async function openWithSlowAndQuick() {
    const door = await open();
    const [slow, quick] = [await door.connect(), await door.connect()];
    for (const socket of [slow, quick]) socket.send('first');
    await Promise.all([slow.settled(), quick.settled()]);
    wireOf(slow).pause();
    let value = 0;
    return {
      ...door,
      slow,
      quick,
      /** Tells so many states under each of two keys; the quick client has heard each before the next. */
      async tell(count: number): Promise<number> {
        for (let at = 0; at < count; at += 1) {
          value += 1;
          for (const key of ['a', 'b']) {
            door.first.tell(key, value);
            expect(await quick.next<Told>()).toMatchObject({ key, value });
          }
        }
        return value;
      },
    };
  }

  test('is told the newest when it reads again, never an older after a newer, and not all there was', async () => {
    const { slow, tell } = await openWithSlowAndQuick();
    const last = await tell(60);
    wireOf(slow).resume();
    const seen: Record<string, number[]> = { a: [], b: [] };
    while (seen['a']?.at(-1) !== last || seen['b']?.at(-1) !== last) {
      const { key, value } = await slow.next<Told>();
      seen[key]?.push(value);
    }
    for (const values of Object.values(seen)) {
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
      expect(values.length).toBeLessThan(last);
    }
    await slow.settled();
    expect(slow.waiting()).toEqual([]);
  });

  test('is dropped with 4408 where it stays behind, while others hear at once', async () => {
    const { clock, log, slow, quick, tell } = await openWithSlowAndQuick();
    await tell(60);
    await clock.advance(MAX_BEHIND_SEC * 1000);
    expect(log.lines).toMatchObject([{ msg: 'a subscriber that reads too slowly was dropped' }]);
    const last = await tell(3);
    wireOf(slow).resume();
    const { code, reason } = await slow.closed;
    expect([code, reason]).toEqual([4408, 'read faster: newer states than these were waiting for too long']);
    const values = (slow.waiting() as Told[]).map((told) => told.value);
    expect(values).not.toContain(last);
    await quick.settled();
    expect(quick.raw.readyState).toBe(quick.raw.OPEN);
  });
});
