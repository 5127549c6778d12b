/** Subscribers of one app in one process, in each form that the host serves, and those of the bare server. */
import { Agent, request as ask, type RequestOptions } from 'node:https';
import { WebSocket } from 'ws';
import type { Endpoint } from './client.ts';

/** `iauth`: a bare AppId over /ws; `native`: our own protocol there; `hub`, `hub-events`: SignalR over either transport. */
export type Form = 'bare' | 'iauth' | 'native' | 'hub' | 'hub-events';

export interface Told {
  /** When the first of them, and when the last, had the next message; as `performance.now` has it. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface Subscribers {
  /** Resolves when each of them has had a further message. */
  next(): Promise<Told>;
  /** The last message of the first of them. */
  lastMessage(): string;
  close(): void;
}

interface Subscriber {
  close(): void;
}

/** Where one subscriber connects, and where it tells what came. */
interface Wanted {
  readonly endpoint: Endpoint;
  readonly appId: string;
  /** The host admits so many from one address; other programs of this machine want some too. */
  readonly localAddress: string;
  heard(message: string): void;
  failed(error: Error): void;
}

/** A host by its defaults lets 1000 in from one address. */
const MOST_AN_ADDRESS = 500;
const AT_ONCE = 50;
const PATIENCE_MS = 30_000;
/** Ends each message of SignalR's JSON protocol. */
const END = '\x1e';
const PING = `{"type":6}${END}`;
/** As often as the official client does it. */
const PING_MS = 15_000;
const HANDSHAKE = `{"protocol":"json","version":1}${END}`;

/** Opens `count` of them, the forms in turn; resolves when each has been told the present state. */
export async function openSubscribers(
  endpoint: Endpoint,
  { forms, count, appId }: { forms: readonly Form[]; count: number; appId: string },
): Promise<Subscribers> {
  checkDescriptors(count);
  let last = '';
  let waiting:
    (Told & { missing: Set<number>; resolve(told: Told): void; reject(error: Error): void }) | null = null;
  function heard(index: number, message: string): void {
    if (index === 0) last = message;
    if (waiting?.missing.delete(index) !== true) return;
    const now = performance.now();
    waiting = { ...waiting, firstAt: Math.min(waiting.firstAt, now), lastAt: now };
    if (waiting.missing.size > 0) return;
    waiting.resolve({ firstAt: waiting.firstAt, lastAt: now });
    waiting = null;
  }
  const subscribers: Subscriber[] = [];
  const open = async (index: number): Promise<void> => {
    const form = forms[index % forms.length] as Form;
    const told = Promise.withResolvers<void>();
    const failed = (error: Error): void => {
      told.reject(error);
      waiting?.reject(error);
    };
    const wanted: Wanted = {
      endpoint,
      appId,
      localAddress: `127.0.0.${2 + Math.floor(index / MOST_AN_ADDRESS)}`,
      heard(message) {
        told.resolve();
        heard(index, message);
      },
      failed,
    };
    subscribers.push(form === 'hub-events' ? await openEvents(wanted) : await openSocket(form, wanted));
    if (form !== 'bare') await told.promise;
  };
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => open(from + i)));
  }

  return {
    next() {
      const { promise, resolve, reject } = Promise.withResolvers<Told>();
      const missing = new Set(Array.from({ length: count }, (_, index) => index));
      waiting = { missing, firstAt: Infinity, lastAt: 0, resolve, reject };
      const timeout = setTimeout(() => {
        reject(new Error(`${missing.size} of ${count} subscribers were not told within ${PATIENCE_MS} ms`));
      }, PATIENCE_MS);
      return promise.finally(() => clearTimeout(timeout));
    },
    lastMessage: () => last,
    close() {
      for (const subscriber of subscribers) subscriber.close();
    },
  };
}

/** Node takes as many as the system lets it; where that is too few, it is said before anything is measured. */
function checkDescriptors(count: number): void {
  if (process.platform === 'win32') return;
  const report = process.report as unknown as {
    excludeNetwork: boolean;
    getReport(): { userLimits: { open_files: { hard: number | 'unlimited' } } };
  };
  // Otherwise the report asks the name server about the other end of every connection.
  report.excludeNetwork = true;
  const { hard } = report.getReport().userLimits.open_files;
  if (hard !== 'unlimited' && hard < count + 500) {
    throw new Error(
      `${count} subscribers need more open files than the ${hard} that are allowed: ulimit -Hn`,
    );
  }
}

const PATHS: Readonly<Record<Exclude<Form, 'hub-events'>, string>> = {
  bare: '/',
  iauth: '/ws',
  native: '/ws',
  hub: '/authHub',
};

async function openSocket(form: Exclude<Form, 'hub-events'>, wanted: Wanted): Promise<Subscriber> {
  const { endpoint, appId, localAddress } = wanted;
  const url = new URL(PATHS[form], endpoint.url.replace('https', 'wss'));
  const socket = new WebSocket(url, { ca: endpoint.ca, localAddress, perMessageDeflate: false });
  let isClosing = false;
  socket.on('error', wanted.failed);
  socket.on('close', (code, reason) => {
    if (!isClosing) wanted.failed(new Error(`a subscriber was closed: ${code} ${String(reason)}`));
  });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('message', (data: Buffer) => {
    const message = String(data);
    if (form !== 'hub' || isNews(message)) wanted.heard(message);
  });
  const pinging = form === 'hub' ? setInterval(() => socket.send(PING), PING_MS) : undefined;
  for (const message of openingOf(form, appId)) socket.send(message);
  return {
    close() {
      isClosing = true;
      clearInterval(pinging);
      socket.terminate();
    },
  };
}

function openingOf(form: Form, appId: string): string[] {
  switch (form) {
    case 'bare':
      return [];
    case 'iauth':
      return [appId];
    case 'native':
      return [JSON.stringify({ type: 'subscribe', topic: 'app', appId })];
    case 'hub':
    case 'hub-events':
      return [HANDSHAKE, subscription(appId)];
  }
}

function subscription(appId: string): string {
  return JSON.stringify({ type: 1, target: 'Subscribe', arguments: [appId] }) + END;
}

/** Not a ping, nor the answer to the handshake. */
function isNews(message: string): boolean {
  return message.includes('"UserChanged"');
}

/** Server-sent events come on a connection of their own; what the client has to say is posted. */
async function openEvents(wanted: Wanted): Promise<Subscriber> {
  const { endpoint, appId, localAddress } = wanted;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options: RequestOptions = { ca: endpoint.ca, localAddress };
  const post = async (path: string, body = ''): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = ask(new URL(path, endpoint.url), { ...options, agent, method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(text)
          : reject(new Error(`${path}: ${response.statusCode} ${text}`)),
      );
    });
    request.on('error', reject).end(body);
    return promise;
  };
  const { connectionToken } = JSON.parse(await post('/authHub/negotiate?negotiateVersion=1')) as {
    connectionToken: string;
  };
  const path = `/authHub?id=${encodeURIComponent(connectionToken)}`;
  const opened = Promise.withResolvers<void>();
  let isClosing = false;
  const failed = (error: Error): void => {
    opened.reject(error);
    if (!isClosing) wanted.failed(error);
  };
  const events = ask(
    new URL(path, endpoint.url),
    { ...options, headers: { Accept: 'text/event-stream' }, agent: false },
    (response) => {
      if (response.statusCode === 200) opened.resolve();
      else failed(new Error(`${path}: ${response.statusCode}`));
      response.setEncoding('utf8').on('data', (text: string) => {
        if (isNews(text)) wanted.heard(text);
      });
      response.on('close', () => failed(new Error('a stream of events ended')));
    },
  );
  events.on('error', failed).end();
  await opened.promise;
  await post(path, HANDSHAKE + subscription(appId));
  const pinging = setInterval(() => void post(path, PING).catch(failed), PING_MS);
  return {
    close() {
      isClosing = true;
      clearInterval(pinging);
      events.destroy();
      agent.destroy();
    },
  };
}
