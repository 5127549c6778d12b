/** Serves what the PLC asks for in its request word (a badge reader, say): wires the request machine to connection and door. */
import type { Log } from '../ports/log.ts';
import type { PlcConnection } from './connection.ts';
import type { PlcDoor } from './door.ts';
import type { Item } from './items.ts';
import type { LinkDefinition } from './link-definition.ts';
import { createMirror, type TellFault } from './mirror.ts';
import {
  ACKNOWLEDGEMENT,
  decideRequest,
  initialRequestState,
  type Acknowledgement,
  type RequestAction,
  type RequestEvent,
  type RequestState,
} from './request-machine.ts';

/** The host's memory of the request that it has taken on, which outlasts the host. */
export interface RequestMemory {
  /** As it was when the link was started. */
  readonly taken: number | null;
  note(value: number | null): Promise<void>;
}

export interface Requests {
  readonly state: RequestState;
  /** Answers no more; the words stay as they are. */
  close(): void;
}

export interface RequestsNeeds {
  readonly door: PlcDoor;
  readonly connection: PlcConnection;
  readonly memory: RequestMemory;
  /** Of those whose place these take at the same words, while nothing was being served. */
  readonly former: RequestState | null;
  readonly log: Log;
  tellFault(field: 'request' | 'acknowledge'): TellFault;
  /** Called whenever a sign-in has come to its end. */
  onIdle(): void;
}

export function serveRequests(
  definition: LinkDefinition,
  items: { readonly request: Item; readonly acknowledge: Item },
  { door, connection, memory, former, log, tellFault, onIdle }: RequestsNeeds,
): Requests {
  const { id, appId, defaultValue, allowAdmin } = definition;
  const acknowledge = createMirror(connection, items.acknowledge, tellFault('acknowledge'));
  /** What each word held, and in which poll. */
  const read = { request: { value: 0, poll: 0 }, acknowledge: { value: 0, poll: 0 } };
  const tellRequestFault = tellFault('request');
  let machine = former ?? initialRequestState(memory.taken);
  let isUp = false;
  let isClosed = false;

  function dispatch(event: RequestEvent): void {
    if (isClosed) return;
    const { state, actions } = decideRequest(machine, event);
    machine = state;
    actions.forEach(perform);
  }

  function perform(action: RequestAction): void {
    switch (action.do) {
      case 'serve':
        return void serve(action.value);
      case 'acknowledge':
        return acknowledge.set(action.value);
      case 'forget':
        memory.note(null).catch((err: unknown) => log.warn({ err }, 'a request stays noted on disk'));
    }
  }

  async function serve(value: number): Promise<void> {
    let acknowledgement: Acknowledgement = ACKNOWLEDGEMENT.failed;
    try {
      await memory.note(value);
      acknowledgement = await ask(value);
    } catch (err) {
      log.error({ err }, 'a request of the PLC failed');
    }
    dispatch({ type: 'answered', acknowledgement });
    onIdle();
  }

  async function ask(value: number): Promise<Acknowledgement> {
    if (value === defaultValue) {
      await door.signOut(appId, id);
      return ACKNOWLEDGEMENT.done;
    }
    const answer = await door.signIn(appId, value, { allowAdmin, linkId: id });
    if (answer === 'unknown') return ACKNOWLEDGEMENT.unknown;
    return answer === 'barred' ? ACKNOWLEDGEMENT.refused : ACKNOWLEDGEMENT.done;
  }

  /** Both words count as read when one poll has read them. */
  function look(): void {
    if (read.request.poll !== read.acknowledge.poll) return;
    const isSure = !machine.hasLooked || acknowledge.isKept;
    dispatch({
      type: 'polled',
      request: read.request.value,
      acknowledged: isSure ? read.acknowledge.value : null,
      standing: door.current(appId)?.value ?? defaultValue,
    });
  }

  if (machine.hasLooked) acknowledge.set(machine.answered?.acknowledgement ?? 0);
  const stops = [
    connection.onStatus(({ state }) => {
      const before = isUp;
      isUp = state === 'online' || state === 'degraded';
      if (isUp && !before) dispatch({ type: 'connected' });
    }),
    connection.watch(items.request, (reading, poll) => {
      if (typeof reading !== 'number') return tellRequestFault(reading);
      tellRequestFault(null);
      read.request = { value: reading, poll };
      look();
    }),
    // After the mirror's own: it knows of this poll when `look` asks it.
    connection.watch(items.acknowledge, (reading, poll) => {
      if (typeof reading !== 'number') return;
      read.acknowledge = { value: reading, poll };
      look();
    }),
    acknowledge.close,
  ];

  return {
    get state() {
      return machine;
    },
    close() {
      isClosed = true;
      for (const stop of stops) stop();
    },
  };
}
