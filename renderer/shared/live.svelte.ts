/** What a page is told while it is open: topics of `/ws`, all over one connection, each knowing how old its news is. */
import { HEARTBEAT_MS } from '../../clients/js/src/connection.ts';
import type { Topic } from '../../clients/js/src/messages.ts';
import {
  createSubscriptions,
  type ConnectionStatus,
  type Subscriptions,
} from '../../clients/js/src/subscriptions.ts';
import type { ServerMessage } from '../../server/http/contract.ts';
import type { HostClock } from './host-clock.svelte.ts';
import type { Ports } from './ports.ts';

export { HEARTBEAT_MS };

/** The one connection of a page. */
export type Line = Subscriptions;

/** Makes the connection, which is there as long as some topic is followed; `onBack` is called when it is there again after a loss. */
export function createLine(
  { openSocket, clock, random }: Ports,
  hostTime: HostClock,
  onBack: () => void = () => {},
): Line {
  const line = createSubscriptions({ openSocket, clock, random, hostTime });
  let isLost = false;

  function note({ state }: ConnectionStatus): void {
    if (state === 'lost') isLost = true;
    if (state !== 'live' || !isLost) return;
    isLost = false;
    onBack();
  }

  return {
    ...line,
    subscribe: (topic, listener) =>
      line.subscribe(topic, {
        ...listener,
        told(status, message) {
          note(status);
          listener.told(status, message);
        },
      }),
  };
}

export interface Subscription {
  readonly topic: Topic;
  readonly onMessage: (message: ServerMessage) => void;
  /** The host does not serve this topic, or not any more, because nobody is signed in. */
  readonly onRefused?: () => void;
}

export class Live {
  state = $state<'connecting' | 'live' | 'lost'>('connecting');
  /** Host time of the latest sign of life. */
  heardAt = $state<number | null>(null);
  lostAt = $state<number | null>(null);
  readonly #line: Line;
  readonly #clock: HostClock;
  readonly #subscription: Subscription;
  #unsubscribe = (): void => {};

  constructor(line: Line, clock: HostClock, subscription: Subscription) {
    this.#line = line;
    this.#clock = clock;
    this.#subscription = subscription;
  }

  start(): void {
    const { topic, onMessage, onRefused } = this.#subscription;
    this.stop();
    this.#unsubscribe = this.#line.subscribe(topic, {
      told: (status, message) => {
        this.#show(status);
        // Pages and host are of one version: what it says is exactly what its contract says.
        if (message !== null) onMessage(message as ServerMessage);
        if (status.state === 'refused') onRefused?.();
      },
      alive: () => (this.heardAt = this.#clock.read()),
    });
  }

  stop(): void {
    this.#unsubscribe();
    this.#unsubscribe = () => {};
  }

  #show(status: ConnectionStatus): void {
    const isOver = status.state === 'refused';
    this.state = isOver ? 'lost' : status.state;
    if (status.state === 'lost') this.lostAt = status.since;
    else this.lostAt = isOver ? this.#clock.read() : null;
  }

  /** Tells the host that somebody is using the page, if it can be told; tells whether it was. */
  noteActivity(): boolean {
    return this.state === 'live' && this.#line.noteActivity();
  }
}
