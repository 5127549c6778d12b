/** The SignalR hub from a page of another origin, in a real browser with the official client. */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import type { Browser, Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchBrowser } from './browser.ts';
import { startTestHost } from './host.ts';
import { JWT } from './scenario.ts';
import { TRANSPORTS, type ProtocolName, type TransportName } from './signalr.ts';

const { resolve } = createRequire(import.meta.url);
const SCRIPTS: Readonly<Record<string, string>> = {
  '/signalr.js': resolve('@microsoft/signalr/dist/browser/signalr.js'),
  '/messagepack.js': resolve('@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.js'),
};

/** An HMI's own web server; the same page by two names is of two origins. */
const pages = createServer(({ url = '' }, response) => {
  const file = SCRIPTS[url];
  response.setHeader('Content-Type', file === undefined ? 'text/html' : 'text/javascript');
  const links = Object.keys(SCRIPTS).map((path) => `<script src="${path}"></script>`);
  response.end(
    file === undefined ? `<!doctype html><title>HMI</title>${links.join('')}` : readFileSync(file),
  );
}).listen(0, '127.0.0.1');
await once(pages, 'listening');
const { port } = pages.address() as AddressInfo;
const TRUSTED = `http://127.0.0.1:${port}`;
const FOREIGN = `http://localhost:${port}`;

const house = await startTestHost({ config: { 'http.trustedOrigins': TRUSTED } });
await house.addUser('olivia');
const { app: hmi, key } = await house.addApp('HMI', { users: { olivia: '5' } });
const browser: Browser = await launchBrowser([`--ignore-certificate-errors-spki-list=${await keyHash()}`]);
afterAll(async () => {
  await browser.close();
  await house.close();
  pages.close();
});

/** Of the host's certificate: the browser is to trust this one and no other. */
async function keyHash(): Promise<string> {
  const socket = connect({ port: house.port, ca: house.ca });
  await once(socket, 'secureConnect');
  const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

async function openPage(origin: string): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(origin);
  return page;
}

interface Way {
  readonly url: string;
  readonly transport: number;
  readonly protocol: ProtocolName;
  readonly key: string;
  readonly appId: string;
}

/** Runs in the page: connects, subscribes, and resolves with what it is told first, or with why it is not. */
async function subscribeInPage({ url, transport, protocol, key, appId }: Way): Promise<unknown> {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the scripts of the page have put it there
  const { signalR } = globalThis as any;
  const builder = new signalR.HubConnectionBuilder().configureLogging(signalR.LogLevel.None);
  // The key comes as the access token where the page cannot set headers, and in a header where it can.
  builder.withUrl(url, { transport, accessTokenFactory: () => key, headers: { 'X-App-Key': key } });
  if (protocol === 'messagepack') {
    builder.withHubProtocol(new signalR.protocols.msgpack.MessagePackHubProtocol());
  }
  const connection = builder.build();
  const told = new Promise((resolve) => connection.on('UserChanged', resolve));
  try {
    await connection.start();
    await connection.invoke('Subscribe', appId);
    const { TokenExpires, ...auth } = (await told) as { TokenExpires: unknown };
    return { ...auth, expires: new Date(TokenExpires as string).toISOString().length };
  } catch {
    return 'refused';
  } finally {
    await connection.stop();
  }
}

const WAYS: [TransportName, ProtocolName][] = [
  ['WebSockets', 'json'],
  ['WebSockets', 'messagepack'],
  ['ServerSentEvents', 'json'],
  ['LongPolling', 'json'],
  ['LongPolling', 'messagepack'],
];

describe.each(WAYS)('over %s in %s', (transport, protocol) => {
  const url = `${house.url}/authHub`;
  const way: Way = { url, transport: TRANSPORTS[transport], protocol, key, appId: hmi.id };

  test('a page of a trusted origin is told who is there, and the token for its key', async () => {
    await house.signIn('olivia', hmi.id);
    const page = await openPage(TRUSTED);
    expect(await page.evaluate(subscribeInPage, way)).toEqual({
      Authenticated: true,
      User: 'olivia',
      Role: '5',
      Token: JWT,
      expires: 24,
    });
  });

  test('a page of another origin is told nothing', async () => {
    const page = await openPage(FOREIGN);
    expect(await page.evaluate(subscribeInPage, way)).toBe('refused');
  });
});

test('a page of another origin is refused a WebSocket without a negotiation as well', async () => {
  const page = await openPage(FOREIGN);
  const outcome = await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = () => resolve('open');
        socket.onclose = () => resolve('refused');
      }),
    `${house.url.replace('https', 'wss')}/authHub`,
  );
  expect(outcome).toBe('refused');
});
