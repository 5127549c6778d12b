/** SignalR clients for tests: the official one, and a bare socket that shows every record as it comes. */
import { createRequire } from 'node:module';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import {
  HttpTransportType,
  HubConnectionBuilder,
  HubConnectionState,
  LogLevel,
  type HubConnection,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { onTestFinished } from 'vitest';
import { connect, type SocketOptions } from './socket.ts';

/** Of an EventSource, what tests look at. */
export interface EventStream {
  readonly url: string;
  addEventListener(type: 'open' | 'message', listener: (event: { readonly data?: unknown }) => void): void;
}

type EventStreams = new (url: string, options: object) => EventStream;

/** What the official client takes in the place of the browser's; its types do not tell. */
export const ClientsEventSource = createRequire(createRequire(import.meta.url).resolve('@microsoft/signalr'))(
  'eventsource',
) as EventStreams;

export const TRANSPORTS = {
  WebSockets: HttpTransportType.WebSockets,
  ServerSentEvents: HttpTransportType.ServerSentEvents,
  LongPolling: HttpTransportType.LongPolling,
} as const;

export type TransportName = keyof typeof TRANSPORTS;
export type ProtocolName = 'json' | 'messagepack';

export interface HubOptions {
  readonly path?: string;
  /** Negotiated where it is left out. */
  readonly transport?: TransportName;
  readonly protocol?: ProtocolName;
  readonly headers?: Readonly<Record<string, string>>;
  readonly accessToken?: string;
  readonly skipNegotiation?: boolean;
  /** The client comes back by itself after these delays. */
  readonly retryDelaysMs?: readonly number[];
  readonly isStateful?: boolean;
  /** In the place of the one that the client would take. */
  readonly eventSource?: EventStreams;
}

export interface HubClient {
  readonly raw: HubConnection;
  subscribe(appId: string): Promise<void>;
  /** What `UserChanged` has been called with next. */
  next(): Promise<unknown>;
  /** What has come and was not asked for. */
  waiting(): unknown[];
  /** Resolves once everything that the host had said before has come. */
  settled(): Promise<void>;
  /** Why the connection was closed. */
  readonly closed: Promise<string>;
}

/** Trusts a host's certificate, as an administrator would make a PC trust it: every client of this process does. */
export function trust({ ca }: { readonly ca: string }): void {
  setDefaultCACertificates([...getCACertificates('default'), ca]);
}

/** Makes the official client, which is stopped when the test is over; `start` is for the test to call. */
export function hubClient(url: string, options: HubOptions = {}): HubClient {
  const { path = '/authHub', transport, protocol = 'json', accessToken, skipNegotiation = false } = options;
  const builder = new HubConnectionBuilder().configureLogging(LogLevel.None).withUrl(`${url}${path}`, {
    ...(transport !== undefined && { transport: TRANSPORTS[transport] }),
    ...(accessToken !== undefined && { accessTokenFactory: () => accessToken }),
    headers: { ...options.headers },
    ...(options.eventSource !== undefined && { EventSource: options.eventSource }),
    skipNegotiation,
  });
  if (protocol === 'messagepack') builder.withHubProtocol(new MessagePackHubProtocol());
  if (options.retryDelaysMs !== undefined) builder.withAutomaticReconnect([...options.retryDelaysMs]);
  if (options.isStateful === true) builder.withStatefulReconnect();
  const raw = builder.build();
  const queue = createQueue<unknown>();
  raw.on('UserChanged', queue.push);
  const closed = new Promise<string>((resolve) => raw.onclose((error) => resolve(error?.message ?? '')));
  onTestFinished(async () => {
    if (raw.state !== HubConnectionState.Disconnected) await raw.stop();
  });
  return {
    raw,
    subscribe: (appId) => raw.invoke('Subscribe', appId),
    next: queue.next,
    waiting: queue.waiting,
    async settled() {
      // Every call is answered after what was said before it, this one with a refusal.
      await raw.invoke('Settle').catch(() => {});
    },
    closed,
  };
}

/** Makes the official client and starts it. */
export async function connectHub(url: string, options: HubOptions = {}): Promise<HubClient> {
  const client = hubClient(url, options);
  await client.raw.start();
  return client;
}

export interface RecordSocket {
  send(record: unknown): void;
  /** Sends as it is. */
  sendRaw(data: string | Uint8Array): void;
  /** The next record, from JSON. */
  next(): Promise<unknown>;
  waiting(): unknown[];
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

const RECORD_SEPARATOR = '\x1e';

/** Connects a bare WebSocket without negotiation, and shakes hands unless it is to be silent. */
export async function connectRecords(
  host: { readonly url: string; readonly ca: string },
  { isSilent = false, path = '/authHub', ...options }: SocketOptions & { readonly isSilent?: boolean } = {},
): Promise<RecordSocket> {
  const socket = await connect(host, { path, ...options });
  onTestFinished(() => socket.raw.terminate());
  const queue = createQueue<unknown>();
  socket.raw.on('message', (data: Buffer) => {
    for (const record of data.toString().split(RECORD_SEPARATOR).slice(0, -1)) {
      queue.push(JSON.parse(record));
    }
  });
  const sendRaw = (data: string | Uint8Array): void => socket.raw.send(data);
  const send = (record: unknown): void => sendRaw(JSON.stringify(record) + RECORD_SEPARATOR);
  if (!isSilent) {
    send({ protocol: 'json', version: 1 });
    await queue.next();
  }
  return {
    send,
    sendRaw,
    next: queue.next,
    waiting: queue.waiting,
    closed: socket.closed,
    close: socket.close,
  };
}

interface Queue<Item> {
  push(item: Item): void;
  next(): Promise<Item>;
  waiting(): Item[];
}

function createQueue<Item>(): Queue<Item> {
  const items: Item[] = [];
  const asking: ((item: Item) => void)[] = [];
  return {
    push(item) {
      const first = asking.shift();
      if (first === undefined) items.push(item);
      else first(item);
    },
    next: async () =>
      items.length > 0 ? (items.shift() as Item) : new Promise((resolve) => asking.push(resolve)),
    waiting: () => items.splice(0),
  };
}
