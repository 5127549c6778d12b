/** Watches the state of every link over the topic `plc`, as the links page does, and how soon each is back after a fault. */
import { WebSocket } from 'ws';
import type { PlcMessage } from '../../server/http/contract.ts';
import type { Place, Site } from './site.ts';
import type { Tally } from './tally.ts';

export interface LinkWatch {
  /** Online, with nothing left to write. */
  isSettled(place: Place): boolean;
  /** The PLC says nothing from now on: measures until its link is no longer online, and complains where it never is. */
  expectLost(place: Place, withinMs: number): void;
  /** The PLC answers again from now on: measures until its link is online, and complains beyond `withinMs` of a healthy host. */
  expectBack(place: Place, withinMs: number): void;
  /** What is being waited for says nothing any more. */
  hostWentDown(): void;
  close(): void;
}

type LinkView = PlcMessage['links'][number];

const RETRY_MS = 500;
/** What a busy machine may add to a promise before it counts as broken. */
export const GRACE_MS = 2000;

interface Expectation {
  readonly what: 'back' | 'lost';
  readonly since: number;
  readonly withinMs: number;
}

const MEASURED = {
  back: 'link: from the end of a fault to online',
  lost: 'link: from the last word of a PLC to its loss',
} as const;

export function watchLinks(site: Site, tally: Tally): LinkWatch {
  const links = new Map<string, LinkView>();
  const waiting = new Map<Place, Expectation>();
  let socket: WebSocket | null = null;
  let isOver = false;

  async function open(): Promise<void> {
    const token = await site.signInAsAdministrator();
    const headers = { Authorization: `Bearer ${token}` };
    socket = new WebSocket(`wss://127.0.0.1:${site.port}/ws`, { headers });
    socket.on('open', () => socket?.send(JSON.stringify({ type: 'subscribe', topic: 'plc' })));
    socket.on('message', (data: Buffer) => take(JSON.parse(data.toString()) as PlcMessage));
    socket.on('error', () => undefined);
    socket.on('close', again);
  }

  function again(): void {
    links.clear();
    if (!isOver) setTimeout(() => void open().catch(again), RETRY_MS);
  }

  function take(message: PlcMessage): void {
    if (message.type !== 'plc') return;
    for (const link of message.links) links.set(link.id, link);
    for (const [place, { what, since, withinMs }] of waiting) {
      if ((stateOf(place) === 'online') !== (what === 'back')) continue;
      waiting.delete(place);
      const tookMs = performance.now() - since;
      tally.measure(MEASURED[what], tookMs);
      if (tookMs > withinMs) tally.count(`link: ${what} later than promised`);
      if (tookMs > withinMs + GRACE_MS)
        tally.complain(`HMI ${place.number}: the link was ${what} after ${Math.round(tookMs)} ms`);
    }
  }

  function expect(place: Place, what: Expectation['what'], withinMs: number): void {
    const state = stateOf(place);
    // One that is there already, or that nobody can see, tells nothing.
    if (site.pid === null || state === undefined || (state === 'online') === (what === 'back'))
      waiting.delete(place);
    else waiting.set(place, { what, since: performance.now(), withinMs });
  }

  const stateOf = ({ linkId }: Place): LinkView['state'] | undefined => links.get(linkId)?.state;

  void open().catch(again);
  return {
    isSettled: (place) => stateOf(place) === 'online' && links.get(place.linkId)?.pending === false,
    expectLost: (place, withinMs) => expect(place, 'lost', withinMs),
    expectBack(place, withinMs) {
      if (waiting.get(place)?.what === 'lost' && stateOf(place) === 'online')
        tally.complain(`HMI ${place.number}: the link did not notice that its PLC was silent`);
      expect(place, 'back', withinMs);
    },
    hostWentDown: () => waiting.clear(),
    close() {
      isOver = true;
      socket?.terminate();
    },
  };
}
