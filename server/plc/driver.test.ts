import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startS7Cpu } from '../../test/s7-cpu.ts';
import { startS7Server, type S7Server } from '../../test/s7-server.ts';
import { startTcpProxy } from '../../test/tcp-proxy.ts';
import { isKeyswitchError, type ErrorCode } from '../errors.ts';
import { createFixedClock, createSystemClock, type Clock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { parseArea } from './address.ts';
import { createDriver, type ConnectStep, type Driver } from './driver.ts';
import { parseItem, type Item, type Spelling, type ValueOf } from './items.ts';

/** Patient, for a busy machine is not a frozen PLC; where a PLC is frozen, the fixed clock decides. */
const TIMEOUT_MS = 5000;

type SpellingIn<Text extends string> = Text extends `S${string}` ? 'S' : Exclude<Spelling, 'S'>;

function item<Text extends string>(address: Text, area = 'DB250'): Item<ValueOf<SpellingIn<Text>>> {
  const spellings = ['W', 'B', 'D', 'X', 'S', 'DTL', 'DT'] as const;
  return parseItem(parseArea(area), address, { field: 'address', spellings }) as Item<
    ValueOf<SpellingIn<Text>>
  >;
}

function wordsFrom(first: number, count: number): Item[] {
  return Array.from({ length: count }, (_, index) => item(`W${first + 2 * index}`));
}

function driverTo(port: number, clock: Clock = createSystemClock()): Driver {
  const endpoint = { host: '127.0.0.1', port, rack: 0, slot: 2 };
  return createDriver({ ...endpoint, timeoutMs: TIMEOUT_MS }, { clock, log: createMemoryLog() });
}

async function connected(port: number, clock?: Clock): Promise<Driver> {
  const driver = driverTo(port, clock);
  await driver.connect();
  return driver;
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode> {
  const error = await promise.then(
    () => undefined,
    (err: unknown) => err,
  );
  if (!isKeyswitchError(error)) throw new Error(`expected a KeyswitchError, got ${String(error)}`);
  return error.code;
}

async function valueOf(driver: Driver, wanted: Item<unknown>): Promise<unknown> {
  return (await driver.read([wanted])).get(wanted.name);
}

describe('a driver and a PLC', () => {
  let plc: S7Server;
  let driver: Driver;

  beforeAll(async () => {
    plc = await startS7Server();
    driver = await connected(plc.port);
  });
  afterAll(async () => {
    driver.close();
    await plc.close();
  });

  it.each([
    ['W188', 0xbeef],
    ['B190', 0xa5],
    ['D192', 0xdeadbeef],
  ])('write %s as unsigned big-endian, and read it back', async (address, value) => {
    await driver.write(item(address), value);
    const held = { W: plc.getWord, B: plc.getByte, D: plc.getDoubleWord }[address.charAt(0)];
    expect(await held?.(item(address).byteOffset)).toBe(value);
    expect(await valueOf(driver, item(address))).toBe(value);
  });

  it('set and clear one bit and leave its neighbours alone', async () => {
    await plc.setByte(200, 0b1010_0001);
    await driver.write(item(`X${200 * 8 + 3}`), 1);
    expect(await plc.getByte(200)).toBe(0b1010_1001);
    expect(await valueOf(driver, item(`X${200 * 8 + 3}`))).toBe(1);
    await driver.write(item(`X${200 * 8 + 7}`), 0);
    expect(await plc.getByte(200)).toBe(0b0010_1001);
  });

  it('write a text and a moment, and read them back', async () => {
    const at = Date.UTC(2026, 10, 22, 6, 38, 11, 123);
    await driver.write(item('S300.6'), 'Žoë is cut');
    await driver.write(item('DTL310'), at);
    await driver.write(item('DT322'), at);
    expect(await plc.getDoubleWord(300)).toBe(0x06063f6f);
    expect(await plc.getWord(310)).toBe(2026);
    expect(await plc.getDoubleWord(322)).toBe(0x26112206);
    const readings = await driver.read([item('S300.6'), item('DTL310'), item('DT322')]);
    expect([...readings.values()]).toEqual(['?oë is', at, at]);
    await driver.write(item('DTL310'), NaN);
    expect(await valueOf(driver, item('DTL310'))).toBeNaN();
  });

  it('know what the CPU is', async () => {
    expect(await driver.identify()).toEqual({ type: 'CPU 315-2 PN/DP', name: 'SNAP7-SERVER' });
  });

  it('read many items at once, in any order, and more than fit into one request', async () => {
    const items = Array.from({ length: 120 }, (_, index) => item(`W${2 * ((index * 7) % 120)}`));
    await Promise.all(
      items.map(({ name }, index) => plc.setWord(2 * ((index * 7) % 120), name.length + index)),
    );
    const readings = await driver.read(items);
    expect([...readings]).toEqual(items.map(({ name }, index) => [name, name.length + index]));
  });

  it('let one refused item spoil neither the others nor the connection', async () => {
    await plc.setWord(2, 7);
    await plc.setWord(510, 8);
    // One block before theirs is missing; one word lies next to a good one, but beyond the end.
    const wanted = [item('W0', 'DB1'), item('W2'), item('W512'), item('W510')];
    const readings = await driver.read(wanted);
    const shown = wanted.map(({ name }) => readings.get(name)).map((r) => (isKeyswitchError(r) ? r.code : r));
    expect(shown).toEqual(['plc-refused', 7, 'plc-refused', 8]);
    expect(await valueOf(driver, item('W2'))).toBe(7);
  });

  it('reject a write to a block that is not there, and stay connected', async () => {
    await expect(driver.write(item('W0', 'DB999'), 1)).rejects.toMatchObject({
      code: 'plc-refused',
      message: expect.stringContaining(`127.0.0.1:${plc.port}`) as string,
    });
    await driver.write(item('W2'), 9);
    expect(await plc.getWord(2)).toBe(9);
  });

  it.each([NaN, 1.5, -1, 65536, Infinity, '9', null, undefined])('never send %j to a word', async (value) => {
    await plc.setWord(188, 1234);
    expect(await codeOf(driver.write(item('W188'), value as number))).toBe('plc-value-invalid');
    expect(await plc.getWord(188)).toBe(1234);
  });

  it('answer every one of many calls made at once, writes before waiting reads', async () => {
    const order: string[] = [];
    const word = item('W188');
    const note = (name: string, call: Promise<unknown>): Promise<unknown> =>
      call.then(() => order.push(name));
    await Promise.all([
      note('read 1', driver.read([word])),
      note('read 2', driver.read([word])),
      note('write 1', driver.write(word, 1)),
      note('read 3', driver.read([item('W2')])),
      note('write 2', driver.write(word, 2)),
    ]);
    expect(order).toEqual(['read 1', 'write 1', 'write 2', 'read 2', 'read 3']);
    expect(await plc.getWord(188)).toBe(2);
  });

  it('say that nothing was asked for when nothing was', async () => {
    expect((await driver.read([])).size).toBe(0);
  });

  it('leave the console alone', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const other = await connected(plc.port);
    await other.read([item('W0', 'DB999')]);
    other.close();
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  });
});

describe('a driver', () => {
  it('reports a PLC that is not there, with host, port and cause', async () => {
    const { port, close } = await portOfNobody();
    await close();
    const driver = driverTo(port);
    await expect(driver.connect()).rejects.toMatchObject({
      code: 'plc-unreachable',
      message: expect.stringContaining(`127.0.0.1:${port}`) as string,
      cause: { code: 'ECONNREFUSED' },
    });
    expect((await driver.ended).code).toBe('plc-unreachable');
  });

  it('reports a port that cannot be', async () => {
    expect(await codeOf(driverTo(70_000).connect())).toBe('plc-unreachable');
  });

  it('gives up a PLC that accepts and never speaks, and resets the socket, so that nothing given up is sent later', async () => {
    const clock = createFixedClock();
    const peer = await scriptedPeer(() => []);
    const driver = driverTo(peer.port, clock);
    const connecting = codeOf(driver.connect());
    const socket = await peer.accepted;
    await peer.request(0);
    const reset = new Promise((resolve) => socket.once('error', resolve));
    await clock.advance(TIMEOUT_MS);
    expect(await connecting).toBe('plc-timeout');
    expect(await reset).toMatchObject({ code: 'ECONNRESET' });
    await peer.close();
  });

  it('notices a frozen PLC by its own deadline, rejects whatever waits, and is over', async () => {
    const clock = createFixedClock();
    await using plc = await startS7Server();
    const driver = await connected(plc.port, clock);
    await plc.freeze();
    const calls = [driver.read([item('W0')]), driver.read([item('W0')]), driver.write(item('W0'), 1)].map(
      codeOf,
    );
    await clock.advance(TIMEOUT_MS - 1);
    expect(await Promise.race([driver.ended, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect(await Promise.all(calls)).toEqual(['plc-timeout', 'plc-timeout', 'plc-timeout']);
    expect((await driver.ended).message).toContain(`127.0.0.1:${plc.port}`);
    expect(await codeOf(driver.read([item('W0')]))).toBe('plc-timeout');
  });

  it('counts the deadline from when a call is sent, not from when it is made', async () => {
    const clock = createFixedClock();
    const peer = await scriptedPeer(greeting());
    const driver = await connected(peer.port, clock);
    const first = driver.read([item('W0')]);
    const second = codeOf(driver.read([item('W0')]));
    await clock.advance(TIMEOUT_MS - 1);
    (await peer.accepted).write(readAnswer(await peer.request(2), 5));
    expect((await first).get(item('W0').name)).toBe(5);
    await clock.advance(TIMEOUT_MS - 1);
    expect(await Promise.race([driver.ended, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect(await second).toBe('plc-timeout');
    await peer.close();
  });

  it('reports a PLC that dies, at once', async () => {
    const clock = createFixedClock();
    await using plc = await startS7Server();
    const driver = await connected(plc.port, clock);
    await plc.kill();
    expect((await driver.ended).code).toBe('plc-unreachable');
    expect(await codeOf(driver.write(item('W0'), 1))).toBe('plc-unreachable');
  });

  it('rejects what is under way when it is closed', async () => {
    await using plc = await startS7Server();
    const driver = await connected(plc.port);
    const calls = [driver.read([item('W0')]), driver.write(item('W0'), 1)].map(codeOf);
    driver.close();
    expect(await Promise.all(calls)).toEqual(['plc-unreachable', 'plc-unreachable']);
    expect((await driver.ended).code).toBe('plc-unreachable');
  });

  it('refuses calls before it is connected, and a second connect', async () => {
    const driver = driverTo(1);
    expect(await codeOf(driver.read([item('W0')]))).toBe('plc-unreachable');
    expect(await codeOf(driver.write(item('W0'), 1))).toBe('plc-unreachable');
    driver.close();
    expect(await codeOf(driver.connect())).toBe('plc-unreachable');
  });

  it('decides by its own deadline alone, and leaves no timer behind that could connect again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const clock = createFixedClock();
      const peer = await scriptedPeer(greeting());
      const driver = await connected(peer.port, clock);
      const reading = codeOf(driver.read([item('W0')]));
      await peer.request(2);
      vi.advanceTimersByTime(TIMEOUT_MS + 1);
      expect(await Promise.race([driver.ended, 'the library has given up nothing'])).toBeTypeOf('string');
      await clock.advance(TIMEOUT_MS);
      expect(await reading).toBe('plc-timeout');
      expect(vi.getTimerCount()).toBe(0);
      await peer.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves none behind either where the negotiation went wrong', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    try {
      const nonsense = (request: Buffer): Buffer => answer(ackData(request, 'f0000001000100f0', 'ffff'));
      const peer = await scriptedPeer((request, index) =>
        index === 1 ? [nonsense(request)] : greeting()(request, index),
      );
      const driver = driverTo(peer.port, createFixedClock());
      expect(await codeOf(driver.connect())).toBe('plc-unreachable');
      expect(vi.getTimerCount()).toBe(0);
      await peer.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it('says plc-refused where the PLC turns the whole request down, as without PUT/GET access', async () => {
    const peer = await scriptedPeer(greeting((request) => [s7Error(request, 0x8104)]));
    const driver = await connected(peer.port);
    expect(await codeOf(driver.read([item('W0')]))).toBe('plc-refused');
    expect((await driver.ended).message).toContain('0x8104');
    await peer.close();
  });

  it('says plc-write-unverified where another value is read back, and stays connected', async () => {
    const peer = await scriptedPeer(
      greeting((request) => [isWrite(request) ? writeAnswer(request) : readAnswer(request, 4)]),
    );
    const driver = await connected(peer.port);
    expect(await codeOf(driver.write(item('W0'), 9))).toBe('plc-write-unverified');
    await driver.write(item('W0'), 4);
    driver.close();
    await peer.close();
  });

  it('understands answers that arrive byte by byte', async () => {
    const bytewise = (answer: Buffer): Buffer[] => [...answer].map((byte) => Buffer.of(byte));
    const peer = await scriptedPeer((request, index) =>
      greeting((read) => [readAnswer(read, 513)])(request, index).flatMap(bytewise),
    );
    const driver = await connected(peer.port);
    expect(await valueOf(driver, item('W0'))).toBe(513);
    driver.close();
    await peer.close();
  });

  it('survives a peer that says anything at any time', async () => {
    const frame = fc.uint8Array({ maxLength: 40 }).map((bytes) => framed(Buffer.from(bytes)));
    const chunks = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        frame,
        // Well-formed as far as the request's number goes.
        fc
          .uint8Array({ maxLength: 20 })
          .map((bytes) => Buffer.concat([Buffer.from('32030000', 'hex'), bytes])),
      ),
      { maxLength: 4 },
    );
    let script: { politeFor: number; chunks: readonly Buffer[] } = { politeFor: 0, chunks: [] };
    const peer = await scriptedPeer((request, index, socket) => {
      if (index < script.politeFor) return greeting()(request, index);
      setImmediate(() => socket.end());
      return script.chunks;
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 2 }), chunks, async (politeFor, said) => {
        script = { politeFor, chunks: said };
        const driver = driverTo(peer.port, createFixedClock());
        const codes = [
          await outcome(driver.connect()),
          ...(await Promise.all([driver.read([item('W0')]), driver.write(item('W0'), 5)].map(outcome))),
        ];
        driver.close();
        for (const code of codes) expect(['done', 'plc-unreachable', 'plc-refused']).toContain(code);
      }),
      { numRuns: 300 },
    );
    await peer.close();
  });
});

describe('a driver and a CPU that is not like Snap7', () => {
  it('reads 200 words in as many PDUs as their bytes need, and no more', async () => {
    for (const [pduBytes, pdus] of [
      [240, 2],
      [480, 1],
      [960, 1],
      [61, 10],
    ] as const) {
      await using cpu = await startS7Cpu({ pduBytes });
      for (let offset = 0; offset < 512; offset += 2) cpu.memory.writeUInt16BE(offset * 3, offset);
      const driver = await connected(cpu.port);
      const before = cpu.requests.length;
      const readings = await driver.read(wordsFrom(0, 200));
      expect([...readings.values()]).toEqual(wordsFrom(0, 200).map(({ byteOffset }) => byteOffset * 3));
      expect(cpu.requests.length - before).toBe(pdus);
      expect(driver.pduBytes).toBe(pduBytes);
      driver.close();
    }
  });

  it.each([32, 33, 47, 100, 241])(
    'reads and writes where the CPU allows PDUs of %i bytes, texts in pieces',
    async (pduBytes) => {
      await using cpu = await startS7Cpu({ pduBytes });
      const driver = await connected(cpu.port);
      const text = 'x'.repeat(250);
      await driver.write(item('S0.254'), text);
      await driver.write(item('X2047'), 1);
      await driver.write(item('D300'), 0xdeadbeef);
      expect(cpu.memory.toString('latin1', 2, 252)).toBe(text);
      const wanted = [item('D300'), item('S0.254'), item('X2047'), item('DTL310'), item('W0', 'DB7')];
      const readings = await driver.read(wanted);
      expect(wanted.map(({ name }) => readings.get(name))).toMatchObject([
        0xdeadbeef,
        text,
        1,
        NaN,
        { code: 'plc-refused' },
      ]);
      expect(Math.max(...cpu.requests)).toBeLessThanOrEqual(pduBytes);
      driver.close();
    },
  );

  it('asks once for what is refused together with others, then apart, and together again after a minute', async () => {
    const clock = createFixedClock();
    await using cpu = await startS7Cpu({ dbBytes: 100 });
    const driver = await connected(cpu.port, clock);
    const wanted = [item('W96'), item('W98'), item('W100')];
    const read = async (): Promise<{ pdus: number; values: unknown[] }> => {
      const before = cpu.requests.length;
      const values = [...(await driver.read(wanted)).values()];
      return {
        pdus: cpu.requests.length - before,
        values: values.map((value) => (isKeyswitchError(value) ? value.code : value)),
      };
    };
    const values = [0, 0, 'plc-refused'];
    expect(await read()).toEqual({ pdus: 2, values });
    expect(await read()).toEqual({ pdus: 1, values });
    cpu.settings.dbBytes = 512;
    expect(await read()).toEqual({ pdus: 1, values: [0, 0, 0] });
    await clock.advance(60_001);
    expect(await read()).toEqual({ pdus: 1, values: [0, 0, 0] });
    cpu.settings.dbBytes = 100;
    expect(await read()).toEqual({ pdus: 2, values });
    driver.close();
  });

  it('writes without reading back where that is not wanted', async () => {
    await using cpu = await startS7Cpu();
    const driver = await connected(cpu.port);
    const before = cpu.requests.length;
    await driver.write(item('X8'), 1, { verify: false });
    expect(cpu.requests.length - before).toBe(1);
    expect(cpu.memory[1]).toBe(1);
    driver.close();
  });

  it('stays connected where a write is turned down as a whole', async () => {
    await using cpu = await startS7Cpu();
    const driver = await connected(cpu.port);
    cpu.settings.putGet = false;
    expect(await codeOf(driver.write(item('W0'), 1))).toBe('plc-refused');
    cpu.settings.putGet = true;
    expect(await valueOf(driver, item('W0'))).toBe(0);
    driver.close();
  });

  it('is told where no CPU sits in the slot', async () => {
    await using cpu = await startS7Cpu({ slot: 1 });
    const steps: ConnectStep[] = [];
    const driver = createDriver(
      { host: '127.0.0.1', port: cpu.port, rack: 0, slot: 2, timeoutMs: TIMEOUT_MS },
      { clock: createSystemClock(), log: createMemoryLog(), onStep: (step) => steps.push(step) },
    );
    expect(await codeOf(driver.connect())).toBe('plc-refused');
    expect(steps).toEqual(['reach', 'connect']);
  });

  it('knows a dead peer within the timeout of its last sign of life, not of the next question', async () => {
    const clock = createFixedClock();
    const peer = await scriptedPeer(greeting());
    const driver = await connected(peer.port, clock);
    await clock.advance(1000);
    const reading = codeOf(driver.read([item('W0')]));
    await peer.request(2);
    await clock.advance(TIMEOUT_MS - 1001);
    expect(await Promise.race([driver.ended, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect(await reading).toBe('plc-timeout');
    await peer.close();
  });

  it('leaves a call a third of the timeout, however long nothing was asked', async () => {
    const clock = createFixedClock();
    const peer = await scriptedPeer(greeting());
    const driver = await connected(peer.port, clock);
    await clock.advance(10 * TIMEOUT_MS);
    const reading = codeOf(driver.read([item('W0')]));
    await peer.request(2);
    await clock.advance(TIMEOUT_MS / 3 - 1);
    expect(await Promise.race([driver.ended, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect(await reading).toBe('plc-timeout');
    await peer.close();
  });

  it('counts an answer that had arrived when its own process was held up past the deadline', async () => {
    let isDue = (): void => undefined;
    const clock: Clock = {
      ...createFixedClock(),
      after(_delayMs, callback) {
        isDue = callback;
        return () => (isDue = () => undefined);
      },
    };
    const peer = await scriptedPeer(greeting());
    const driver = await connected(peer.port, clock);
    const reading = valueOf(driver, item('W0'));
    const request = await peer.request(2);
    const sent = new Promise<void>((done) => {
      void peer.accepted.then((socket) => socket.write(readAnswer(request, 7), () => done()));
    });
    await sent;
    // In the phase of timers, as a real clock calls back.
    setTimeout(() => isDue(), 0);
    expect(await reading).toBe(7);
    driver.close();
    await peer.close();
  });

  it('has as many requests under way as the CPU takes, and puts its answers in order', async () => {
    const held: Buffer[] = [];
    const setup = (request: Buffer): Buffer => answer(ackData(request, 'f00000020003003c', ''));
    const peer = await scriptedPeer((request, index) => {
      if (index < 2) return index === 0 ? greeting()(request, 0) : [setup(request)];
      held.push(request);
      // The second one is answered before the first.
      if (held.length !== 2) return [];
      return held.splice(0).reverse().map(echoOffsets);
    });
    const driver = await connected(peer.port);
    const wanted = Array.from({ length: 16 }, (_, index) => item(`W${index * 100}`));
    expect([...(await driver.read(wanted)).values()]).toEqual(wanted.map(({ byteOffset }) => byteOffset));
    driver.close();
    await peer.close();
  });

  it('gives up a question that need not be answered, and lives on; a late answer does no harm', async () => {
    const clock = createFixedClock();
    const mute = greeting((request) => (request[8] === 7 ? [] : [readAnswer(request, 5)]));
    const peer = await scriptedPeer(mute);
    const driver = await connected(peer.port, clock);
    const identity = driver.identify();
    const question = await peer.request(2);
    await clock.advance(TIMEOUT_MS / 3);
    expect(await identity).toBeNull();
    (await peer.accepted).write(answer(userData(question)));
    expect(await valueOf(driver, item('W0'))).toBe(5);
    await clock.advance(10 * TIMEOUT_MS);
    expect(await valueOf(driver, item('W0'))).toBe(5);
    driver.close();
    await peer.close();
  });

  it('knows nothing of a CPU that has no such list, or answers nonsense', async () => {
    await using cpu = await startS7Cpu();
    const plain = await connected(cpu.port);
    expect(await plain.identify()).toBeNull();
    plain.close();
    let content = Buffer.alloc(0);
    const peer = await scriptedPeer(greeting((request) => [answer(userData(request, content))]));
    const driver = await connected(peer.port);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
        content = Buffer.from(bytes);
        const identity = await driver.identify();
        if (identity !== null) expect(identity.type).toMatch(/^[\x20-\xff]{1,32}$/);
      }),
    );
    driver.close();
    await peer.close();
  });

  it('passes over the empty frames of older communication modules', async () => {
    const empty = framed(Buffer.from('02f080', 'hex'));
    const peer = await scriptedPeer(greeting((request) => [empty, readAnswer(request, 6)]));
    const driver = await connected(peer.port);
    expect(await valueOf(driver, item('W0'))).toBe(6);
    driver.close();
    await peer.close();
  });

  it('takes a second answer to one request for damage', async () => {
    const peer = await scriptedPeer(
      greeting((request) => [Buffer.concat([readAnswer(request, 6), readAnswer(request, 7)])]),
    );
    const driver = await connected(peer.port);
    await outcome(driver.read([item('W0')]));
    expect((await driver.ended).code).toBe('plc-unreachable');
    await peer.close();
  });
});

describe('a driver behind a network that mangles what the PLC says', () => {
  let plc: S7Server;
  const WORDS = wordsFrom(0, 100);

  beforeAll(async () => {
    plc = await startS7Server();
    for (const { byteOffset } of WORDS) await plc.setWord(byteOffset, held(byteOffset));
  });
  afterAll(() => plc.close());

  /** Reads on until the connection ends, at most 20 times; whatever was read must be what the PLC held. */
  async function readOn(port: number): Promise<string> {
    const driver = driverTo(port);
    try {
      await driver.connect();
      for (let count = 0; count < 20; count++) {
        const readings = await driver.read(WORDS);
        expect([...readings.values()]).toEqual(WORDS.map(({ byteOffset }) => held(byteOffset)));
      }
      return 'all read';
    } catch (error) {
      if (!isKeyswitchError(error)) throw error;
      return error.code;
    } finally {
      driver.close();
    }
  }

  it('understands answers in pieces of any length, and late ones', async () => {
    await using proxy = await startTcpProxy({ target: plc.port });
    for (const bytes of [1, 2, 3, 7, 100]) {
      const heal = proxy.impair({ do: 'split', bytes }, { direction: 'down' });
      expect(await readOn(proxy.port)).toBe('all read');
      heal();
    }
    proxy.impair({ do: 'delay', ms: 5 });
    expect(await readOn(proxy.port)).toBe('all read');
  });

  it('ends over answers that are cut off or come twice, wherever that begins, and gives no wrong value', async () => {
    await using proxy = await startTcpProxy({ target: plc.port });
    const faults = [{ do: 'close' }, { do: 'cut' }, { do: 'duplicate' }] as const;
    for (const fault of faults) {
      // The connection takes 22 bytes, the sizes 27, a read 225.
      for (const from of [0, 1, 4, 21, 22, 30, 48, 49, 50, 53, 60, 73, 74, 75, 160, 273, 274, 275, 500]) {
        const heal = proxy.impair(fault, { direction: 'down', from });
        expect(await readOn(proxy.port)).toBe('plc-unreachable');
        heal();
      }
    }
  });

  it('ends over answers that become garbage where a frame begins', async () => {
    await using proxy = await startTcpProxy({ target: plc.port });
    for (const seed of ['a', 'b', 'c', 'd', 'e']) {
      for (const from of [0, 22, 49, 274]) {
        const heal = proxy.impair({ do: 'garble', seed }, { direction: 'down', from });
        expect(await readOn(proxy.port)).toBe('plc-unreachable');
        heal();
      }
    }
  });
});

/** What the PLC holds there: no two words alike, nor two bytes side by side. */
function held(offset: number): number {
  return 0x4000 + offset * 37;
}

async function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: unknown) => (isKeyswitchError(error) ? error.code : String(error)),
  );
}

async function portOfNobody(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

type Script = (request: Buffer, index: number, socket: Socket) => readonly Buffer[];
type Greeting = (request: Buffer, index: number) => readonly Buffer[];

interface Peer {
  readonly port: number;
  /** The first connection. */
  readonly accepted: Promise<Socket>;
  /** The request with this number (0: ISO connect, 1: PDU negotiation) on any connection. */
  request(index: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** A peer that answers each request as told, for what no real PLC can be made to say. */
async function scriptedPeer(script: Script): Promise<Peer> {
  const accepted = Promise.withResolvers<Socket>();
  const requests: PromiseWithResolvers<Buffer>[] = [];
  const request = (index: number): PromiseWithResolvers<Buffer> =>
    (requests[index] ??= Promise.withResolvers());
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let count = 0;
    sockets.add(socket);
    accepted.resolve(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      // Requests are never torn here, but may come together.
      for (let at = 0; at < chunk.length; at += chunk.readUInt16BE(at + 2)) {
        const data = chunk.subarray(at, at + chunk.readUInt16BE(at + 2));
        const index = count++;
        request(index).resolve(data);
        for (const answer of script(data, index, socket)) if (socket.writable) socket.write(answer);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted: accepted.promise,
    request: (index) => request(index).promise,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Accepts the connection and the PDU as a CPU does, then goes on as `then` says. */
function greeting(then: (request: Buffer) => readonly Buffer[] = () => []): Greeting {
  return (request, index) => {
    if (index === 0) return [framed(Buffer.from('11d00002000100c0010ac1020100c2020102', 'hex'))];
    if (index === 1)
      return [
        framed(Buffer.concat([Buffer.from('02f080', 'hex'), ackData(request, 'f0000001000100f0', '')])),
      ];
    return then(request);
  };
}

/** TPKT (RFC 1006): version 3, reserved, length. */
function framed(content: Buffer): Buffer {
  const header = Buffer.from([3, 0, 0, 0]);
  header.writeUInt16BE(content.length + 4, 2);
  return Buffer.concat([header, content]);
}

/** S7 acknowledgement with data, for the request whose sequence number it repeats. */
function ackData(request: Buffer, parameters: string, data: string, error = 0): Buffer {
  const header = Buffer.alloc(12);
  header.set([0x32, 3]);
  request.copy(header, 4, 11, 13);
  header.writeUInt16BE(parameters.length / 2, 6);
  header.writeUInt16BE(data.length / 2, 8);
  header.writeUInt16BE(error, 10);
  return Buffer.concat([header, Buffer.from(parameters + data, 'hex')]);
}

function answer(body: Buffer): Buffer {
  return framed(Buffer.concat([Buffer.from('02f080', 'hex'), body]));
}

function readAnswer(request: Buffer, word: number): Buffer {
  return answer(ackData(request, '0401', `ff040010${word.toString(16).padStart(4, '0')}`));
}

function writeAnswer(request: Buffer): Buffer {
  return answer(ackData(request, '0501', 'ff'));
}

function s7Error(request: Buffer, error: number): Buffer {
  return answer(ackData(request, '', '', error));
}

function isWrite(request: Buffer): boolean {
  return request[17] === 0x05;
}

/** Answers each item of a read with the offset at which it lies. */
function echoOffsets(request: Buffer): Buffer {
  const count = request.readUInt8(18);
  const offsets = Array.from({ length: count }, (_, index) => request.readUIntBE(19 + index * 12 + 9, 3) / 8);
  const data = offsets.map((offset) => `ff040010${offset.toString(16).padStart(4, '0')}`).join('');
  return answer(ackData(request, `04${count.toString(16).padStart(2, '0')}`, data));
}

/** The only part of a list of the system state. */
function userData(request: Buffer, content: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.from('320700000000000c0000', 'hex');
  request.copy(header, 4, 11, 13);
  header.writeUInt16BE(content.length + 4, 8);
  const length = Buffer.from([0xff, 0x09, 0, 0]);
  length.writeUInt16BE(content.length, 2);
  return Buffer.concat([header, Buffer.from('000112081284010000000000', 'hex'), length, content]);
}
