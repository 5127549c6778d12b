/** Keeps one word of a PLC and one app's current user in step: wires the machine to the connection and to the door. */
import { invalidInput, isKeyswitchError, messageOf, type KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { fits, formatAddress, formatArea, itemAt, parseAddress, parseArea, type Item } from './address.ts';
import type { ConnectionState, ConnectionStatus, PlcConnection, PlcFault } from './connection.ts';
import { valueInvalid, type Reading } from './driver.ts';
import {
  decide,
  initialState,
  type Answer,
  type LinkAction,
  type LinkEvent,
  type Refusal,
  type Surroundings,
} from './link-machine.ts';

export interface LinkDefinition {
  readonly id: string;
  /** `Data Source=127.0.0.1:102,0,2`. */
  readonly connection: string;
  /** `DB250`, see `parseArea`. */
  readonly area: string;
  /** `W188`, see `parseAddress`. */
  readonly address: string;
  readonly appId: string;
  /** What the PLC shows while nobody is signed in, or the value of the fallback user. */
  readonly defaultValue: number;
  /** Who wins when a connection is made: `host` writes the host's state, `plc` adopts what the PLC holds. */
  readonly onConnect: 'host' | 'plc';
  /** Whether the PLC may sign in users of type Admin. */
  readonly allowAdmin: boolean;
}

/** What a link needs of the rest of the house. Its answers may be late, but what it says of the current user must be the truth of that moment. */
export interface PlcDoor {
  /** The value (app-user data as number) of the app's current user, or null when nobody is signed in or the data is no number. */
  currentValue(appId: string): number | null;
  /** Whether anybody is signed in at the app, whatever the data: a fallback user must not push out a user without a number. */
  isSignedIn(appId: string): boolean;
  /**
   * Signs in the user whose data at this app equals `value`; when it resolves, `currentValue` tells the new state.
   * `unchanged`: that user is signed in already. `unknown`: no enabled user has it. `barred`: an Admin user and not
   * allowed, or refused.
   */
  signIn(
    appId: string,
    value: number,
    options: { allowAdmin: boolean; linkId: string },
  ): Promise<'signed-in' | 'unchanged' | Refusal>;
  /** Ends the app's session, if any, with reason `plc`; when it resolves, `currentValue` tells the new state. */
  signOut(appId: string, linkId: string): Promise<void>;
  /** Calls back whenever the app's current user changed (from whichever side). */
  onChange(appId: string, listener: () => void): () => void;
}

export interface LinkStatus {
  readonly id: string;
  readonly appId: string;
  /** Connection string, area and address in their one form. */
  readonly connection: string;
  readonly area: string;
  readonly address: string;
  /** The state of the connection, and `offline` while the PLC refuses to give this word. */
  readonly state: ConnectionState;
  /** When `state` began, milliseconds since the epoch. */
  readonly since: number;
  /** The word as it was last read or written; it stays while offline. */
  readonly value: number | null;
  /** When `value` was last confirmed by the PLC, milliseconds since the epoch. */
  readonly valueAt: number | null;
  /** How long the connection's last read took, in milliseconds. */
  readonly roundTripMs: number | null;
  /** The last thing that went wrong; it stays when all is well again. */
  readonly lastError: PlcFault | null;
  /** A value of the host is still to be written. */
  readonly pending: boolean;
}

export interface Link {
  /** The present status, always up to date. */
  readonly status: LinkStatus;
  /** Calls back when anything in `status` changed but `valueAt` and `roundTripMs`, which move with every read. */
  onStatus(listener: (status: LinkStatus) => void): () => void;
  /** Stops following; the connection stays, for it may serve others. */
  close(): void;
}

/**
 * Starts a link. The last change wins, from whichever side: a change of the current user is written at once, a
 * change of the word signs in the user whose data it is, or signs out where it is the default. A word that means
 * nobody is overwritten with the host's value. What cannot be written is tried again with each poll and connection
 * until it is written or superseded. A value that does not fit the word counts as none: the default is written.
 *
 * With `onConnect: 'plc'` the PLC's word is adopted when a connection is made, unless it is what it was before the
 * connection broke and the host has changed since: then the PLC has said nothing new.
 *
 * Throws `invalid-input` for a malformed area, address or default value.
 */
export function createLink(
  definition: LinkDefinition,
  door: PlcDoor,
  connection: PlcConnection,
  ports: { readonly clock: Clock; readonly log: Log },
): Link {
  const { id, appId, defaultValue, allowAdmin } = definition;
  const { clock } = ports;
  const log = ports.log.child({ linkId: id, appId });
  const place = { area: parseArea(definition.area), address: parseAddress(definition.address) };
  const item = itemAt(place.area, place.address);
  if (!fits(item, defaultValue)) throw defaultDoesNotFit(item, defaultValue);
  const identity = {
    id,
    appId,
    connection: connection.status.connection,
    area: formatArea(place.area),
    address: formatAddress(place.address),
  };
  const statusListeners = new Set<(status: LinkStatus) => void>();
  const inbox: LinkEvent[] = [];
  let handling = false;
  let online = false;
  let closed = false;
  let value: number | null = null;
  let valueAt: number | null = null;
  let lastError: PlcFault | null = null;
  /** Faults that last are told once, not with every poll. */
  let readRefused = false;
  let writeRefused: number | null = null;
  let unfit: number | null = null;
  let machine = initialState(look().wanted);
  let shown = { state: connection.status.state, since: clock.now(), digest: '' };

  /** How things stand right now; notes a value of the current user that no write could carry. */
  function look(): Surroundings {
    const current = door.currentValue(appId);
    const usable = current !== null && fits(item, current);
    if (current !== null && !usable && current !== unfit) complain(valueInvalid(item, current));
    unfit = usable ? null : current;
    return {
      wanted: usable ? current : defaultValue,
      signedIn: current !== null || door.isSignedIn(appId),
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
  }

  function noteWriteFailed(wanted: number, error: unknown): void {
    const lost = isKeyswitchError(error, 'plc-unreachable') || isKeyswitchError(error, 'plc-timeout');
    // The connection tells of its own end.
    if (!lost && writeRefused !== wanted) complain(error);
    if (!lost) writeRefused = wanted;
    dispatch({ type: 'write-failed', lost });
  }

  function read(reading: Reading, poll: number): void {
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
    setOnline(status.state === 'online' && !readRefused);
    publish();
  }

  function setOnline(now: boolean): void {
    if (now === online) return;
    online = now;
    dispatch({ type: now ? 'connected' : 'disconnected' });
  }

  function complain(error: unknown): void {
    const code = isKeyswitchError(error) ? error.code : 'internal';
    lastError = { code, message: messageOf(error), at: clock.now() };
    log.warn({ err: error }, 'PLC link at fault');
  }

  function stateNow(): ConnectionState {
    if (closed) return 'closed';
    return readRefused && connection.status.state === 'online' ? 'offline' : connection.status.state;
  }

  function statusNow(): LinkStatus {
    return {
      ...identity,
      state: shown.state,
      since: shown.since,
      value,
      valueAt,
      roundTripMs: connection.status.roundTripMs,
      lastError,
      pending: machine.unwritten || machine.writing !== null,
    };
  }

  function publish(): void {
    const state = stateNow();
    if (state !== shown.state) shown = { ...shown, state, since: clock.now() };
    const status = statusNow();
    const digest = JSON.stringify([status.state, value, lastError, status.pending]);
    if (digest === shown.digest) return;
    shown = { ...shown, digest };
    for (const listener of [...statusListeners]) {
      try {
        listener(status);
      } catch (err) {
        log.error({ err }, 'a listener of a PLC link failed');
      }
    }
  }

  const stops = [
    door.onChange(appId, () => dispatch({ type: 'host-changed' })),
    connection.onStatus(follow),
    connection.watch(item, read),
  ];
  follow(connection.status);
  dispatch({ type: 'host-changed' });

  return {
    get status() {
      return statusNow();
    },
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    close() {
      if (closed) return;
      closed = true;
      for (const stop of stops) stop();
      publish();
    },
  };
}

function later(own: PlcFault | null, other: PlcFault | null): PlcFault | null {
  if (own === null || other === null) return own ?? other;
  return other.at >= own.at ? other : own;
}

function defaultDoesNotFit(item: Item, defaultValue: number): KeyswitchError {
  return invalidInput(
    'defaultValue',
    `${item.name} takes whole numbers from 0 to ${item.max}, not ${defaultValue}`,
  );
}
