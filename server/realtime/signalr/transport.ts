/** What a transport is to a connection. */
import type { Payload } from '../outbox.ts';

/** Why the host ends a connection. */
export type Ending = 'done' | 'bad-message' | 'too-slow' | 'silent' | 'stopping' | 'defect';

export interface Traits {
  /** Bytes that are no text can be sent. */
  readonly isBinary: boolean;
  /** Its requests come and go: no pings are needed to keep it alive. */
  readonly keepsAlive: boolean;
  /**
   * The client's platform opens it, again and again until it can (EventSource), also for a client that has given it up
   * meanwhile and has another connection.
   */
  readonly opensLate: boolean;
  /** What the client says comes by the same way, and not by POST; a lost one can be succeeded by another. */
  readonly isDuplex: boolean;
}

/** The way to one client. */
export interface Transport {
  readonly traits: Traits;
  /** Sends in order; never waits. */
  write(payload: Payload): void;
  /** Whether it still holds what was written before. */
  readonly isBehind: boolean;
  /** Ends it, after what was written where the client still reads. */
  end(ending: Ending): void;
}

/** What a transport calls as things happen to it. */
export interface Carried {
  attach(transport: Transport): void;
  receive(transport: Transport, bytes: Buffer): void;
  /** It has taken what was written. */
  drained(transport: Transport): void;
  /** It is gone, and was not ended by the host. */
  lost(transport: Transport): void;
}
