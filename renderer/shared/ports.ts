/** What the pages need from outside, passed in so that tests decide what comes and when. */

export interface Clock {
  /** Wall clock of this PC, milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Monotonic clock in milliseconds; its zero has no meaning. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The part of a WebSocket that the pages use. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>;

/** What this station remembers. */
export type Memory = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The address of the page, without its query, which stays as it is. */
export interface Address {
  path(): string;
  push(path: string): void;
  replace(path: string): void;
  /** Calls back after each *Back* and *Forward* of the browser. */
  onBack(listener: () => void): void;
}

export interface Ports {
  readonly fetch: typeof fetch;
  readonly openSocket: () => Socket;
  readonly clock: Clock;
  readonly memory: Memory;
  readonly address: Address;
}

/** The browser's own. */
export function browserPorts(): Ports {
  const socketUrl = new URL('/ws', location.href);
  socketUrl.protocol = location.protocol.replace('http', 'ws');
  return {
    fetch: (input, init) => fetch(input, init),
    openSocket: () => new WebSocket(socketUrl),
    clock: {
      now: () => Date.now(),
      monotonic: () => performance.now(),
      after(delayMs, callback) {
        const timeout = setTimeout(callback, delayMs);
        return () => clearTimeout(timeout);
      },
    },
    memory: localStorage,
    address: {
      path: () => location.pathname,
      push: (path) => history.pushState(null, '', path + location.search),
      replace: (path) => history.replaceState(null, '', path + location.search),
      onBack: (listener) => addEventListener('popstate', listener),
    },
  };
}
