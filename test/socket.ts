/** A WebSocket client for tests: what it is sent waits in a queue until it is asked for. */
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

export interface SocketOptions extends ClientOptions {
  readonly path?: string;
  /** The secret of the session cookie. */
  readonly cookie?: string;
}

export interface Socket {
  readonly raw: WebSocket;
  send(message: unknown): void;
  /** The next message; rejects when the connection is closed before one comes. */
  next<Message = Record<string, unknown>>(): Promise<Message>;
  /** What has come and was not asked for. */
  waiting(): unknown[];
  /** Resolves once everything that was sent before has been read by the host. */
  settled(): Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** Connects and resolves when the connection is open; rejects with the status that the host refused with. */
export async function connect(
  host: { url: string; ca: string },
  options: SocketOptions = {},
): Promise<Socket> {
  const { path = '/ws', cookie, headers, ...others } = options;
  const raw = new WebSocket(`${host.url.replace(/^http/, 'ws')}${path}`, {
    ca: host.ca,
    headers: { ...(cookie !== undefined && { Cookie: `__Host-keyswitch=${cookie}` }), ...headers },
    ...others,
  });
  const messages: string[] = [];
  const asking: PromiseWithResolvers<string>[] = [];
  raw.on('message', (data: Buffer) => {
    const first = asking.shift();
    if (first === undefined) messages.push(data.toString());
    else first.resolve(data.toString());
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    raw.on('close', (code, reason) => {
      for (const { reject } of asking) reject(new Error(`closed with ${code} ${reason.toString()}`));
      resolve({ code, reason: reason.toString() });
    });
  });
  await new Promise<void>((resolve, reject) => {
    raw.once('open', resolve);
    raw.once('unexpected-response', (_request, response) =>
      reject(new Error(`refused: ${response.statusCode}`)),
    );
    raw.once('error', reject);
  });
  raw.on('error', () => {});
  return {
    raw,
    send: (message) => raw.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next<Message>() {
      const ready = messages.shift();
      if (ready !== undefined) return JSON.parse(ready) as Message;
      const asked = Promise.withResolvers<string>();
      asking.push(asked);
      return JSON.parse(await asked.promise) as Message;
    },
    waiting: () => messages.splice(0).map((text) => JSON.parse(text) as unknown),
    async settled() {
      const pong = once(raw, 'pong');
      raw.ping();
      await pong;
    },
    closed,
    close: () => raw.close(),
  };
}
