/** Keeps one word of a PLC and one app's current user in step: wires the machine to the connection and to the door. */
import { isKeyswitchError, KeyswitchError, messageOf } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ConnectionState, ConnectionStatus, PlcConnection, PlcFault } from './connection.ts';
import type { PlcDoor } from './door.ts';
import { startExtras } from './extras.ts';
import { createErrorCount } from './history.ts';
import { valueInvalid } from './items.ts';
import { checkLink, type LinkDefinition, type LinkExtras } from './link-definition.ts';
import {
  decide,
  initialState,
  succeedingState,
  type Answer,
  type LinkAction,
  type LinkEvent,
  type LinkState,
  type Surroundings,
} from './link-machine.ts';
import { isLost } from './mirror.ts';
import type { RequestState } from './request-machine.ts';
import type { RequestMemory } from './requests.ts';

export interface LinkStatus {
  readonly id: string;
  readonly appId: string;
  /** Connection string, area and address in their one form. */
  readonly connection: string;
  readonly area: string;
  readonly address: string;
  /** The state of the connection, and `degraded` while the PLC refuses anything that this link asks for. */
  readonly state: ConnectionState;
  /** When `state` began, milliseconds since the epoch. */
  readonly since: number;
  /** As the PLC reports itself; null where it does not. */
  readonly plc: ConnectionStatus['plc'];
  /** The word as it was last read or written; it stays while there is no connection. */
  readonly value: number | null;
  /** When `value` was last confirmed by the PLC, milliseconds since the epoch. */
  readonly valueAt: number | null;
  /** The name of the user whom `value` means at the app; null for nobody, and for several. */
  readonly user: string | null;
  /** How long the connection's last read took, in milliseconds. */
  readonly roundTripMs: number | null;
  /** The slowest of each of the last 120 seconds, oldest first. */
  readonly roundTripsMs: readonly (number | null)[];
  readonly errorsLastHour: number;
  /** The last thing that went wrong; it stays when all is well again. */
  readonly lastError: PlcFault | null;
  /** A value of the host is still to be written. */
  readonly pending: boolean;
}

export interface Link {
  /** The present status, always up to date. */
  readonly status: LinkStatus;
  /** Calls back when anything in `status` changed but `valueAt` and the round trips, which move with every read. */
  onStatus(listener: (status: LinkStatus) => void): () => void;
  /**
   * Writes what the PLC is to show now, even if it shows that already; resolves when the PLC has confirmed it, and
   * rejects with the `plc-` error that kept it from that. What could not be written is still tried again.
   */
  rewrite(): Promise<void>;
  /** Resolves when no sign-in or sign-out that the PLC asked for is under way. */
  settled(): Promise<void>;
  /** What a link that takes its place goes on from. */
  readonly state: Succession;
  /** Stops following; the connection stays, for it may serve others. */
  close(): void;
}

/** What is known of the word, and of the request; null: nothing. */
export interface Succession {
  readonly word: LinkState | null;
  readonly request: RequestState | null;
}

export interface LinkPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** A read that takes longer is late; by default none is. */
  readonly lateMs?: number;
  /** By default nothing outlasts the link. */
  readonly memory?: RequestMemory;
  /** Of the link whose place this one takes, where it goes on counting. */
  readonly former?: Succession;
}

const NO_FORMER: Succession = { word: null, request: null };

const NO_MEMORY: RequestMemory = { taken: null, note: async () => {} };

/**
 * Starts a link. The last change wins, from whichever side: a change of the current user is written at once, a
 * change of the word signs in the user whose data it is, or signs out where it is the default. A word that means
 * nobody is overwritten with the host's value. What cannot be written is tried again with each poll and connection
 * until it is written or superseded. A value that does not fit the word counts as none: the default is written.
 *
 * With `onConnect: 'plc'` the PLC's word is adopted when a connection is made, unless it is what it was before the
 * connection broke and the host has changed since: then the PLC has said nothing new.
 *
 * Throws `invalid-input` for a definition with faults.
 */
export function createLink(
  definition: LinkDefinition,
  door: PlcDoor,
  connection: PlcConnection,
  ports: LinkPorts,
): Link {
  const { id, appId, defaultValue, allowAdmin } = definition;
  const { clock, memory = NO_MEMORY, former = NO_FORMER, lateMs = Infinity } = ports;
  const log = ports.log.child({ linkId: id, appId });
  const { items, link } = checkLink(definition);
  const item = items.address;
  const identity = {
    id,
    appId,
    connection: connection.status.connection,
    area: link.area,
    address: link.address,
  };
  const statusListeners = new Set<(status: LinkStatus) => void>();
  const inbox: LinkEvent[] = [];
  /** Those who wait for the word to be written. */
  let writers: PromiseWithResolvers<void>[] = [];
  const settlers: (() => void)[] = [];
  let handling = false;
  let online = former.word?.online ?? false;
  let closed = false;
  let value: number | null = null;
  let valueAt: number | null = null;
  let lastError: PlcFault | null = null;
  /** Faults that last are told once, not with every poll. */
  let readRefused = false;
  let writeRefused: number | null = null;
  let unfit: number | null = null;
  /** What goes wrong with this link alone; the connection counts its outages. */
  const ownErrors = createErrorCount(clock);
  const extraFaults = new Map<keyof LinkExtras, string>();
  let machine = former.word === null ? initialState(look().wanted) : succeedingState(former.word);
  let shown = { state: connection.status.state, since: clock.now(), digest: '' };

  /** How things stand right now; notes a value of the current user that no write could carry. */
  function look(): Surroundings {
    const user = door.current(appId);
    const current = user?.value ?? null;
    const usable = current !== null && item.fits(current);
    if (current !== null && !usable && current !== unfit) complain(valueInvalid(item, current));
    unfit = usable ? null : current;
    return {
      wanted: usable ? current : defaultValue,
      signedIn: user !== null,
      polls: connection.polls,
    };
  }

  /** Events that come while one is being handled wait: the door may call back from within a call. */
  function dispatch(event: LinkEvent): void {
    inbox.push(event);
    if (handling) return;
    handling = true;
    for (let next = inbox.shift(); next !== undefined; next = inbox.shift()) handle(next);
    handling = false;
  }

  function handle(event: LinkEvent): void {
    if (closed) return;
    try {
      const decision = decide(definition, machine, event, look());
      machine = decision.state;
      decision.actions.forEach(perform);
    } catch (err) {
      log.error({ err, event: event.type }, 'a PLC link failed');
    }
    publish();
  }

  function perform(action: LinkAction): void {
    switch (action.do) {
      case 'write':
        return void write(action.value);
      case 'sign-in':
        return void ask(() => door.signIn(appId, action.value, { allowAdmin, linkId: id }));
      case 'fill-in':
        return void ask(() =>
          door.signIn(appId, action.value, { allowAdmin, linkId: id, onlyIfNobody: true }),
        );
      case 'sign-out':
        return void ask(() => door.signOut(appId, id).then(() => 'signed-out'));
      case 'warn':
        return log.warn(
          { value: action.value, reason: action.reason },
          'a value from the PLC was not obeyed',
        );
    }
  }

  async function ask(question: () => Promise<Answer>): Promise<void> {
    let answer: Answer = 'failed';
    try {
      answer = await question();
    } catch (err) {
      log.error({ err }, 'a request of the PLC failed');
    }
    dispatch({ type: 'answered', answer });
    settle();
  }

  function settle(): void {
    if (machine.asking !== null || !extras.isIdle) return;
    for (const resolve of settlers.splice(0)) resolve();
  }

  async function write(wanted: number): Promise<void> {
    const error = await connection.write(item, wanted).then(
      () => null,
      (err: unknown) => err,
    );
    // Unverified: the PLC took the value; that another one stands there now is its doing, and the next poll will tell.
    if (error === null || isKeyswitchError(error, 'plc-write-unverified')) noteWritten(wanted, error);
    else noteWriteFailed(wanted, error);
  }

  function noteWritten(written: number, error: KeyswitchError | null): void {
    if (error !== null) complain(error);
    writeRefused = null;
    value = written;
    valueAt = clock.now();
    dispatch({ type: 'written' });
    // Where another write follows, it is that one which they wait for.
    if (error !== null || (machine.writing === null && !machine.insisting)) tellWriters(error);
  }

  function noteWriteFailed(wanted: number, error: unknown): void {
    const lost = isKeyswitchError(error) && isLost(error);
    // The connection tells of its own end.
    if (!lost && writeRefused !== wanted) complain(error);
    if (!lost) writeRefused = wanted;
    dispatch({ type: 'write-failed', lost });
    tellWriters(error);
  }

  function tellWriters(error: unknown): void {
    const told = writers;
    writers = [];
    for (const { resolve, reject } of told) {
      if (error === null) resolve();
      else reject(error);
    }
  }

  function read(reading: number | KeyswitchError, poll: number): void {
    if (typeof reading !== 'number') return refuseToRead(reading);
    readRefused = false;
    value = reading;
    valueAt = clock.now();
    setOnline(true);
    dispatch({ type: 'polled', value: reading, poll });
  }

  function refuseToRead(error: KeyswitchError): void {
    if (!readRefused) complain(error);
    readRefused = true;
    setOnline(false);
    publish();
  }

  function follow(status: ConnectionStatus): void {
    lastError = later(lastError, status.lastError);
    setOnline(isUp(status.state) && !readRefused);
    publish();
  }

  function setOnline(now: boolean): void {
    if (now === online) return;
    online = now;
    dispatch({ type: now ? 'connected' : 'disconnected' });
    if (!now) tellWriters(notConnected());
  }

  function tellExtraFault(field: keyof LinkExtras, fault: KeyswitchError | null): void {
    const known = extraFaults.get(field);
    if (fault?.message === known) return;
    if (fault === null) extraFaults.delete(field);
    else {
      extraFaults.set(field, fault.message);
      complain(fault);
    }
    publish();
  }

  function complain(error: unknown): void {
    const code = isKeyswitchError(error) ? error.code : 'internal';
    lastError = { code, message: messageOf(error), at: clock.now() };
    ownErrors.noteError();
    log.warn({ err: error }, 'PLC link at fault');
  }

  function notConnected(): KeyswitchError {
    const { lastError: fault } = connection.status;
    return new KeyswitchError(fault?.code ?? 'plc-unreachable', fault?.message);
  }

  function stateNow(): ConnectionState {
    if (closed) return 'idle';
    const { state, roundTripMs } = connection.status;
    if (!isUp(state)) return state;
    // A connection is degraded by what it refuses to any link.
    const isAtFault = readRefused || writeRefused !== null || extraFaults.size > 0;
    return isAtFault || (roundTripMs ?? 0) > lateMs ? 'degraded' : 'online';
  }

  /** Who is signed in with the value, or else would be. */
  function userNow(): string | null {
    if (value === null) return null;
    const current = door.current(appId);
    return current?.value === value ? current.name : door.nameOf(appId, value);
  }

  function statusNow(): LinkStatus {
    const { history, status } = connection;
    return {
      ...identity,
      state: shown.state,
      since: shown.since,
      plc: status.plc,
      value,
      valueAt,
      user: userNow(),
      roundTripMs: status.roundTripMs,
      roundTripsMs: history.roundTripsMs(),
      errorsLastHour: history.errorsLastHour() + ownErrors.errorsLastHour(),
      lastError,
      pending: machine.unwritten || machine.writing !== null,
    };
  }

  function publish(): void {
    const state = stateNow();
    if (state !== shown.state) shown = { ...shown, state, since: clock.now() };
    const isPending = machine.unwritten || machine.writing !== null;
    const digest = JSON.stringify([state, value, userNow(), connection.status.plc, lastError, isPending]);
    if (digest === shown.digest) return;
    shown = { ...shown, digest };
    const status = statusNow();
    for (const listener of [...statusListeners]) {
      try {
        listener(status);
      } catch (err) {
        log.error({ err }, 'a listener of a PLC link failed');
      }
    }
  }

  const stops = [door.onNames(publish), connection.onStatus(follow), connection.watch(item, read)];
  follow(connection.status);
  stops.push(door.follow(appId, () => dispatch({ type: 'host-changed' })));
  // After the word itself: it is what the PLC program acts on.
  const extras = startExtras(definition, items, {
    ...{ door, connection, memory, clock, log, former: former.request },
    tellFault: tellExtraFault,
    onIdle: settle,
  });

  return {
    get status() {
      return statusNow();
    },
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    rewrite() {
      if (!online) return Promise.reject(notConnected());
      const written = Promise.withResolvers<void>();
      writers.push(written);
      dispatch({ type: 'rewrite' });
      return written.promise;
    },
    settled() {
      const { promise, resolve } = Promise.withResolvers<void>();
      settlers.push(resolve);
      settle();
      return promise;
    },
    get state() {
      return { word: machine, request: extras.requestState };
    },
    close() {
      if (closed) return;
      closed = true;
      for (const stop of stops) stop();
      extras.close();
      tellWriters(notConnected());
      for (const resolve of settlers.splice(0)) resolve();
      publish();
    },
  };
}

function isUp(state: ConnectionState): boolean {
  return state === 'online' || state === 'degraded';
}

function later(own: PlcFault | null, other: PlcFault | null): PlcFault | null {
  if (own === null || other === null) return own ?? other;
  return other.at >= own.at ? other : own;
}
