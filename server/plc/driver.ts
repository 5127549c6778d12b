/** Speaks S7 to one PLC over one socket, one call at a time; the only file that knows nodes7. */
import NodeS7, { type ConnectionParameters } from 'nodes7';
import { KeyswitchError, messageOf } from '../errors.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { fits, type Item } from './address.ts';
import { formatHostAndPort, type PlcEndpoint } from './connection-string.ts';

export interface DriverOptions extends PlcEndpoint {
  /** How long one call may take from the moment it is sent, in milliseconds. */
  readonly timeoutMs: number;
}

/** What one item read: its value, or `plc-refused` where the PLC answered that it cannot be read. */
export type Reading = number | KeyswitchError;

/**
 * One connection to one PLC, from `connect` to its end. Calls are sent one after the other in the order they came,
 * except that writes go before waiting reads.
 *
 * A connection that fails is over for good: its socket is destroyed, every call under way or waiting is rejected with
 * the same error, and so is every later one. `plc-unreachable`: nothing listens, or the peer closed the connection or
 * does not speak S7. `plc-timeout`: no answer within `timeoutMs`. `plc-refused`: the PLC turned a whole request down.
 */
export interface Driver {
  /** Connects and negotiates the PDU, within `timeoutMs` altogether. */
  connect(): Promise<void>;
  /** Reads all `items` in one request where they fit into one; the map is keyed by `Item.name`. */
  read(items: readonly Item[]): Promise<ReadonlyMap<string, Reading>>;
  /**
   * Writes `value` and reads it back. Besides the ends of the connection, rejects with `plc-value-invalid` (nothing
   * was sent), `plc-refused` (this item cannot be written) or `plc-write-unverified`; the connection survives these.
   */
  write(item: Item, value: number): Promise<void>;
  /** Ends the connection; what is under way or waiting is rejected with `plc-unreachable`. */
  close(): void;
  /** Resolves with the reason once the connection is over; never rejects. */
  readonly ended: Promise<KeyswitchError>;
}

interface Call {
  start(): void;
  reject(error: KeyswitchError): void;
}

/** Makes a driver that is not yet connected. */
export function createDriver(options: DriverOptions, { clock, log }: { clock: Clock; log: Log }): Driver {
  const peer = `PLC at ${formatHostAndPort(options)}`;
  const client = new OneTimeClient(peer, end);
  const ended = Promise.withResolvers<KeyswitchError>();
  const writes: Call[] = [];
  const reads: Call[] = [];
  let state: 'new' | 'in use' | 'over' = 'new';
  let reason = new KeyswitchError('plc-unreachable', `The connection to the ${peer} was not opened.`);
  let current: Call | null = null;
  let cancelDeadline: CancelTimer = () => undefined;
  let askedFor = '';

  function end(error: KeyswitchError): void {
    if (state === 'over') return;
    state = 'over';
    reason = error;
    cancelDeadline();
    client.destroy(current !== null);
    log.debug({ peer, err: error }, 'PLC connection ended');
    for (const call of [current, ...writes.splice(0), ...reads.splice(0)]) call?.reject(error);
    current = null;
    ended.resolve(error);
  }

  /** Queues a call; `work` is given what ends it, which counts once and only while the connection lives. */
  function enqueue<T>(
    queue: Call[],
    work: (finish: (outcome: T | KeyswitchError) => void) => void,
  ): Promise<T> {
    if (state !== 'in use') return Promise.reject(reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const finish = (outcome: T | KeyswitchError): void => {
      if (current !== call) return;
      cancelDeadline();
      current = null;
      if (outcome instanceof KeyswitchError) reject(outcome);
      else resolve(outcome);
      startNext();
    };
    const call: Call = { start: () => work(finish), reject };
    queue.push(call);
    startNext();
    return promise;
  }

  function startNext(): void {
    if (current !== null) return;
    current = writes.shift() ?? reads.shift() ?? null;
    if (current === null) return;
    cancelDeadline = clock.after(options.timeoutMs, () => {
      end(new KeyswitchError('plc-timeout', `No answer from the ${peer} within ${options.timeoutMs} ms.`));
    });
    client.guard(() => current?.start());
  }

  function readNow(items: readonly Item[], done: (readings: ReadonlyMap<string, Reading>) => void): void {
    const names = [...new Set(items.map((item) => item.name))];
    const key = names.join(';');
    if (key !== askedFor) {
      client.removeItems();
      client.addItems(names);
      askedFor = key;
    }
    client.readAllItems((_anyBad, values) => {
      if (state === 'in use') done(new Map(names.map((name) => [name, toReading(name, values[name])])));
    });
  }

  function toReading(name: string, value: unknown): Reading {
    if (typeof value === 'boolean') return Number(value);
    if (typeof value === 'number') return value;
    return refused('read', name);
  }

  function refused(what: 'read' | 'write', name: string): KeyswitchError {
    return new KeyswitchError('plc-refused', `The ${peer} refuses to ${what} ${name}. ${ACCESS_HINT}`);
  }

  function writeNow(item: Item, value: number, done: (outcome: true | KeyswitchError) => void): void {
    client.writeItems(item.name, asWritten(item, value), (bad) => {
      if (state !== 'in use') return;
      if (bad) return done(refused('write', item.name));
      // The answer to a write only says that it was well-formed: a program may copy over the word in the same cycle.
      readNow([item], (readings) => done(verified(item, value, readings.get(item.name))));
    });
  }

  function verified(item: Item, value: number, reading: Reading | undefined): true | KeyswitchError {
    if (reading === value) return true;
    const found = typeof reading === 'number' ? `reads ${reading}` : 'cannot be read';
    const message = `The ${peer} confirmed ${value} in ${item.name}, but the item then ${found}.`;
    const cause = typeof reading === 'number' ? undefined : reading;
    return new KeyswitchError('plc-write-unverified', message, { cause });
  }

  return {
    ended: ended.promise,
    async connect() {
      if (state !== 'new') throw reason;
      state = 'in use';
      const { host, port, rack, slot, timeoutMs } = options;
      // nodes7's own limits must never pass before ours: they neither destroy the socket nor fail every call.
      const parameters = {
        host,
        port,
        rack,
        slot,
        timeout: 2 * timeoutMs,
        noDelay: true,
        doNotOptimize: true,
      };
      await enqueue<true>(writes, (finish) => client.initiateConnection(parameters, () => finish(true)));
      log.debug({ peer }, 'PLC connection open');
    },
    async read(items) {
      if (items.length === 0) return new Map();
      return enqueue<ReadonlyMap<string, Reading>>(reads, (finish) => readNow(items, finish));
    },
    async write(item, value) {
      if (!fits(item, value)) throw valueInvalid(item, value);
      await enqueue<true>(writes, (finish) => writeNow(item, value, finish));
    },
    close: () =>
      end(new KeyswitchError('plc-unreachable', `The connection to the ${peer} was closed on this side.`)),
  };
}

const ACCESS_HINT =
  'Does the block exist, is it long enough and not optimised, and is PUT/GET access allowed?';

/** Says that `value` cannot be written to `item`: `plc-value-invalid`. */
export function valueInvalid(item: Item, value: unknown): KeyswitchError {
  const given = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new KeyswitchError(
    'plc-value-invalid',
    `${item.name} takes whole numbers from 0 to ${item.max}, not ${given}.`,
  );
}

/** nodes7 writes a bit as 1 for `true` only. */
function asWritten(item: Item, value: number): number | boolean {
  return item.max === 1 ? value === 1 : value;
}

/**
 * The PDU every S7 CPU offers. A request of this size holds 19 items; S7 allows 20, and nodes7 would pack more into
 * the larger PDUs of newer CPUs.
 */
const PDU_BYTES = 240;
/** Offsets in a frame: TPKT (RFC 1006) 0..3, COTP data header 4..6, S7 header 7..18, parameters from 19. */
const TPKT_VERSION = 3;
const SHORTEST_FRAME = 7;
const S7_ID_AT = 7;
const S7_ID = 0x32;
const S7_KIND_AT = 8;
const S7_ERROR_AT = 17;
const FUNCTION_AT = 19;
const ITEM_COUNT_AT = 20;
const ITEMS_AT = 21;
const READ_VARIABLES = 0x04;
const ITEM_OK = 0xff;
/** Acknowledgements without and with data; the only kinds whose header holds an error. */
const ACKNOWLEDGEMENTS = new Set([2, 3]);
/** Transport sizes that give a length in bits; the others give bytes. */
const LENGTH_IN_BITS = new Set([0x03, 0x04, 0x05]);

/**
 * A nodes7 that connects once. nodes7 heals its connections by itself, late and in the background, lets what a peer
 * sends throw out of its socket handlers, and takes each chunk of the stream for one whole frame; here every such
 * event is one report of loss, after which nothing happens any more.
 */
class OneTimeClient extends NodeS7 {
  readonly #peer: string;
  readonly #lost: (error: KeyswitchError) => void;
  #unread = Buffer.alloc(0);
  #connectedOnce = false;
  #destroyed = false;

  /** `lost` is called for each event that ends the connection, possibly more than once. */
  constructor(peer: string, lost: (error: KeyswitchError) => void) {
    super({ silent: true });
    this.requestMaxPDU = PDU_BYTES;
    this.#peer = peer;
    this.#lost = lost;
  }

  /** Runs code of nodes7 that may throw: an exception is a loss of the connection, never of the process. */
  guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#unreachable(`The answer of the ${this.#peer} is no S7: ${messageOf(cause)}.`, cause);
    }
  }

  /**
   * Ends everything. `abruptly`: with a reset (RFC 9293 section 3.10.5), because after a close the system would go on
   * sending what the peer has not acknowledged, and a write given up long ago could still reach the PLC.
   */
  destroy(abruptly: boolean): void {
    this.#destroyed = true;
    if (abruptly && this.isoclient?.connecting === false) this.isoclient.resetAndDestroy();
    this.connectionCleanup();
    clearTimeout(this.reconnectTimer);
  }

  override connectNow(parameters: ConnectionParameters): void {
    if (this.#connectedOnce) return;
    this.#connectedOnce = true;
    super.connectNow(parameters);
  }

  override connectError(cause: unknown): void {
    this.#unreachable(`Cannot connect to the ${this.#peer}: ${reasonOf(cause)}.`, cause);
  }

  override readWriteError(cause: unknown): void {
    this.#unreachable(`The connection to the ${this.#peer} broke: ${reasonOf(cause)}.`, cause);
  }

  override connectionReset(): void {
    this.#unreachable(`The answer of the ${this.#peer} is no S7, or not to what was asked.`);
  }

  override packetTimeout(): void {
    this.#lost(new KeyswitchError('plc-timeout', `No answer from the ${this.#peer}.`));
  }

  override onClientDisconnect(): void {
    this.#unreachable(
      `The ${this.#peer} closed the connection. Are rack and slot right, and is a connection free?`,
    );
  }

  override onClientClose(): void {
    this.onClientDisconnect();
  }

  override onISOConnectReply(chunk: Buffer): void {
    this.#receive(chunk, (frame) => super.onISOConnectReply(frame));
  }

  override onPDUReply(chunk: Buffer): void {
    this.#receive(chunk, (frame) => super.onPDUReply(frame));
  }

  override onResponse(chunk: Buffer): void {
    this.#receive(chunk, (frame) => {
      if (isS7Error(frame)) return this.#turnedDown(frame);
      clearLengthsOfRefusedItems(frame);
      super.onResponse(frame);
    });
  }

  #receive(chunk: Buffer, handle: (frame: Buffer) => void): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    this.guard(() => {
      while (!this.#destroyed && this.#unread.length >= SHORTEST_FRAME) {
        const length = this.#unread.readUInt16BE(2);
        if (this.#unread[0] !== TPKT_VERSION || length < SHORTEST_FRAME)
          throw new Error('a frame without TPKT header');
        if (this.#unread.length < length) return;
        const frame = this.#unread.subarray(0, length);
        this.#unread = this.#unread.subarray(length);
        handle(frame);
      }
    });
  }

  #turnedDown(frame: Buffer): void {
    const code = frame.toString('hex', S7_ERROR_AT, S7_ERROR_AT + 2);
    const message = `The ${this.#peer} turned the request down with S7 error 0x${code}. ${ACCESS_HINT}`;
    this.#lost(new KeyswitchError('plc-refused', message));
  }

  #unreachable(message: string, cause?: unknown): void {
    this.#lost(new KeyswitchError('plc-unreachable', message, { cause }));
  }
}

/** An acknowledgement with an error class, as CPUs without PUT/GET access send it; nodes7 would wait for another answer. */
function isS7Error(frame: Buffer): boolean {
  if (frame.length < S7_ERROR_AT + 2 || frame[S7_ID_AT] !== S7_ID) return false;
  return ACKNOWLEDGEMENTS.has(frame.readUInt8(S7_KIND_AT)) && frame.readUInt16BE(S7_ERROR_AT) !== 0;
}

/**
 * Some servers, Snap7 among them, give a refused item the length 4 though no data follow; nodes7 would then look for
 * the items after it half a byte off.
 */
function clearLengthsOfRefusedItems(frame: Buffer): void {
  if (frame[FUNCTION_AT] !== READ_VARIABLES) return;
  let at = ITEMS_AT;
  for (let left = frame.readUInt8(ITEM_COUNT_AT); left > 0 && at + 4 <= frame.length; left--) {
    if (frame[at] !== ITEM_OK) frame.writeUInt16BE(0, at + 2);
    const length = frame.readUInt16BE(at + 2);
    const bytes = LENGTH_IN_BITS.has(frame.readUInt8(at + 1)) ? Math.ceil(length / 8) : length;
    at += 4 + bytes + (bytes % 2);
  }
}

/** The message of an error; its code where it has none, as when every address of a host name failed. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.message !== '') return error.message;
  return error !== null && typeof error === 'object' && 'code' in error
    ? String(error.code)
    : 'for an unknown reason';
}
