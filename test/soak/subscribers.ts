/** The subscribers of the soak: every kind of client, each coming back by its own means, and watching over what it is told. */
import { HubConnectionBuilder, HttpTransportType, LogLevel, type HubConnection } from '@microsoft/signalr';
import { WebSocket } from 'ws';
import { createClient } from '../../clients/js/src/client.ts';
import type { SocketClass } from '../../clients/js/src/ports.ts';
import type { IAuthAuthentication } from '../../server/dialects/iauth/authentication.ts';
import type { AppStateMessage, UnchangedMessage } from '../../server/http/contract.ts';
import type { Tally } from './tally.ts';

export interface Subscriber {
  readonly name: string;
  readonly appId: string;
  /** Who it was told is signed in, null for nobody; undefined while it is not connected, or not told yet. */
  user(): string | null | undefined;
  close(): void;
}

export interface SubscriberOptions {
  readonly name: string;
  readonly appId: string;
  /** The port of the host, or of the way to it. */
  readonly port: number;
  readonly tally: Tally;
}

type Start = (options: SubscriberOptions) => Subscriber;

/** Longer than the host leaves anybody without a sign of life. */
const PATIENCE_MS = 12_000;

/** The clients in the order in which they take turns. */
export const KINDS: Readonly<Record<string, Start>> = {
  'iAuth /ws': startRaw,
  'native /ws': startNative,
  'client package': startPackage,
  'SignalR ws': signalR(HttpTransportType.WebSockets),
  'SignalR SSE': signalR(HttpTransportType.ServerSentEvents),
  'SignalR polling': signalR(HttpTransportType.LongPolling),
};

const backOffMs = (): number => 250 + Math.random() * 750;

const userOf = (state: IAuthAuthentication): string | null => (state.Authenticated ? state.User : null);

/** Keeps a WebSocket open: a new one whenever the former is closed, or silent for too long. */
function keepSocket(
  port: number,
  on: { open(socket: WebSocket): void; text(text: string): void; closed(code: number): void },
): () => void {
  let isOver = false;
  let socket: WebSocket;
  let patience: NodeJS.Timeout;
  const alive = (): void => {
    clearTimeout(patience);
    patience = setTimeout(() => socket.terminate(), PATIENCE_MS);
  };
  function open(): void {
    if (isOver) return;
    socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { handshakeTimeout: PATIENCE_MS });
    alive();
    socket.on('error', () => undefined);
    socket.on('ping', alive);
    socket.on('open', () => on.open(socket));
    socket.on('message', (data: Buffer) => {
      alive();
      on.text(data.toString());
    });
    socket.on('close', (code) => {
      clearTimeout(patience);
      on.closed(code);
      setTimeout(open, backOffMs());
    });
  }
  open();
  return () => {
    isOver = true;
    clearTimeout(patience);
    socket.terminate();
  };
}

function startRaw({ name, appId, port, tally }: SubscriberOptions): Subscriber {
  let user: string | null | undefined;
  const close = keepSocket(port, {
    open: (socket) => socket.send(appId),
    text(text) {
      user = userOf(JSON.parse(text) as IAuthAuthentication);
      tally.count('messages to subscribers');
    },
    closed(code) {
      user = undefined;
      tally.count(`/ws: ended with ${code}, failed attempts included`);
    },
  });
  return { name, appId, user: () => user, close };
}

function startNative({ name, appId, port, tally }: SubscriberOptions): Subscriber {
  let user: string | null | undefined;
  let isTold = false;
  let since: { run: string; revision: number } | undefined;
  const close = keepSocket(port, {
    open: (socket) => socket.send(JSON.stringify({ type: 'subscribe', topic: 'app', appId, since })),
    text(text) {
      const message = JSON.parse(text) as AppStateMessage | UnchangedMessage;
      const { type, run, revision } = message;
      const isOlder =
        since?.run === run && (type === 'app' ? revision <= since.revision : revision !== since.revision);
      if (isOlder) tally.complain(`${name}: ${type} with revision ${revision} after ${since?.revision}`);
      if (type === 'unchanged' && since?.run !== run) tally.complain(`${name}: unchanged since another run`);
      since = { run, revision };
      if (message.type === 'app') user = message.state.user;
      isTold = true;
      tally.count('messages to subscribers');
    },
    closed(code) {
      isTold = false;
      tally.count(`/ws: ended with ${code}, failed attempts included`);
    },
  });
  return { name, appId, user: () => (isTold ? user : undefined), close };
}

function startPackage({ name, appId, port, tally }: SubscriberOptions): Subscriber {
  let user: string | null | undefined;
  let newest: { run: string; revision: number } | null = null;
  const client = createClient({
    url: `https://127.0.0.1:${port}`,
    WebSocket: WebSocket as unknown as SocketClass,
  });
  client.follow(appId, ({ connection, state, run, revision }) => {
    user = connection.state === 'live' ? (state?.user ?? null) : undefined;
    if (connection.state === 'refused') tally.complain(`${name}: refused with ${connection.code}`);
    if (run === null || revision === null) return;
    if (newest?.run === run && revision < newest.revision)
      tally.complain(`${name}: revision ${revision} after ${newest.revision}`);
    newest = { run, revision };
    tally.count('messages to subscribers');
  });
  return { name, appId, user: () => user, close: () => client.close() };
}

function signalR(transport: HttpTransportType): Start {
  return ({ name, appId, port, tally }) => {
    let user: string | null | undefined;
    let isOver = false;
    const connection = new HubConnectionBuilder()
      .withUrl(`https://127.0.0.1:${port}/authHub`, { transport, timeout: PATIENCE_MS })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: backOffMs })
      .configureLogging(LogLevel.None)
      .build();
    connection.on('UserChanged', (state: IAuthAuthentication) => {
      user = userOf(state);
      tally.count('messages to subscribers');
    });
    connection.onreconnecting(() => {
      user = undefined;
      tally.count('SignalR reconnects');
    });
    connection.onreconnected(() => subscribe());
    connection.onclose(() => {
      user = undefined;
      if (!isOver) setTimeout(start, backOffMs());
    });
    /** A connection that breaks meanwhile is told of by its own events. */
    const subscribe = (): void => void connection.invoke('Subscribe', appId).catch(() => undefined);
    function start(): void {
      if (isOver) return;
      open(connection).then(subscribe, () => setTimeout(start, backOffMs()));
    }
    start();
    return {
      name,
      appId,
      user: () => user,
      close() {
        isOver = true;
        void connection.stop().catch(() => undefined);
      },
    };
  };
}

/** The official client waits for its first answer without any limit of its own. */
async function open(connection: HubConnection): Promise<void> {
  const patience = setTimeout(() => void connection.stop().catch(() => undefined), PATIENCE_MS);
  await connection.start().finally(() => clearTimeout(patience));
}
