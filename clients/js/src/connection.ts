/** One WebSocket that is opened again whenever it is lost, and asked for a sign of life when it is silent. */
import { backOffMs } from './back-off.ts';
import { CLOSE } from './close-codes.ts';
import { readMessage, type ClientMessage, type ServerMessage } from './messages.ts';
import type { Clock, Socket } from './ports.ts';

/** After this much silence the host is asked whether it is there: a pulled cable closes no socket. */
export const HEARTBEAT_MS = 9_000;
/** A host that has not answered by then is taken for lost. */
export const ANSWER_MS = 5_000;

export interface ConnectionNeeds {
  /** Opens a socket, at once or when what it must present is there; rejects where that cannot be had. */
  openSocket(): Socket | Promise<Socket>;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface ConnectionListener {
  opened(): void;
  /** The host gave a sign of life; null: of a kind that this client does not know. */
  heard(message: ServerMessage | null): void;
  /** Another attempt follows, unless `close` is called. */
  lost(code: number, reason: string): void;
}

export interface Connection {
  /** Connects, unless that is done already. */
  open(): void;
  /** Connects anew, at once. */
  reopen(): void;
  /** Sends over an open socket; tells whether there was one. */
  send(message: ClientMessage): boolean;
  /** Lets go without waiting for the socket's close, which a dead network never brings. */
  close(): void;
}

export function createConnection(
  { openSocket, clock, random }: ConnectionNeeds,
  listener: ConnectionListener,
): Connection {
  let socket: Socket | null = null;
  let isOpen = false;
  let isWanted = false;
  let attempt = 0;
  /** Names the present attempt: what former ones still bring counts for nothing. */
  let turn = 0;
  let cancelTimer = (): void => {};

  function wait(delayMs: number, callback: () => void): void {
    cancelTimer();
    cancelTimer = clock.after(delayMs, callback);
  }

  function connect(): void {
    const mine = ++turn;
    const opening = openSocket();
    if (!(opening instanceof Promise)) {
      use(opening, mine);
      return;
    }
    opening.then(
      (opened) => (mine === turn ? use(opened, mine) : opened.close()),
      () => mine === turn && lose(CLOSE.broken, ''),
    );
  }

  function use(opened: Socket, mine: number): void {
    const isPresent = (): boolean => mine === turn;
    socket = opened;
    opened.addEventListener('open', () => isPresent() && greet());
    opened.addEventListener('message', ({ data }) => isPresent() && hear(readMessage(data)));
    opened.addEventListener('close', ({ code, reason }) => isPresent() && lose(code, reason));
    // Its close follows; `ws` ends the process over an error that nobody listens to.
    opened.addEventListener('error', () => {});
    wait(ANSWER_MS, () => lose(CLOSE.broken, ''));
  }

  function greet(): void {
    isOpen = true;
    listener.opened();
  }

  function hear(message: ServerMessage | null): void {
    attempt = 0;
    wait(HEARTBEAT_MS, ask);
    listener.heard(message);
  }

  function ask(): void {
    wait(ANSWER_MS, () => lose(CLOSE.broken, ''));
    send({ type: 'ping' });
  }

  function send(message: ClientMessage): boolean {
    if (isOpen) socket?.send(JSON.stringify(message));
    return isOpen;
  }

  function lose(code: number, reason: string): void {
    drop();
    // One that is too many for the host leaves it in peace for as long as any.
    wait(backOffMs(code === CLOSE.tooMany ? Infinity : attempt++, random), connect);
    listener.lost(code, reason);
  }

  function drop(): void {
    turn += 1;
    cancelTimer();
    isOpen = false;
    socket?.close();
    socket = null;
  }

  return {
    open() {
      if (isWanted) return;
      isWanted = true;
      attempt = 0;
      connect();
    },
    reopen() {
      if (!isWanted) return;
      drop();
      connect();
    },
    send,
    close() {
      isWanted = false;
      drop();
    },
  };
}
