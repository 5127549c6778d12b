/** One WebSocket connection as those who serve it see it: it says when it is behind, and bounds what comes. */
import type { IncomingMessage } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { CLOSE } from './close-codes.ts';
import type { Payload } from './outbox.ts';

export interface AcceptedSocket {
  readonly request: IncomingMessage;
  /** In order; a string is sent as a text frame, bytes as a binary frame. Never waits. */
  write(payload: Payload): void;
  /** The transport still holds what was written before. */
  readonly isBehind: boolean;
  /** Calls back whenever the transport has taken everything after it was behind. */
  onDrained(listener: () => void): void;
  /** Text as a string, binary as bytes. */
  onMessage(listener: (data: string | Buffer) => void): void;
  /** Calls back once, when the connection is gone. */
  onGone(listener: () => void): void;
  /** Says why, and closes; a client that does not close its end is cut off after a while. */
  close(code: number, reason: string): void;
  terminate(): void;
  /** Runs what concerns this connection alone: what it throws fails this connection and nothing else. */
  guard(action: () => void): void;
  /** A defect: it is logged, and the connection is closed, so that the others do not lose the host over it. */
  fail(error: unknown): void;
}

/** What the connections of a door share. */
export interface ConnectionNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly frames: Frames;
  readonly messagesPerSec: number;
  /** The first message of a connection has come. */
  readonly onFirstMessage: (connection: Connection) => void;
}

/** So many seconds' messages may come at once: a client that reconnects asks for everything anew. */
const BURST_SEC = 4;

export class Connection implements AcceptedSocket {
  readonly request: IncomingMessage;
  readonly #socket: WebSocket;
  readonly #wire: NetSocket;
  readonly #needs: ConnectionNeeds;
  #listener: ((data: string | Buffer) => void) | null = null;
  #hasSpoken = false;
  #isAlive = true;
  #allowance: number;
  #allowedAt: number;

  constructor(socket: WebSocket, request: IncomingMessage, needs: ConnectionNeeds) {
    this.request = request;
    this.#socket = socket;
    this.#wire = request.socket;
    this.#needs = needs;
    this.#allowance = needs.messagesPerSec * BURST_SEC;
    this.#allowedAt = needs.clock.monotonic();
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary));
    socket.on('pong', () => this.#mayGoOn());
    socket.on('ping', (data) => this.#answer(data));
    socket.on('error', (error) =>
      needs.log.debug({ reason: error.message }, 'a WebSocket client broke the protocol'),
    );
  }

  get isBehind(): boolean {
    return this.#wire.writableNeedDrain;
  }

  write(payload: Payload): void {
    // The library would frame the same message anew for each of a thousand clients.
    if (this.#socket.readyState === this.#socket.OPEN) this.#wire.write(this.#needs.frames.of(payload));
  }

  onDrained(listener: () => void): void {
    this.#wire.on('drain', () => this.guard(listener));
  }

  onMessage(listener: (data: string | Buffer) => void): void {
    this.#listener = listener;
  }

  onGone(listener: () => void): void {
    this.#socket.once('close', () => this.guard(listener));
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Asks for a sign of life; a client that has given none since it was last asked is cut off. */
  beat(): void {
    if (!this.#isAlive) {
      this.terminate();
      return;
    }
    this.#isAlive = false;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping();
  }

  /** A client that does not read is owed no further answers. */
  #answer(data: Buffer): void {
    if (this.#mayGoOn() && !this.isBehind) this.#socket.pong(data);
  }

  #hear(data: RawData, isBinary: boolean): void {
    if (!this.#hasSpoken) {
      this.#hasSpoken = true;
      this.#needs.onFirstMessage(this);
    }
    // What comes behind a close has been read already, and counts no more.
    if (this.#socket.readyState !== this.#socket.OPEN || !this.#mayGoOn()) return;
    const listener = this.#listener;
    const message = data as Buffer;
    if (listener !== null) this.guard(() => listener(isBinary ? message : message.toString('utf8')));
  }

  /** Notes life, and takes from the allowance for messages and control frames; one that has used it up is closed. */
  #mayGoOn(): boolean {
    this.#isAlive = true;
    const { clock, messagesPerSec } = this.#needs;
    const now = clock.monotonic();
    const gained = ((now - this.#allowedAt) / 1000) * messagesPerSec;
    this.#allowedAt = now;
    this.#allowance = Math.min(this.#allowance + gained, messagesPerSec * BURST_SEC) - 1;
    if (this.#allowance >= 0) return true;
    this.close(CLOSE.tooMany, `send fewer messages, at most ${messagesPerSec} a second`);
    return false;
  }

  guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#needs.log.error({ err: error }, 'serving a WebSocket client failed');
    this.close(CLOSE.internal, 'the host could not answer; connect again');
  }
}

export interface Frames {
  of(payload: Payload): Buffer;
}

/** Frames messages, and remembers the last: a change is told to many, one after the other, in the same words. */
export function createFrames(): Frames {
  let payload: Payload | null = null;
  let frame: Buffer = Buffer.alloc(0);
  return {
    of(wanted) {
      if (wanted !== payload) {
        frame = frameOf(wanted);
        payload = wanted;
      }
      return frame;
    },
  };
}

/** A whole message in one frame, as a server sends it: unmasked (RFC 6455 section 5.2). */
export function frameOf(payload: Payload): Buffer {
  const isText = typeof payload === 'string';
  const length = isText ? Buffer.byteLength(payload) : payload.byteLength;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + lengthBytes + length);
  frame[0] = isText ? 0x81 : 0x82;
  frame[1] = lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127;
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  if (isText) frame.write(payload, 2 + lengthBytes, 'utf8');
  else frame.set(payload, 2 + lengthBytes);
  return frame;
}
