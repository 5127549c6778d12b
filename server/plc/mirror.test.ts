import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyswitchError } from '../errors.ts';
import { createSystemClock } from '../ports/clock.ts';
import { parseAddress } from './address.ts';
import type { ConnectionStatus, PlcConnection, ReadListener } from './connection.ts';
import { createHistory } from './history.ts';
import { numberItem, textItem, type Item } from './items.ts';
import { createMirror } from './mirror.ts';

const WORD = numberItem({ kind: 'DB', number: 250 }, parseAddress('W188'));

/** Lets promises that are settled have their say. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A PLC with one item, and a connection to it whose every message waits to be let through. */
class World implements PlcConnection {
  held: Buffer;
  readonly written: unknown[] = [];
  polls = 0;
  refusal: KeyswitchError | null = null;
  readonly history = createHistory(createSystemClock());
  #state: ConnectionStatus['state'] = 'online';
  #poll: { number: number; bytes: Buffer } | null = null;
  #write: (PromiseWithResolvers<void> & { bytes: Buffer; isDone: boolean }) | null = null;
  #late: Buffer[] = [];
  #watch: { item: Item<unknown>; listener: ReadListener<unknown> } | null = null;
  #statusListener: (status: ConnectionStatus) => void = () => undefined;

  constructor(item: Item<unknown> = WORD) {
    this.held = Buffer.alloc(item.bytes);
  }

  get status(): ConnectionStatus {
    return {
      ...{ connection: 'Data Source=10.0.0.5:102,0,2', state: this.#state, since: 0, roundTripMs: 1 },
      ...{ lastError: null, plc: null, pduBytes: 240 },
    };
  }

  get isWriting(): boolean {
    return this.#write !== null;
  }

  watch<Value>(item: Item<Value>, listener: ReadListener<Value>): () => void {
    this.#watch = { item, listener: listener as ReadListener<unknown> };
    return () => (this.#watch = null);
  }

  write<Value>(item: Item<Value>, value: Value): Promise<void> {
    // One at a time.
    expect(this.#write).toBeNull();
    this.written.push(value);
    this.#write = { ...Promise.withResolvers<void>(), bytes: item.encode(value), isDone: false };
    return this.#write.promise;
  }

  onStatus(listener: (status: ConnectionStatus) => void): () => void {
    this.#statusListener = listener;
    return () => undefined;
  }

  close(): void {}

  ask(): void {
    if (this.#state !== 'online' || this.#poll !== null) return;
    this.polls += 1;
    this.#poll = { number: this.polls, bytes: Buffer.from(this.held) };
  }

  deliver(): void {
    const poll = this.#poll;
    if (poll === null) return;
    this.#poll = null;
    this.#watch?.listener(this.#watch.item.decode(poll.bytes), poll.number);
  }

  refuseToRead(error: KeyswitchError): void {
    this.#watch?.listener(error, ++this.polls);
  }

  transmit(): void {
    if (this.#write === null || this.#write.isDone) return;
    this.#write.isDone = true;
    if (this.refusal === null) this.held = this.#write.bytes;
  }

  async confirm(): Promise<void> {
    const write = this.#write;
    if (write?.isDone !== true) return;
    this.#write = null;
    if (this.refusal === null) write.resolve();
    else write.reject(this.refusal);
    await settled();
  }

  async lose(): Promise<void> {
    if (this.#state !== 'online') return;
    this.#state = 'backing-off';
    this.#poll = null;
    const write = this.#write;
    this.#write = null;
    if (write !== null && !write.isDone) this.#late.push(write.bytes);
    write?.reject(new KeyswitchError('plc-unreachable'));
    this.#statusListener(this.status);
    await settled();
  }

  connect(): void {
    this.#state = 'online';
    this.#statusListener(this.status);
  }

  /** A PLC that hung works off what it had received. */
  takeLate(): void {
    const bytes = this.#late.shift();
    if (bytes !== undefined) this.held = bytes;
  }

  /** Asks, answers, writes and confirms, until nothing is left to do. */
  async rest(): Promise<void> {
    this.connect();
    while (this.#late.length > 0) this.takeLate();
    for (let round = 0; round < 6; round += 1) {
      this.deliver();
      this.ask();
      this.deliver();
      this.transmit();
      await this.confirm();
    }
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('ask', 'deliver', 'transmit', 'confirm') },
    { weight: 1, arbitrary: fc.constantFrom('lose', 'connect', 'late', 'program') },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }) },
  ),
  { maxLength: 40, size: 'max' },
);

describe('an item that is kept at a value', () => {
  it('holds the newest in the end, however messages cross, and is never given one that is wanted no more', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const world = new World();
        const mirror = createMirror(world, WORD, () => undefined);
        let wanted = 7;
        mirror.set(wanted);
        for (const step of script) {
          const before = world.written.length;
          if (typeof step === 'number') mirror.set((wanted = step));
          else if (step === 'ask') world.ask();
          else if (step === 'deliver') world.deliver();
          else if (step === 'transmit') world.transmit();
          else if (step === 'confirm') await world.confirm();
          else if (step === 'lose') await world.lose();
          else if (step === 'connect') world.connect();
          else if (step === 'late') world.takeLate();
          else world.held = WORD.encode(99);
          for (const value of world.written.slice(before)) expect(value).toBe(wanted);
        }
        await world.rest();
        expect(WORD.decode(world.held)).toBe(wanted);
        expect(mirror.isKept).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is not written before anything is wanted', async () => {
    const world = new World();
    createMirror(world, WORD, () => undefined);
    await world.rest();
    expect(world.written).toEqual([]);
  });

  it('is written once with each connection, and not again while it stands there', async () => {
    const world = new World();
    createMirror(world, WORD, () => undefined).set(0);
    await world.rest();
    expect(world.written).toEqual([0]);
    await world.lose();
    await world.rest();
    expect(world.written).toEqual([0, 0]);
  });

  it('is put right where a program writes over it', async () => {
    const world = new World();
    createMirror(world, WORD, () => undefined).set(5);
    await world.rest();
    world.held = WORD.encode(9);
    await world.rest();
    expect(WORD.decode(world.held)).toBe(5);
  });

  it('can be a text with characters that the PLC does not have', async () => {
    const item = textItem({ kind: 'DB', number: 250 }, 190, 8);
    const world = new World(item);
    createMirror(world, item, () => undefined).set('Łukasz Überlang');
    await world.rest();
    expect(item.decode(world.held)).toBe('?ukasz \u00dc');
    expect(world.written).toHaveLength(1);
  });

  it('tells of what keeps it from being read and from being written, and when it is well again', async () => {
    const world = new World();
    const told: (string | null)[] = [];
    const mirror = createMirror(world, WORD, (fault) => told.push(fault?.code ?? null));
    mirror.set(5);
    world.refuseToRead(new KeyswitchError('plc-refused'));
    expect(told).toEqual(['plc-refused']);
    world.refusal = new KeyswitchError('plc-refused');
    world.ask();
    world.deliver();
    world.transmit();
    await world.confirm();
    expect(told).toEqual(['plc-refused', 'plc-refused']);
    expect(mirror.isKept).toBe(false);
    world.refusal = null;
    await world.rest();
    expect(told.at(-1)).toBeNull();
    expect(WORD.decode(world.held)).toBe(5);
  });

  it('is left alone when the mirror is closed', async () => {
    const world = new World();
    const mirror = createMirror(world, WORD, () => undefined);
    mirror.set(5);
    await world.rest();
    mirror.close();
    mirror.set(6);
    await world.rest();
    expect(WORD.decode(world.held)).toBe(5);
  });
});
