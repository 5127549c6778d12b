/** The path `/ws`: the first message of a connection decides which protocol is spoken on it. */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { CLOSE } from '../close-codes.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import type { AcceptedSocket } from '../sockets.ts';

/** One connected client, as a protocol sees it. */
export interface Peer {
  readonly request: IncomingMessage;
  readonly outbox: Pick<Outbox, 'post'>;
  close(code: number, reason: string): void;
  /** Runs what concerns this client alone: what it throws fails this connection and nothing else. */
  guard: (action: () => void) => void;
  /** A defect: it is logged, and the connection is closed. */
  fail: (error: unknown) => void;
}

/** What one client and the host say to one another. */
export interface Conversation {
  hear(message: string): void;
  /** The client is gone. */
  end(): void;
}

/** A way of speaking over `/ws`. */
export interface Protocol {
  /** Whether a first message belongs to this protocol; it is then heard like any other. */
  recognises(firstMessage: string): boolean;
  start(peer: Peer): Conversation;
}

export interface SpeakOptions {
  readonly maxBehindSec: number;
}

/** Makes what serves the connections of the path, by the first of `protocols` that recognises them. */
export function speak(
  protocols: readonly Protocol[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  { maxBehindSec }: SpeakOptions,
): (socket: AcceptedSocket) => void {
  return (socket) => {
    const line = {
      write: (payload: string | Uint8Array) => socket.write(payload),
      get isBehind() {
        return socket.isBehind;
      },
      drop() {
        const address = socket.request.socket.remoteAddress;
        log.info({ address }, 'a subscriber that reads too slowly was dropped');
        socket.close(CLOSE.tooSlow, 'read faster: newer states than these were waiting for too long');
      },
    };
    const outbox = createOutbox(line, { clock }, { maxBehindMs: maxBehindSec * 1000 });
    const { request } = socket;
    let conversation: Conversation | null = null;
    socket.onDrained(() => outbox.drained());
    socket.onGone(() => {
      outbox.close();
      conversation?.end();
    });
    socket.onMessage((data) => {
      if (typeof data !== 'string') {
        socket.close(CLOSE.badMessage, 'send text, not binary');
        return;
      }
      conversation ??=
        protocols
          .find((protocol) => protocol.recognises(data))
          ?.start({
            request,
            outbox,
            close: (code, reason) => socket.close(code, reason),
            guard: (action) => socket.guard(action),
            fail: (error) => socket.fail(error),
          }) ?? null;
      if (conversation === null) socket.close(CLOSE.badMessage, 'send an AppId, or {"type":"subscribe",...}');
      else conversation.hear(data);
    });
  };
}
