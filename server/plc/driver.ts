/** Speaks S7 to one PLC over one socket, one call at a time, from the connection to its end. */
import { KeyswitchError, messageOf } from '../errors.ts';
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { formatHostAndPort, type PlcEndpoint } from './connection-string.ts';
import { valueInvalid, type Item } from './items.ts';
import { Opening, SETUP_REFERENCE } from './opening.ts';
import { planRead, type Place, type ReadPlan } from './read-plan.ts';
import {
  ADDRESS_BYTES,
  createReceiver,
  DATA_HEADER_BYTES,
  ITEM_CODES,
  parseFrame,
  parseMessage,
  parseReadAnswer,
  parseSetup,
  parseSystemList,
  parseSystemListPart,
  parseWriteAnswer,
  readRequest,
  REQUEST_OVERHEAD,
  S7FormatError,
  S7Refusal,
  systemListRequest,
  writeRequest,
  type Message,
  type Setup,
} from './s7-frames.ts';

export interface DriverOptions extends PlcEndpoint {
  /** How long the PLC may be silent while it owes an answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** What one item read: its value, or `plc-refused` where the PLC answered that it cannot be read. */
export type Reading<Value = number> = Value | KeyswitchError;

/** What the PLC says of itself. */
export interface PlcIdentity {
  /** Of its CPU: `CPU 315-2 PN/DP`, or the order number where it tells no more. */
  readonly type: string;
  /** As the project names it; null: it has none. */
  readonly name: string | null;
}

/** What connecting consists of, in this order: TCP, ISO (rack and slot), S7 (sizes). */
export type ConnectStep = 'reach' | 'connect' | 'negotiate';

export interface WriteOptions {
  /** Reads back what was written; true by default. */
  readonly verify?: boolean;
}

/**
 * One connection to one PLC, from `connect` to its end. Calls are sent one after the other in the order they came,
 * except that writes go before waiting reads.
 *
 * A connection that fails is over for good: its socket is destroyed, every call under way or waiting is rejected with
 * the same error, and so is every later one. `plc-unreachable`: nothing listens, or the peer closed the connection or
 * does not speak S7. `plc-timeout`: it was silent for `timeoutMs`. `plc-refused`: the PLC turned the connection or a
 * whole read down.
 */
export interface Driver {
  /** Connects and negotiates the PDU, within `timeoutMs` altogether. */
  connect(): Promise<void>;
  /** Reads all `items` in as few PDUs as they fit into; the map is keyed by `Item.name`. */
  read(items: readonly Item<unknown>[]): Promise<ReadonlyMap<string, Reading<unknown>>>;
  /**
   * Writes `value` and reads it back. Besides the ends of the connection, rejects with `plc-value-invalid` (nothing
   * was sent), `plc-refused` (this item cannot be written) or `plc-write-unverified`; the connection survives these.
   */
  write<Value>(item: Item<Value>, value: Value, options?: WriteOptions): Promise<void>;
  /** Asks the PLC what it is; null where it does not tell. */
  identify(): Promise<PlcIdentity | null>;
  /** Ends the connection; what is under way or waiting is rejected with `plc-unreachable`. */
  close(): void;
  /** Resolves with the reason once the connection is over; never rejects. */
  readonly ended: Promise<KeyswitchError>;
  /** What was negotiated; null before. */
  readonly pduBytes: number | null;
}

export interface DriverPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** Told when a step of connecting begins. */
  readonly onStep?: (step: ConnectStep) => void;
}

interface Call {
  start(): Promise<unknown>;
  reject(error: KeyswitchError): void;
}

/** Of `timeoutMs`, what a call keeps however long the PLC was not asked anything before it. */
const LEAST_SHARE = 1 / 3;
/** After this time a PLC that refused items is asked again for them together with others: its program may have changed. */
const APART_MS = 60_000;
/** Messages have one part on any CPU; lists come in few. */
const MOST_PARTS = 16;
/** Lists of the system state, and of their records those that are wanted: index and longest text. */
const IDENTITY = {
  components: { id: 0x001c, name: { index: 1, length: 24 }, moduleType: { index: 7, length: 32 } },
  modules: { id: 0x0011, orderNumber: { index: 1, length: 20 } },
} as const;
/** Bytes of a PDU besides what is written. */
const WRITE_OVERHEAD = REQUEST_OVERHEAD + ADDRESS_BYTES + DATA_HEADER_BYTES;
const ACCESS_HINT =
  'Does the block exist, is it long enough and not optimised, and is PUT/GET access allowed?';

/** Makes a driver that is not yet connected. */
export function createDriver(options: DriverOptions, ports: DriverPorts): Driver {
  const { clock, log } = ports;
  const { timeoutMs } = options;
  const peer = `PLC at ${formatHostAndPort(options)}`;
  const opening = new Opening({ reached, heard, failed, closed });
  const receive = createReceiver();
  const ended = Promise.withResolvers<KeyswitchError>();
  const writes: Call[] = [];
  const reads: Call[] = [];
  /** Who waits for which answer, and to which requests nobody does any more. */
  const asked = new Map<number, (message: Message) => void>();
  const forgotten = new Set<number>();
  const apart = new Set<string>();
  let state: 'new' | 'connecting' | 'in use' | 'over' = 'new';
  let reason = new KeyswitchError('plc-unreachable', `The connection to the ${peer} was not opened.`);
  let setup: Setup | null = null;
  let current: Call | null = null;
  let planned: { readonly items: readonly Item<unknown>[]; readonly plan: ReadPlan } | null = null;
  let apartSince = 0;
  let lastReference = 0;
  let answers = 0;
  let lastHeard = 0;
  let unfinished: Buffer[] = [];
  let confirmed: ((frame: Buffer) => void) | null = null;
  let isReached = false;
  let cancelDeadline: CancelTimer = () => undefined;

  function end(error: KeyswitchError): void {
    if (state === 'over') return;
    // Abruptly, with a reset (RFC 9293, 3.10.5), where something is under way: after a close the system would go on
    // sending what the peer has not acknowledged, and a write given up long ago could still reach the PLC.
    opening.stop(asked.size > 0 || confirmed !== null);
    state = 'over';
    reason = error;
    cancelDeadline();
    asked.clear();
    log.debug({ peer, err: error }, 'PLC connection ended');
    for (const call of [current, ...writes.splice(0), ...reads.splice(0)]) call?.reject(error);
    current = null;
    ended.resolve(error);
  }

  function endAs(
    code: 'plc-unreachable' | 'plc-timeout' | 'plc-refused',
    message: string,
    cause?: unknown,
  ): void {
    end(new KeyswitchError(code, message, { cause }));
  }

  /** Ends the connection for whatever a peer's bytes led to: an exception is never more than that. */
  function endOver(cause: unknown): void {
    if (cause instanceof KeyswitchError) return end(cause);
    if (cause instanceof S7Refusal) return end(turnedDown(cause));
    endAs('plc-unreachable', `The answer of the ${peer} is no S7: ${messageOf(cause)}.`, cause);
  }

  function turnedDown(refusal: S7Refusal): KeyswitchError {
    const what = refusal.of === 'iso' ? 'the connection' : 'the request';
    const hint = refusal.of === 'iso' ? 'Are rack and slot right, and is a connection free?' : ACCESS_HINT;
    const message = `The ${peer} turned ${what} down (${refusal.message}). ${hint}`;
    return new KeyswitchError('plc-refused', message, { cause: refusal });
  }

  /** Queues a call. What it throws is its own where it is an error of ours, and the end of the connection where not. */
  function enqueue<T>(queue: Call[], work: () => Promise<T>): Promise<T> {
    if (state !== 'in use') return Promise.reject(reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const start = (): Promise<void> =>
      work().then(resolve, (error: unknown) => {
        if (error instanceof KeyswitchError) reject(error);
        else endOver(error);
      });
    queue.push({ start, reject });
    startNext();
    return promise;
  }

  function startNext(): void {
    if (current !== null || state !== 'in use') return;
    const call = writes.shift() ?? reads.shift() ?? null;
    current = call;
    void call?.start().finally(() => {
      if (current !== call) return;
      current = null;
      startNext();
    });
  }

  /** Sends a request and waits for its answer, for ever once the connection is over: `end` has rejected the call then. */
  function ask(build: (reference: number) => Buffer): Promise<Message> {
    return new Promise((resolve) => {
      if (state === 'over') return;
      if (asked.size === 0 && state === 'in use') {
        // A dead peer is noticed within `timeoutMs` of its last sign of life, not of our next question.
        const quietMs = clock.monotonic() - lastHeard;
        setDeadline(Math.max(timeoutMs - quietMs, timeoutMs * LEAST_SHARE));
      }
      lastReference = (lastReference % 0xffff) + 1;
      asked.set(lastReference, resolve);
      opening.send(build(lastReference));
    });
  }

  /** Asks all of `builds`, as many at a time as the PLC takes; the answers are in the same order. */
  async function askAll(builds: readonly ((reference: number) => Buffer)[]): Promise<Message[]> {
    const inOrder = new Array<Message>(builds.length);
    const waiting = builds.entries();
    const lane = async (): Promise<void> => {
      for (const [index, build] of waiting) inOrder[index] = await ask(build);
    };
    await Promise.all(Array.from({ length: Math.min(setup?.parallel ?? 1, builds.length) }, lane));
    return inOrder;
  }

  function setDeadline(ms: number): void {
    cancelDeadline();
    cancelDeadline = clock.after(ms, () => {
      const answersBefore = answers;
      // A host that was held up itself finds the timer due and the answer arrived: the answer counts.
      setImmediate(() => {
        const owesNothing = state === 'in use' && asked.size === 0;
        if (answers !== answersBefore || owesNothing) return;
        endAs('plc-timeout', `No answer from the ${peer} within ${timeoutMs} ms.`);
      });
    });
  }

  function heard(chunk: Buffer): void {
    try {
      for (const bytes of receive(chunk)) {
        if (state === 'over') return;
        const frame = parseFrame(bytes);
        if (frame.kind === 'data') hearData(frame.content, frame.isLast);
        else if (frame.kind === 'refusal') throw new S7Refusal('iso', frame.reason);
        else if (confirmed === null) throw new S7FormatError('a connection that was not asked for');
        else confirmed(bytes);
      }
    } catch (error) {
      endOver(error);
    }
  }

  function hearData(content: Buffer, isLast: boolean): void {
    if (content.length === 0 && unfinished.length === 0) return;
    unfinished.push(content);
    const parts = unfinished;
    if (parts.length > MOST_PARTS) throw new S7FormatError('a message without an end');
    if (!isLast) return;
    unfinished = [];
    const message = parseMessage(parts.length === 1 ? content : Buffer.concat(parts));
    lastHeard = clock.monotonic();
    if (forgotten.delete(message.reference)) return;
    const answered = asked.get(message.reference);
    if (answered === undefined) throw new S7FormatError('an answer to nothing that was asked');
    asked.delete(message.reference);
    answers += 1;
    if (state === 'in use') {
      if (asked.size === 0) cancelDeadline();
      else setDeadline(timeoutMs);
    }
    answered(message);
  }

  /** Never settles where the connection ends before: `end` tells. */
  async function shakeHands(): Promise<void> {
    ports.onStep?.('reach');
    const answer = await new Promise<Message>((resolve) => {
      confirmed = (frame) => {
        confirmed = null;
        ports.onStep?.('negotiate');
        asked.set(SETUP_REFERENCE, resolve);
        opening.confirm(frame);
      };
      // nodes7's own limit must not pass before ours: it would not say why.
      opening.open(options, 2 * timeoutMs);
    });
    opening.opened();
    setup = parseSetup(answer);
  }

  function reached(): void {
    isReached = true;
    ports.onStep?.('connect');
  }

  function failed(cause: unknown): void {
    const what = isReached ? `The connection to the ${peer} broke` : `Cannot connect to the ${peer}`;
    endAs('plc-unreachable', `${what}: ${reasonOf(cause)}.`, cause);
  }

  function closed(): void {
    const hint = state === 'in use' ? '' : ' Are rack and slot right, and is a connection free?';
    endAs('plc-unreachable', `The ${peer} closed the connection.${hint}`);
  }

  async function readNow(items: readonly Item<unknown>[]): Promise<ReadonlyMap<string, Reading<unknown>>> {
    const plan = planFor(items);
    const readings = await readAs(items, plan);
    const suspects = items.filter(
      ({ name }) => readings.get(name) instanceof KeyswitchError && sharesBlock(name, plan),
    );
    if (suspects.length === 0) return readings;
    // One item that cannot be read spoils a block: each is asked for by itself, and the bad ones ever after.
    const names = new Set(suspects.map(({ name }) => name));
    const again = await readAs(suspects, planRead(suspects, pduBytes(), names));
    const bad = [...again].filter(([, reading]) => reading instanceof KeyswitchError).map(([name]) => name);
    if (apart.size === 0) apartSince = clock.monotonic();
    // Where none is bad by itself, this PLC does not like the block: then its members stay apart.
    for (const name of bad.length > 0 ? bad : names) apart.add(name);
    planned = null;
    return new Map([...readings, ...again]);
  }

  function planFor(items: readonly Item<unknown>[]): ReadPlan {
    if (apart.size > 0 && clock.monotonic() - apartSince > APART_MS) {
      apart.clear();
      planned = null;
    }
    if (planned?.items !== items) planned = { items, plan: planRead(items, pduBytes(), apart) };
    return planned.plan;
  }

  async function readAs(
    items: readonly Item<unknown>[],
    { requests, places }: ReadPlan,
  ): Promise<Map<string, Reading<unknown>>> {
    const answers = await askAll(requests.map((blocks) => (reference) => readRequest(reference, blocks)));
    const contents = answers.map((answer, index) => parseReadAnswer(answer, requests[index] ?? []));
    const readings = new Map<string, Reading<unknown>>();
    for (const item of items) readings.set(item.name, assemble(item, places.get(item.name) ?? [], contents));
    return readings;
  }

  function assemble(
    item: Item<unknown>,
    places: readonly Place[],
    contents: readonly (readonly (Buffer | S7Refusal)[])[],
  ): Reading<unknown> {
    const parts: Buffer[] = [];
    for (const { request, block, at, bytes } of places) {
      const content = contents[request]?.[block];
      if (content === undefined || content instanceof S7Refusal) return refused('read', item, content);
      if (places.length === 1) return item.decode(content, at);
      parts.push(content.subarray(at, at + bytes));
    }
    return item.decode(Buffer.concat(parts));
  }

  function refused(
    what: 'read' | 'write',
    item: Item<unknown>,
    refusal: S7Refusal | undefined,
  ): KeyswitchError {
    const said = refusal === undefined ? '' : ` (${refusal.message})`;
    const message = `The ${peer} refuses to ${what} ${item.name}${said}. ${hintFor(refusal)}`;
    return new KeyswitchError('plc-refused', message, { cause: refusal });
  }

  async function writeNow<Value>(item: Item<Value>, value: Value, verify: boolean): Promise<void> {
    const { area, byteOffset, bitNumber } = item;
    const content = item.encode(value);
    const longest = pduBytes() - WRITE_OVERHEAD;
    for (let at = 0; at < content.length; at += longest) {
      const place = { area, offset: byteOffset + at, bitNumber };
      const part = content.subarray(at, at + longest);
      const answer = await ask((reference) => writeRequest(reference, place, part));
      try {
        parseWriteAnswer(answer);
      } catch (error) {
        throw error instanceof S7Refusal ? refused('write', item, error) : error;
      }
    }
    // The answer to a write only says that it was well-formed: a program may copy over the word in the same cycle.
    if (verify) await readBack(item, value);
  }

  async function readBack<Value>(item: Item<Value>, value: Value): Promise<void> {
    const reading = (await readAs([item], planRead([item], pduBytes()))).get(item.name);
    // As it can be written: a text loses what ISO 8859-1 does not have. A bit is encoded without its neighbours.
    const taken = item.bitNumber === null ? item.decode(item.encode(value)) : value;
    if (Object.is(reading, taken)) return;
    const found =
      reading instanceof KeyswitchError
        ? 'cannot be read'
        : `reads ${typeof reading === 'number' ? reading : 'otherwise'}`;
    const what = typeof taken === 'number' ? taken : 'a text';
    const message = `The ${peer} confirmed ${what} in ${item.name}, but the item then ${found}.`;
    const cause = reading instanceof KeyswitchError ? reading : undefined;
    throw new KeyswitchError('plc-write-unverified', message, { cause });
  }

  async function identifyNow(): Promise<PlcIdentity | null> {
    const { components, modules } = IDENTITY;
    const names = await readList(components.id);
    if (names === null) return null;
    const type =
      textOf(names, components.moduleType) ?? textOf((await readList(modules.id)) ?? [], modules.orderNumber);
    return type === null ? null : { type, name: textOf(names, components.name) };
  }

  /** The records of a list of the system state, none where the PLC has no such list; null where it is silent. */
  async function readList(id: number): Promise<Buffer[] | null> {
    const parts: Buffer[] = [];
    let sequence = 0;
    while (parts.length < MOST_PARTS) {
      const answer = await askInVain((reference) => systemListRequest(reference, id, 0, sequence));
      if (answer === null) return null;
      const part = parseSystemListPart(answer);
      if (part === null) return [];
      parts.push(part.content);
      if (part.isLast) return parseSystemList(Buffer.concat(parts));
      sequence = part.sequence;
    }
    return [];
  }

  /** Asks what a PLC need not answer: null after a while, and a late answer is forgotten. */
  function askInVain(build: (reference: number) => Buffer): Promise<Message | null> {
    return new Promise((resolve) => {
      const answer = ask(build);
      const reference = lastReference;
      const giveUp = clock.after(timeoutMs * LEAST_SHARE, () => {
        if (!asked.delete(reference)) return;
        forgotten.add(reference);
        if (asked.size === 0) cancelDeadline();
        resolve(null);
      });
      void answer.then((message) => {
        giveUp();
        resolve(message);
      });
    });
  }

  function isOver(): boolean {
    return state === 'over';
  }

  function pduBytes(): number {
    return setup?.pduBytes ?? 0;
  }

  return {
    ended: ended.promise,
    get pduBytes() {
      return setup?.pduBytes ?? null;
    },
    async connect() {
      if (state !== 'new') throw reason;
      state = 'connecting';
      setDeadline(timeoutMs);
      await Promise.race([shakeHands().catch(endOver), ended.promise]);
      if (isOver()) throw reason;
      cancelDeadline();
      state = 'in use';
      lastHeard = clock.monotonic();
      log.debug({ peer, ...setup }, 'PLC connection open');
    },
    async read(items) {
      if (items.length === 0) return new Map();
      return enqueue(reads, () => readNow(items));
    },
    async write(item, value, { verify = true } = {}) {
      if (!item.fits(value)) throw valueInvalid(item, value);
      await enqueue(writes, () => writeNow(item, value, verify));
    },
    identify: () => enqueue(reads, identifyNow),
    close: () => endAs('plc-unreachable', `The connection to the ${peer} was closed on this side.`),
  };
}

/** Whether any bytes of this item are read together with others. */
function sharesBlock(name: string, { requests, places }: ReadPlan): boolean {
  const blocks = (places.get(name) ?? []).map(({ request, block }) => requests[request]?.[block]);
  return blocks.some((block) => block !== undefined && block.names.length > 1);
}

function hintFor(refusal: S7Refusal | undefined): string {
  if (refusal?.of !== 'item') return ACCESS_HINT;
  switch (refusal.code) {
    case ITEM_CODES.accessDenied:
      return 'Is PUT/GET access allowed, and the block not optimised?';
    case ITEM_CODES.beyondTheEnd:
      return 'The block is shorter than that.';
    case ITEM_CODES.doesNotExist:
      return 'Does the block exist, and is it not optimised?';
    default:
      return ACCESS_HINT;
  }
}

/** The text of the record with this index, without what fills it up. */
function textOf(
  records: readonly Buffer[],
  { index, length }: { readonly index: number; readonly length: number },
): string | null {
  const record = records.find((candidate) => candidate.readUInt16BE(0) === index);
  const text = record
    ?.toString('latin1', 2, 2 + length)
    .replaceAll(/[^\x20-\x7e\xa0-\xff]+/g, ' ')
    .trim();
  return text === undefined || text === '' ? null : text;
}

/** The message of an error; its code where it has none, as when every address of a host name failed. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.message !== '') return error.message;
  return error !== null && typeof error === 'object' && 'code' in error
    ? String(error.code)
    : 'for an unknown reason';
}
