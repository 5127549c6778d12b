import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startS7Server, type S7Server } from '../../test/s7-server.ts';
import { isKeyswitchError, type ErrorCode } from '../errors.ts';
import { createFixedClock, createSystemClock, type Clock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { itemAt, parseAddress, parseArea, type Item } from './address.ts';
import { createDriver, type Driver } from './driver.ts';

/** Patient, for a busy machine is not a frozen PLC; where a PLC is frozen, the fixed clock decides. */
const TIMEOUT_MS = 5000;

function item(address: string, area = 'DB250'): Item {
  return itemAt(parseArea(area), parseAddress(address));
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

async function valueOf(driver: Driver, wanted: Item): Promise<unknown> {
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
    const offset = parseAddress(address).byteOffset;
    const held = { W: plc.getWord, B: plc.getByte, D: plc.getDoubleWord }[address.charAt(0)];
    expect(await held?.(offset)).toBe(value);
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
        const codes = await Promise.all([driver.connect(), driver.read([item('W0')])].map(outcome));
        driver.close();
        for (const code of codes) expect(['done', 'plc-unreachable', 'plc-refused']).toContain(code);
      }),
      { numRuns: 300 },
    );
    await peer.close();
  });
});

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
    socket.on('data', (data) => {
      const index = count++;
      request(index).resolve(data);
      for (const answer of script(data, index, socket)) if (socket.writable) socket.write(answer);
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
