/** Keeps one PLC connected and polled: one socket and one poller, shared by every link (and variable) of that PLC. */
import { KeyswitchError, messageOf, type ErrorCode } from '../errors.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import {
  decide,
  INITIAL,
  type ConnectionAction,
  type ConnectionEvent,
  type ConnectionState,
} from './connection-machine.ts';
import { formatConnectionString, formatHostAndPort, type PlcEndpoint } from './connection-string.ts';
import { createDriver, type Driver, type PlcIdentity, type Reading, type WriteOptions } from './driver.ts';
import { createHistory, type History } from './history.ts';
import type { Item } from './items.ts';

export type { ConnectionState } from './connection-machine.ts';

export interface ConnectionOptions extends PlcEndpoint {
  /** Time from the start of one read to the start of the next, in milliseconds; 100 by default. */
  readonly pollIntervalMs?: number;
  /** How long the PLC may be silent, in milliseconds; 1500 by default. */
  readonly timeoutMs?: number;
}

/** The last thing that went wrong; it stays when all is well again. */
export interface PlcFault {
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface ConnectionStatus {
  /** The connection string in its one form. */
  readonly connection: string;
  readonly state: ConnectionState;
  /** When `state` began, milliseconds since the epoch. */
  readonly since: number;
  /** How long the last read took, in milliseconds; null before the first. */
  readonly roundTripMs: number | null;
  /** Why the PLC was not reached, last; what it says to single items is told to those who read them. */
  readonly lastError: PlcFault | null;
  /** As the PLC reports itself; null until it has, and where it does not. */
  readonly plc: PlcIdentity | null;
  /** The size of PDU that was agreed on last; null before. */
  readonly pduBytes: number | null;
}

/** Told what each poll read of one item. `poll` is the number of that poll, see `PlcConnection.polls`. */
export type ReadListener<Value = number> = (reading: Reading<Value>, poll: number) => void;

export interface PlcConnection {
  /** The present status, always up to date. */
  readonly status: ConnectionStatus;
  /** How many polls were handed to the driver so far: a reading whose poll is no newer was asked for before now. */
  readonly polls: number;
  /** Adds an item to every poll until the returned function is called; while nothing is watched, nothing is connected. */
  watch<Value>(item: Item<Value>, listener: ReadListener<Value>): () => void;
  /**
   * Writes and, unless told otherwise, reads back; goes before a waiting poll. Rejects with the errors of
   * `Driver.write`, and with `plc-unreachable` at once while not connected: nothing is kept here, the link knows best
   * what is still worth writing.
   */
  write<Value>(item: Item<Value>, value: Value, options?: WriteOptions): Promise<void>;
  /** Calls back when anything in `status` changed but `roundTripMs`. */
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  /** Round trips and errors of late. An error is a connection lost or not made, once an outage. */
  readonly history: History;
  close(): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Replaces the way to the PLC, for tests. */
  readonly createDriver?: typeof createDriver;
}

interface Watched {
  readonly item: Item<unknown>;
  readonly listeners: Set<ReadListener<unknown>>;
}

export const DEFAULT_POLL_INTERVAL_MS = 100;
export const DEFAULT_TIMEOUT_MS = 1500;
/** A PLC that broke the connection this often when it was asked what it is, is not asked again. */
const MOST_IDENTITY_LOSSES = 2;

/** Makes a connection that is idle until something is watched; `connection-machine.ts` says when it asks. */
export function createConnection(options: ConnectionOptions, ports: ConnectionPorts): PlcConnection {
  const { clock, random } = ports;
  const { pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, timeoutMs = DEFAULT_TIMEOUT_MS, ...endpoint } = options;
  const connection = formatConnectionString(endpoint);
  const log = ports.log.child({ connection });
  const history = createHistory(clock);
  const watched = new Map<string, Watched>();
  const statusListeners = new Set<(status: ConnectionStatus) => void>();
  const drivers = new Map<number, Driver>();
  /** When polls are due, but for whole intervals: by chance, so that the polls of several PLCs do not coincide. */
  const phaseMs = clock.monotonic() + chance(random) * pollIntervalMs;
  let machine = INITIAL;
  let status: ConnectionStatus = {
    ...{ connection, state: machine.state, since: clock.now() },
    ...{ roundTripMs: null, lastError: null, plc: null, pduBytes: null },
  };
  let isClosed = false;
  let items: readonly Item<unknown>[] = [];
  let polls = 0;
  let slot = 0;
  let identityLosses = 0;
  let cancelWait: CancelTimer = () => undefined;
  let cancelPoll: CancelTimer = () => undefined;

  function dispatch(event: ConnectionEvent): void {
    const decision = decide(machine, event);
    machine = decision.machine;
    for (const action of decision.actions) perform(action);
  }

  function perform(action: ConnectionAction): void {
    if (action.do === 'wait') return wait(action.upToMs);
    if (action.do === 'attempt') return void attempt(action.attempt);
    if (action.do === 'drop') return drivers.get(action.attempt)?.close();
    startPolling(action.attempt);
  }

  function wait(upToMs: number | null): void {
    cancelWait();
    if (upToMs === null) return;
    cancelWait = clock.after(upToMs * (0.75 + 0.25 * chance(random)), () => dispatch({ type: 'due' }));
  }

  async function attempt(number: number): Promise<void> {
    const driver = (ports.createDriver ?? createDriver)({ ...endpoint, timeoutMs }, { clock, log });
    drivers.set(number, driver);
    void driver.ended.then((error) => ended(number, error));
    try {
      await driver.connect();
    } catch {
      return; // `ended` tells the same.
    }
    dispatch({ type: 'connected', attempt: number });
  }

  function ended(attempt: number, error: KeyswitchError): void {
    drivers.delete(attempt);
    const isOurs = attempt === machine.line || machine.attempts.includes(attempt);
    if (!isOurs) return;
    if (attempt === machine.line) cancelPoll();
    // Once an outage: an attempt that fails like the one before is nothing new.
    const isNews = machine.state !== 'backing-off' || status.lastError?.code !== error.code;
    if (isNews) {
      log.warn({ err: error }, 'PLC not reachable');
      history.noteError();
    }
    dispatch({ type: 'ended', attempt, declined: error.code === 'plc-refused' });
    publish({ lastError: { code: error.code, message: error.message, at: clock.now() } });
  }

  function startPolling(attempt: number): void {
    const driver = drivers.get(attempt);
    if (driver === undefined) return;
    slot = slotNow();
    poll(attempt, driver);
  }

  function slotNow(): number {
    return Math.floor((clock.monotonic() - phaseMs) / pollIntervalMs);
  }

  function poll(attempt: number, driver: Driver): void {
    const startedAt = clock.monotonic();
    const number = ++polls;
    driver.read(items).then(
      (readings) => {
        if (attempt !== machine.line) return;
        // A timer may come a little early; polls that were missed are not made up for.
        slot = Math.max(slot, slotNow()) + 1;
        const inMs = phaseMs + slot * pollIntervalMs - clock.monotonic();
        cancelPoll = clock.after(inMs, () => poll(attempt, driver));
        polled(attempt, driver, readings, clock.monotonic() - startedAt);
        deliver(readings, number);
      },
      () => undefined, // A read fails with its driver only: `ended` tells.
    );
  }

  function polled(
    attempt: number,
    driver: Driver,
    readings: ReadonlyMap<string, Reading<unknown>>,
    tookMs: number,
  ): void {
    const isFirst = machine.state !== 'online' && machine.state !== 'degraded';
    if (isFirst) log.info({}, 'PLC connected');
    const isRefused = [...readings.values()].some((reading) => reading instanceof KeyswitchError);
    history.noteRoundTrip(tookMs);
    dispatch({ type: 'polled', attempt, isWell: !isRefused && tookMs <= timeoutMs / 2 });
    status = { ...status, roundTripMs: tookMs };
    publish({ pduBytes: driver.pduBytes });
    if (isFirst) void identify(driver);
  }

  async function identify(driver: Driver): Promise<void> {
    if (identityLosses >= MOST_IDENTITY_LOSSES) return;
    try {
      publish({ plc: await driver.identify() });
      identityLosses = 0;
    } catch {
      identityLosses += 1;
    }
  }

  function deliver(readings: ReadonlyMap<string, Reading<unknown>>, number: number): void {
    for (const [name, reading] of readings) {
      for (const listener of [...(watched.get(name)?.listeners ?? [])])
        safely(() => listener(reading, number));
    }
  }

  function publish(change: Partial<ConnectionStatus> = {}): void {
    const { state } = machine;
    const before = status;
    status = { ...status, ...change, state, since: state === status.state ? status.since : clock.now() };
    const isSame =
      state === before.state &&
      status.lastError === before.lastError &&
      status.pduBytes === before.pduBytes &&
      JSON.stringify(status.plc) === JSON.stringify(before.plc);
    if (isSame) return;
    for (const listener of [...statusListeners]) safely(() => listener(status));
  }

  /** One listener that throws must not keep the others from hearing, nor stop the poller. */
  function safely(call: () => void): void {
    try {
      call();
    } catch (err) {
      log.error({ err }, `a PLC listener failed: ${messageOf(err)}`);
    }
  }

  function watch(item: Item<unknown>, listener: ReadListener<unknown>): () => void {
    const entry = watched.get(item.name) ?? { item, listeners: new Set() };
    watched.set(item.name, entry);
    entry.listeners.add(listener);
    watchedChanged();
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size > 0 || watched.get(item.name) !== entry) return;
      watched.delete(item.name);
      watchedChanged();
    };
  }

  function watchedChanged(): void {
    items = [...watched.values()].map(({ item }) => item);
    const isWanted = items.length > 0 && !isClosed;
    if (!isWanted) cancelPoll();
    dispatch({ type: isWanted ? 'wanted' : 'unwanted' });
    publish();
  }

  return {
    history,
    get status() {
      return status;
    },
    get polls() {
      return polls;
    },
    watch: <Value>(item: Item<Value>, listener: ReadListener<Value>) =>
      watch(item, listener as ReadListener<unknown>),
    async write(item, value, writeOptions) {
      const driver = machine.line === null ? undefined : drivers.get(machine.line);
      const isConnected = machine.state === 'online' || machine.state === 'degraded';
      if (driver === undefined || !isConnected) {
        const message = `The PLC at ${formatHostAndPort(endpoint)} is not connected.`;
        throw new KeyswitchError('plc-unreachable', message);
      }
      await driver.write(item, value, writeOptions);
    },
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    close() {
      isClosed = true;
      watchedChanged();
    },
  };
}

/** A number from 0 up to, not including, 1. */
function chance(random: Random): number {
  return random.bytes(4).readUInt32BE() / 2 ** 32;
}
