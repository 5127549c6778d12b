/** What the pages need from outside, passed in so that tests decide what comes and when. */
import { systemClock, type Clock, type Socket } from '../../clients/js/src/ports.ts';

export type { Clock };

/** What this station remembers. */
export type Memory = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** The address of the page, without its query, which stays as it is. */
export interface Address {
  path(): string;
  push(path: string): void;
  replace(path: string): void;
  /** Calls back after each *Back* and *Forward* of the browser. */
  onBack(listener: () => void): void;
  /** Loads the page anew from the host. */
  reload(): void;
}

export interface Ports {
  readonly fetch: typeof fetch;
  readonly openSocket: () => Socket;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly memory: Memory;
  /** What this tab remembers as long as it is open. */
  readonly tabMemory: Memory;
  readonly address: Address;
}

/** The browser's own. */
export function browserPorts(): Ports {
  const socketUrl = new URL('/ws', location.href);
  socketUrl.protocol = location.protocol.replace('http', 'ws');
  return {
    fetch: (input, init) => fetch(input, init),
    openSocket: () => new WebSocket(socketUrl),
    clock: systemClock(),
    random: Math.random,
    memory: localStorage,
    tabMemory: sessionStorage,
    address: {
      path: () => location.pathname,
      push: (path) => history.pushState(null, '', path + location.search),
      replace: (path) => history.replaceState(null, '', path + location.search),
      onBack: (listener) => addEventListener('popstate', listener),
      reload: () => location.reload(),
    },
  };
}
