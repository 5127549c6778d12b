/** Keeps one PLC connected and polled: one socket and one poller, shared by every link (and variable) of that PLC. */
import { KeyswitchError, messageOf, type ErrorCode } from '../errors.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Item } from './address.ts';
import { formatConnectionString, formatHostAndPort, type PlcEndpoint } from './connection-string.ts';
import { createDriver, type Driver, type Reading } from './driver.ts';

export interface ConnectionOptions extends PlcEndpoint {
  /** Time from the start of one read to the start of the next, in milliseconds; 100 by default. */
  readonly pollIntervalMs?: number;
  /** How long the PLC may take to accept the connection, and to answer one call, in milliseconds; 1500 by default. */
  readonly timeoutMs?: number;
}

/**
 * `connecting`: the first attempt is not decided yet. `online`: connected. `offline`: not connected, the next attempt
 * is on its way. `closed`: closed by `close`, for good.
 */
export type ConnectionState = 'connecting' | 'online' | 'offline' | 'closed';

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
  readonly lastError: PlcFault | null;
}

/** Told what each poll read of one item. `poll` is the number of that poll, see `PlcConnection.polls`. */
export type ReadListener = (reading: Reading, poll: number) => void;

export interface PlcConnection {
  /** The present status, always up to date. */
  readonly status: ConnectionStatus;
  /** How many polls were handed to the driver so far: a reading whose poll is no newer was asked for before now. */
  readonly polls: number;
  /** Adds an item to every poll until the returned function is called. */
  watch(item: Item, listener: ReadListener): () => void;
  /**
   * Writes and reads back; goes before a waiting poll. Rejects with the errors of `Driver.write`, and with
   * `plc-unreachable` at once while not online: nothing is kept here, the link knows best what is still worth writing.
   */
  write(item: Item, value: number): Promise<void>;
  /** Calls back when `state` or `lastError` changed (not for each new `roundTripMs`). */
  onStatus(listener: (status: ConnectionStatus) => void): () => void;
  close(): void;
}

export interface ConnectionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Replaces the way to the PLC, for tests. */
  readonly createDriver?: typeof createDriver;
}

export const DEFAULT_POLL_INTERVAL_MS = 100;
export const DEFAULT_TIMEOUT_MS = 1500;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

/** Connects at once, and again after each failure: after 250 ms, doubling to 10 s, each shortened by up to half by chance. */
export function createConnection(options: ConnectionOptions, ports: ConnectionPorts): PlcConnection {
  const { clock, random } = ports;
  const { pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, timeoutMs = DEFAULT_TIMEOUT_MS, ...endpoint } = options;
  const connection = formatConnectionString(endpoint);
  const log = ports.log.child({ connection });
  const watchers = new Map<string, { readonly item: Item; readonly listeners: Set<ReadListener> }>();
  const statusListeners = new Set<(status: ConnectionStatus) => void>();
  let status: ConnectionStatus = {
    connection,
    state: 'connecting',
    since: clock.now(),
    roundTripMs: null,
    lastError: null,
  };
  let driver: Driver;
  let polls = 0;
  let failures = 0;
  let cancelTimer: CancelTimer = () => undefined;

  function publish(state: ConnectionState, error?: KeyswitchError): void {
    const at = clock.now();
    status = {
      ...status,
      state,
      since: state === status.state ? status.since : at,
      lastError: error === undefined ? status.lastError : { code: error.code, message: error.message, at },
    };
    for (const listener of [...statusListeners]) safely(() => listener(status));
  }

  async function connect(): Promise<void> {
    const attempt = (ports.createDriver ?? createDriver)({ ...endpoint, timeoutMs }, { clock, log });
    driver = attempt;
    void attempt.ended.then(lost);
    try {
      await attempt.connect();
    } catch {
      return; // `ended` tells the same.
    }
    if (status.state === 'closed') return;
    log.info({}, 'PLC connected');
    publish('online');
    poll();
  }

  function lost(error: KeyswitchError): void {
    cancelTimer();
    if (status.state === 'closed') return;
    // Once per outage: an attempt that fails like the one before is nothing new.
    if (status.state !== 'offline') log.warn({ err: error }, 'PLC not reachable');
    publish('offline', error);
    cancelTimer = clock.after(retryDelayMs(failures++, random), () => void connect());
  }

  function poll(): void {
    if (status.state !== 'online') return;
    const startedAt = clock.monotonic();
    const number = ++polls;
    const items = [...watchers.values()].map(({ item }) => item);
    driver.read(items).then(
      (readings) => {
        if (status.state !== 'online') return;
        const tookMs = clock.monotonic() - startedAt;
        cancelTimer = clock.after(pollIntervalMs - tookMs, poll);
        if (items.length === 0) return;
        failures = 0;
        status = { ...status, roundTripMs: tookMs };
        deliver(readings, number);
      },
      () => undefined, // A read fails with its driver only: `ended` tells.
    );
  }

  function deliver(readings: ReadonlyMap<string, Reading>, number: number): void {
    for (const [name, reading] of readings) {
      for (const listener of [...(watchers.get(name)?.listeners ?? [])])
        safely(() => listener(reading, number));
    }
  }

  /** One listener that throws must not keep the others from hearing, nor stop the poller. */
  function safely(call: () => void): void {
    try {
      call();
    } catch (err) {
      log.error({ err }, `a PLC listener failed: ${messageOf(err)}`);
    }
  }

  function notConnected(): KeyswitchError {
    return new KeyswitchError(
      'plc-unreachable',
      `The PLC at ${formatHostAndPort(endpoint)} is not connected.`,
    );
  }

  void connect();

  return {
    get status() {
      return status;
    },
    get polls() {
      return polls;
    },
    watch(item, listener) {
      const entry = watchers.get(item.name) ?? { item, listeners: new Set<ReadListener>() };
      watchers.set(item.name, entry);
      entry.listeners.add(listener);
      return () => {
        entry.listeners.delete(listener);
        if (entry.listeners.size === 0 && watchers.get(item.name) === entry) watchers.delete(item.name);
      };
    },
    async write(item, value) {
      if (status.state !== 'online') throw notConnected();
      await driver.write(item, value);
    },
    onStatus(listener) {
      statusListeners.add(listener);
      return () => statusListeners.delete(listener);
    },
    close() {
      if (status.state === 'closed') return;
      cancelTimer();
      publish('closed');
      driver.close();
    },
  };
}

/** The wait before the attempt after `failures` + 1 failures in a row, so that stations do not storm a PLC in step. */
export function retryDelayMs(failures: number, random: Random): number {
  const fullMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
  return fullMs * (0.5 + random.bytes(4).readUInt32BE() / 2 ** 33);
}
