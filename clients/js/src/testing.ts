/** The other end of a client's sockets, in the hands of a test: nothing comes that it did not send. */
import type { Socket, SocketOptions } from './ports.ts';

interface Listeners {
  open: (() => void)[];
  error: (() => void)[];
  message: ((event: { data: unknown }) => void)[];
  close: ((event: { code: number; reason: string }) => void)[];
}

export class TestSocket implements Socket {
  readonly sent: unknown[] = [];
  closed = false;
  /** What comes back at once for what is sent; by default nothing. */
  answer: (message: { readonly type: string }) => unknown = () => undefined;
  readonly #listeners: Listeners = { open: [], error: [], message: [], close: [] };

  addEventListener<Type extends keyof Listeners>(type: Type, listener: Listeners[Type][number]): void {
    (this.#listeners[type] as (typeof listener)[]).push(listener);
  }

  send(text: string): void {
    const message = JSON.parse(text) as { readonly type: string };
    this.sent.push(message);
    const answer = this.answer(message);
    if (answer !== undefined) this.tell(answer);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    for (const listener of this.#listeners.open) listener();
  }

  tell(message: unknown): void {
    this.hand(JSON.stringify(message));
  }

  /** Brings `data` as it is. */
  hand(data: unknown): void {
    for (const listener of this.#listeners.message) listener({ data });
  }

  /** The host's close, or the network's (1006). */
  end(code = 1006, reason = ''): void {
    for (const listener of this.#listeners.close) listener({ code, reason });
  }
}

/** A class of `TestSocket`s, and all that it has made. */
export function testSockets() {
  const sockets: (TestSocket & { readonly url: string; readonly options: SocketOptions | undefined })[] = [];
  class Made extends TestSocket {
    readonly url: string;
    readonly options: SocketOptions | undefined;
    constructor(url: string, options?: SocketOptions) {
      super();
      this.url = url;
      this.options = options;
      sockets.push(this);
    }
  }
  return { WebSocket: Made, sockets };
}
