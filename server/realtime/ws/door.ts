/** The WebSocket door `/ws`: accepts, limits and keeps alive; the first message decides which protocol is spoken. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { isFromForeignPage } from '../../http/caller.ts';
import { every, type Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';

/** Close codes of ours (RFC 6455 section 7.4.2: 4000 to 4999 are private). */
export const CLOSE = {
  badMessage: 4400,
  notSignedIn: 4401,
  unknownApp: 4404,
  goingAway: 1001,
  internal: 1011,
  tooSlow: 4408,
} as const;

/** One connected client, as a protocol sees it. */
export interface Peer {
  readonly request: IncomingMessage;
  /** Sends, unless the peer is so far behind that it is dropped instead. */
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Calls back once, when the connection is gone. */
  onGone(listener: () => void): void;
}

/** A way of speaking over `/ws`. */
export interface Protocol {
  /** Whether a first message belongs to this protocol. */
  recognises(firstMessage: string): boolean;
  /** Takes the peer over, first message included; returns what is to be called with each further one. */
  start(peer: Peer, firstMessage: string): (message: string) => void;
}

export interface WebSocketDoorOptions {
  readonly maxMessageBytes: number;
  readonly heartbeatSec: number;
  readonly maxBufferedKib: number;
  readonly trustedOrigins: readonly string[];
}

export interface WebSocketDoor {
  close(): void;
}

const PATH = '/ws';

export function openWebSocketDoor(
  server: Server,
  protocols: readonly Protocol[],
  { clock, log }: { clock: Clock; log: Log },
  options: WebSocketDoorOptions,
): WebSocketDoor {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    // Compression costs memory for every client and saves nothing on messages of a few hundred bytes.
    perMessageDeflate: false,
    clientTracking: true,
  });
  const answering = new WeakSet<WebSocket>();

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?', 1)[0] !== PATH) {
      refuse(socket, '404 Not Found');
    } else if (isFromForeignPage(request, options.trustedOrigins)) {
      refuse(socket, '403 Forbidden');
    } else {
      sockets.handleUpgrade(request, socket, head, (accepted) => serve(accepted, request));
    }
  });

  function serve(socket: WebSocket, request: IncomingMessage): void {
    answering.add(socket);
    socket.on('pong', () => answering.add(socket));
    socket.on('error', (error) =>
      log.debug({ reason: error.message }, 'a WebSocket client broke the protocol'),
    );
    const peer = peerOf(socket, request);
    let onMessage = (message: string): void => {
      const protocol = protocols.find((candidate) => candidate.recognises(message));
      if (protocol === undefined) peer.close(CLOSE.badMessage, 'send an AppId, or {"type":"subscribe",...}');
      else onMessage = protocol.start(peer, message);
    };
    socket.on('message', (data: RawData, isBinary) => {
      if (isBinary) {
        peer.close(CLOSE.badMessage, 'send text, not binary');
        return;
      }
      try {
        onMessage((data as Buffer).toString('utf8'));
      } catch (err) {
        // A defect, and one client's: the others must not lose the host over it.
        log.error({ err }, 'a message of a WebSocket client failed');
        peer.close(CLOSE.internal, 'the host could not answer');
      }
    });
  }

  function peerOf(socket: WebSocket, request: IncomingMessage): Peer {
    return {
      request,
      send(text) {
        if (socket.readyState !== socket.OPEN) return;
        if (socket.bufferedAmount > options.maxBufferedKib * 1024) {
          log.info(
            { address: request.socket.remoteAddress },
            'a subscriber that reads too slowly was dropped',
          );
          socket.close(CLOSE.tooSlow, 'reading too slowly');
          socket.terminate();
          return;
        }
        socket.send(text);
      },
      close: (code, reason) => socket.close(code, reason),
      onGone: (listener) => void socket.once('close', listener),
    };
  }

  const stopHeartbeat = every(clock, options.heartbeatSec * 1000, () => {
    for (const socket of sockets.clients) {
      if (!answering.delete(socket)) socket.terminate();
      else socket.ping();
    }
  });

  return {
    close() {
      stopHeartbeat();
      for (const socket of sockets.clients) socket.close(CLOSE.goingAway, 'the host is stopping');
      sockets.close();
    },
  };
}

function refuse(socket: Duplex, status: string): void {
  // Not left half open: a client that never closes its end would hold the connection for ever.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
