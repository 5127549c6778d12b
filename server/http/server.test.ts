import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { Agent, get } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createSystemClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createSystemRandom } from '../ports/random.ts';
import { newFolder } from '../../test/host.ts';
import { createHttpsServer, type HttpsServer } from './server.ts';
import { createTls } from './tls.ts';

async function newServer(listener: RequestListener = (_, response) => response.end('served')) {
  const folder = newFolder();
  const tls = await createTls({
    folder,
    names: [],
    ownCertificate: null,
    clock: createSystemClock(),
    random: createSystemRandom(),
    log: createMemoryLog(),
    interfaces: () => ({}),
  });
  onTestFinished(() => {
    tls.close();
    rmSync(folder, { recursive: true });
  });
  return { https: createHttpsServer(tls, listener), ca: tls.caCertificate ?? '' };
}

const portOf = (url: string): number => Number(new URL(url).port);

describe('the URL of a server that listens', () => {
  const places: [host: string, url: RegExp][] = [
    ['127.0.0.1', /^https:\/\/127\.0\.0\.1:\d+$/],
    ['localhost', /^https:\/\/localhost:\d+$/],
    ['0.0.0.0', /^https:\/\/127\.0\.0\.1:\d+$/],
    ['::', /^https:\/\/\[::1\]:\d+$/],
    ['::1', /^https:\/\/\[::1\]:\d+$/],
  ];
  const here = Object.values(networkInterfaces()).flatMap((each = []) => each.map(({ address }) => address));
  // A machine without IPv6 cannot listen there.
  test.each(places.filter(([host]) => !host.includes(':') || here.includes('::1')))(
    'on %s leads to it from this machine',
    async (host, url) => {
      const { https } = await newServer();
      expect(await https.listen(host, 0)).toMatch(url);
      await https.close(0);
    },
  );
});

describe('a server that closes', () => {
  /** Each opens a connection that would stay open as long as its client likes. */
  const stuck: [title: string, open: (port: number, ca: string) => Promise<Socket>][] = [
    ['says nothing at all', async (port) => opened(connectTcp(port, '127.0.0.1'), 'connect')],
    [
      'breaks off in the TLS handshake',
      async (port) => {
        const socket = await opened(connectTcp(port, '127.0.0.1'), 'connect');
        socket.write(Buffer.from('160301', 'hex'));
        return socket;
      },
    ],
    [
      'has shaken hands and asks nothing',
      async (port, ca) => opened(connectTls({ port, ca }), 'secureConnect'),
    ],
    [
      'breaks off in its request',
      async (port, ca) => {
        const socket = await opened(connectTls({ port, ca }), 'secureConnect');
        socket.write('GET / HTTP/1.1\r\nHo');
        return socket;
      },
    ],
    [
      'has become something else, and does not answer',
      async (port, ca) => {
        const socket = await opened(connectTls({ port, ca }), 'secureConnect');
        socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        await once(socket, 'data');
        return socket;
      },
    ],
  ];
  async function opened(socket: Socket, event: string): Promise<Socket> {
    socket.on('error', () => {});
    await once(socket, event);
    return socket;
  }

  test.each(stuck)('waits no longer than it is told for a client that %s', async (_, open) => {
    const { https, ca } = await newServer();
    https.server.on('upgrade', (_request, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    );
    const url = await https.listen('127.0.0.1', 0);
    const accepted = once(https.server, 'connection');
    const socket = await open(portOf(url), ca);
    await accepted;
    const gone = once(socket.resume(), 'close');
    await https.close(10);
    await gone;
  });

  test('lets a request that is under way be answered', async () => {
    const asked = Promise.withResolvers<() => void>();
    const { https, ca } = await newServer((_, response) => asked.resolve(() => response.end('served')));
    const url = await https.listen('127.0.0.1', 0);
    // Kept by the client for the next request, which never comes.
    const agent = new Agent({ ca, keepAlive: true });
    const answer = new Promise<string>((resolve, reject) => {
      get(url, { agent }, async (response) => resolve((await response.toArray()).join(''))).on(
        'error',
        reject,
      );
    });
    const finish = await asked.promise;
    const closed = https.close(60_000);
    finish();
    expect(await answer).toBe('served');
    await closed;
  });

  test('does nothing where it never listened, and nothing the second time', async () => {
    const { https } = await newServer();
    await https.close(0);
    await https.listen('127.0.0.1', 0);
    await https.close(0);
    await https.close(0);
  });
});

describe('a server that cannot listen', () => {
  test('names the port that is taken', async () => {
    const { https } = await newServer();
    const port = portOf(await https.listen('127.0.0.1', 0));
    const { https: second } = await newServer();
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'port-in-use',
      message: `Another program listens on 127.0.0.1:${port}. Stop it, or set http.port.`,
    });
    await https.close(0);
  });

  const faults: [code: string, host: string, expected: string, message: RegExp][] = [
    ['EACCES', '127.0.0.1', 'port-in-use', /^Port 443 needs more rights/],
    [
      'EADDRNOTAVAIL',
      '192.0.2.1',
      'address-unavailable',
      /^Cannot listen on 192\.0\.2\.1:443 \(EADDRNOTAVAIL\)/,
    ],
    [
      'ENOTFOUND',
      'nowhere.example',
      'address-unavailable',
      /^Cannot listen on nowhere\.example:443 \(ENOTFOUND\)/,
    ],
  ];
  test.each(faults)('says what to do about %s', async (code, host, expected, message) => {
    const { https } = await newServer();
    // This account may well have every right: the system's answer is given in its place.
    https.server.listen = function (this: HttpsServer['server']) {
      process.nextTick(() => this.emit('error', Object.assign(new Error(code), { code })));
      return this;
    } as HttpsServer['server']['listen'];
    await expect(https.listen(host, 443)).rejects.toMatchObject({
      code: expected,
      message: expect.stringMatching(message),
    });
  });
});
