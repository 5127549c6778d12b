/** What the client needs from outside, passed in so that tests decide what comes and when. */

export interface Clock {
  /** Wall clock of this machine, milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Monotonic clock in milliseconds; its zero has no meaning. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The part of a WebSocket that the client uses: the browser's, Node's and that of `ws` have it. */
export interface Socket {
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  send(text: string): void;
  close(): void;
}

export interface SocketOptions {
  readonly headers: Readonly<Record<string, string>>;
}

/** `WebSocket`; outside browsers it is given headers. */
export type SocketClass = new (url: string, options?: SocketOptions) => Socket;

/** The machine's own clock. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, callback) {
      const timeout = setTimeout(callback, delayMs);
      return () => clearTimeout(timeout);
    },
  };
}
