/** One subscription at `/ws` that lives through lost connections and knows how old its news is. */
import type { ServerMessage } from '../../server/http/contract.ts';
import type { Api } from './api.ts';
import type { HostClock } from './host-clock.svelte.ts';
import type { Ports, Socket } from './ports.ts';

/** After this much silence the host is asked whether it is there: a pulled cable closes no socket. */
export const HEARTBEAT_MS = 10_000;
/** A host that has not answered by then is taken for lost. */
export const ANSWER_MS = 5_000;
/** What the host closes with where a subscription needs a session and there is none. */
const NOT_SIGNED_IN = 4401;
const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_LONGEST_MS = 10_000;

/** How long to wait before attempt number `attempt` (0 is the first repetition). */
export function backOffMs(attempt: number): number {
  return Math.min(BACK_OFF_FIRST_MS * 2 ** attempt, BACK_OFF_LONGEST_MS);
}

export interface Subscription {
  /** What asks for the news after each connect. */
  readonly request: unknown;
  readonly onMessage: (message: ServerMessage) => void;
  /** The host says that nobody is signed in; the subscription is over. */
  readonly onRefused?: () => void;
}

export class Live {
  state = $state<'connecting' | 'live' | 'lost'>('connecting');
  /** Host time of the latest message. */
  heardAt = $state<number | null>(null);
  lostAt = $state<number | null>(null);
  readonly #ports: Ports;
  readonly #api: Api;
  readonly #clock: HostClock;
  readonly #subscription: Subscription;
  #socket: Socket | null = null;
  #cancelTimer = (): void => {};
  #attempt = 0;

  constructor(ports: Ports, api: Api, clock: HostClock, subscription: Subscription) {
    this.#ports = ports;
    this.#api = api;
    this.#clock = clock;
    this.#subscription = subscription;
  }

  start(): void {
    const socket = this.#ports.openSocket();
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.#subscription.request));
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data as string) as ServerMessage);
    socket.onclose = ({ code }) => (code === NOT_SIGNED_IN ? this.#end() : this.#lose());
    this.#wait(ANSWER_MS, () => this.#lose());
  }

  /** Lets go of the socket without waiting for its close, which a dead network never brings. */
  stop(): void {
    this.#cancelTimer();
    if (this.#socket === null) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }

  /** Sends `message` if the connection is live; tells whether it was. */
  send(message: unknown): boolean {
    if (this.state !== 'live') return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  #hear(message: ServerMessage): void {
    this.#attempt = 0;
    this.state = 'live';
    this.lostAt = null;
    this.#clock.set(message.serverTime);
    this.#noteLife();
    this.#subscription.onMessage(message);
  }

  #noteLife(): void {
    this.heardAt = this.#clock.read();
    this.#wait(HEARTBEAT_MS, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const socket = this.#socket;
    const alive = await this.#api.alive(ANSWER_MS).then(
      () => true,
      () => false,
    );
    if (socket === null || socket !== this.#socket) return;
    if (alive) this.#noteLife();
    else this.#lose();
  }

  #end(): void {
    this.stop();
    this.#subscription.onRefused?.();
  }

  #lose(): void {
    this.stop();
    this.state = 'lost';
    this.lostAt ??= this.#clock.read();
    this.#wait(backOffMs(this.#attempt++), () => this.start());
  }

  #wait(delayMs: number, callback: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.after(delayMs, callback);
  }
}
