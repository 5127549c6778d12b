/** The WebSocket doors: upgrades are routed by their path, checked and limited; what is connected is kept alive. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { addressOf, isFromForeignPage } from '../http/caller.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { Connection, createFrames, type AcceptedSocket, type ConnectionNeeds } from './accepted-socket.ts';
import { CLOSE } from './close-codes.ts';
import { createDeadlines, type Deadlines } from './deadlines.ts';
import { createHeartbeat } from './heartbeat.ts';
import type { Places } from './places.ts';

export type { AcceptedSocket } from './accepted-socket.ts';

export interface SocketsOptions {
  readonly heartbeatSec: number;
  readonly messagesPerSec: number;
  readonly trustedOrigins: readonly string[];
}

export interface MountLimits {
  readonly maxMessageBytes: number;
  /** How long a client may be silent after it has connected; without it, for ever. */
  readonly firstMessageSec?: number;
}

export interface Sockets {
  /** Serves WebSocket upgrades at these paths (letter case and a closing slash do not count). */
  mount(paths: readonly string[], serve: (socket: AcceptedSocket) => void, limits: MountLimits): void;
  close(): void;
}

export interface SocketsPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Shared with the transports that are no WebSockets. */
  readonly places: Places;
}

type Accept = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Of one message: each is kept until the last has come, however small it is. */
const MAX_PIECES = 1024;

/** How long a client may take to close its end. */
const CLOSING_MS = 5_000;

export function openSockets(
  server: Server,
  { clock, log, places }: SocketsPorts,
  { heartbeatSec, messagesPerSec, trustedOrigins }: SocketsOptions,
): Sockets {
  const mounts = new Map<string, Accept>();
  const connections = new Set<Connection>();
  const frames = createFrames();
  const heartbeat = createHeartbeat<Connection>(clock, heartbeatSec * 1000, (connection) =>
    connection.beat(),
  );
  const closing = createDeadlines<WebSocket>(clock, CLOSING_MS, (socket) => socket.terminate());
  const closers = [heartbeat.close, closing.close];
  let isClosed = false;

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const accept = mounts.get(pathOf(request));
    if (isClosed) refuse(socket, '503 Service Unavailable');
    else if (accept === undefined) refuse(socket, '404 Not Found');
    else if (isFromForeignPage(request, trustedOrigins)) refuse(socket, '403 Forbidden');
    else admit(request, socket, () => accept(request, socket, head));
  });

  function admit(request: IncomingMessage, socket: Duplex, accept: () => void): void {
    const address = addressOf(request);
    switch (places.take(address)) {
      case 'full':
        return refuse(socket, '503 Service Unavailable');
      case 'full-for-address':
        return refuse(socket, '429 Too Many Requests');
      case 'taken':
        // A handshake that fails gives its place back as well.
        socket.once('close', () => places.giveBack(address));
        accept();
    }
  }

  function serveWith(
    serve: (socket: AcceptedSocket) => void,
    needs: ConnectionNeeds,
    silent: Deadlines<Connection> | null,
  ) {
    return (socket: WebSocket, request: IncomingMessage): void => {
      const connection = new Connection(socket, request, needs);
      connections.add(connection);
      heartbeat.add(connection);
      silent?.add(connection);
      socket.once('close', () => {
        connections.delete(connection);
        heartbeat.delete(connection);
        silent?.delete(connection);
        closing.delete(socket);
      });
      connection.guard(() => serve(connection));
    };
  }

  return {
    mount(paths, serve, { maxMessageBytes, firstMessageSec }) {
      const acceptor = new WebSocketServer({
        noServer: true,
        maxPayload: maxMessageBytes,
        // Compression costs memory for every client and saves nothing on messages of a few hundred bytes.
        perMessageDeflate: false,
        clientTracking: false,
        // Answered by the connection, which counts them.
        autoPong: false,
        ...{ maxFragments: MAX_PIECES },
        WebSocket: explaining(maxMessageBytes, closing.add),
      });
      const silent =
        firstMessageSec === undefined
          ? null
          : createDeadlines<Connection>(clock, firstMessageSec * 1000, (connection) =>
              connection.close(CLOSE.tooSlow, `send a message within ${firstMessageSec} s of connecting`),
            );
      if (silent !== null) closers.push(silent.close);
      const onFirstMessage = (connection: Connection): void => silent?.delete(connection);
      const begin = serveWith(serve, { clock, log, frames, messagesPerSec, onFirstMessage }, silent);
      for (const path of paths) {
        mounts.set(path.toLowerCase(), (request, socket, head) =>
          acceptor.handleUpgrade(request, socket, head, begin),
        );
      }
    },
    close() {
      isClosed = true;
      for (const connection of connections) connection.close(CLOSE.goingAway, 'the host is stopping');
      for (const close of closers) close();
    },
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  const [path = ''] = url.toLowerCase().split('?', 1);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  // Not left half open: a client that never closes its end would hold the connection for ever.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** A WebSocket that gives a reason where the library itself closes with a bare code, and tells that it is closing. */
function explaining(maxMessageBytes: number, onClosing: (socket: WebSocket) => void): typeof WebSocket {
  const reasons: Readonly<Record<number, string>> = {
    1002: 'send frames as RFC 6455 has them',
    1007: 'send text as UTF-8',
    1008: 'send a message in fewer pieces',
    1009: `send messages of at most ${maxMessageBytes} bytes`,
  };
  return class extends WebSocket {
    override close(code?: number, reason?: string | Buffer): void {
      if (this.readyState === this.OPEN) onClosing(this);
      super.close(code, reason ?? (code === undefined ? undefined : reasons[code]));
    }
  };
}
