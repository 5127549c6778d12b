import { afterEach, describe, expect, it } from 'vitest';
import { startS7Cpu, type S7Cpu } from '../../test/s7-cpu.ts';
import { startS7Server, type S7Server } from '../../test/s7-server.ts';
import { startTcpProxy, type TcpProxy } from '../../test/tcp-proxy.ts';
import { createFixedClock, createSystemClock, type Clock } from '../ports/clock.ts';
import { createMemoryLog, type MemoryLog } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import { parseArea } from './address.ts';
import { createConnection, type ConnectionStatus, type PlcConnection } from './connection.ts';
import { createDriver, type Driver, type Reading } from './driver.ts';
import { parseItem, type Item } from './items.ts';

/** No phase, and every wait is as short as it may be. */
const LEAST_JITTER: Random = { bytes: (length) => Buffer.alloc(length), uuid: () => '' };
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing[Symbol.asyncDispose]();
});

function item(address: string, area = 'DB250'): Item {
  return parseItem(parseArea(area), address, { field: 'address', spellings: ['W'] });
}

async function startPlc(port?: number): Promise<S7Server> {
  const plc = await startS7Server(port === undefined ? {} : { port });
  open.push(plc);
  return plc;
}

async function startCpu(...settings: Parameters<typeof startS7Cpu>): Promise<S7Cpu> {
  const cpu = await startS7Cpu(...settings);
  open.push(cpu);
  return cpu;
}

async function startProxy(target: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ target });
  open.push(proxy);
  return proxy;
}

/** A port that was free a moment ago. */
async function portOfNobody(): Promise<number> {
  const cpu = await startCpu();
  await cpu.close();
  return cpu.port;
}

interface Opened {
  readonly connection: PlcConnection;
  readonly log: MemoryLog;
  attempts(): number;
  /** What each poll asked for. */
  readonly asked: (readonly string[])[];
}

interface OpenOptions {
  readonly clock?: Clock;
  readonly timeoutMs?: number;
  readonly random?: Random;
  readonly changeDriver?: (driver: Driver) => Driver;
}

function openConnection(port: number, options: OpenOptions = {}): Opened {
  const { clock = createSystemClock(), timeoutMs = 5000, random = LEAST_JITTER } = options;
  const { changeDriver = (driver: Driver) => driver } = options;
  const asked: (readonly string[])[] = [];
  const log = createMemoryLog();
  let attempts = 0;
  const connection = createConnection(
    { host: '127.0.0.1', port, rack: 0, slot: 2, pollIntervalMs: 10, timeoutMs },
    {
      clock,
      random,
      log,
      createDriver: (...given) => {
        attempts += 1;
        const driver = changeDriver(createDriver(...given));
        return Object.assign(Object.create(driver) as Driver, {
          read: (items: readonly Item<unknown>[]) => {
            asked.push(items.map(({ name }) => name));
            return driver.read(items);
          },
        });
      },
    },
  );
  open.push({ [Symbol.asyncDispose]: () => Promise.resolve(connection.close()) });
  return { connection, log, asked, attempts: () => attempts };
}

/** Keeps it connected, and resolves when it is. */
async function online(connection: PlcConnection, watched: Item = item('W188')): Promise<void> {
  connection.watch(watched, () => undefined);
  await until(connection, ({ state }) => state === 'online');
}

/** Resolves when a status passes, the present one included. */
function until(
  connection: PlcConnection,
  passes: (status: ConnectionStatus) => boolean,
): Promise<ConnectionStatus> {
  if (passes(connection.status)) return Promise.resolve(connection.status);
  return next(connection, passes);
}

function next(
  connection: PlcConnection,
  passes: (status: ConnectionStatus) => boolean,
): Promise<ConnectionStatus> {
  return new Promise((resolve) => {
    const stop = connection.onStatus((status) => {
      if (!passes(status)) return;
      stop();
      resolve(status);
    });
  });
}

/** The next reading of an item that passes. */
function reading(
  connection: PlcConnection,
  wanted: Item,
  passes: (reading: Reading) => boolean = () => true,
): Promise<Reading> {
  return new Promise((resolve) => {
    const stop = connection.watch(wanted, (value) => {
      if (!passes(value)) return;
      stop();
      resolve(value);
    });
  });
}

const backingOff = ({ state }: ConnectionStatus): boolean => state === 'backing-off';
const isOnline = ({ state }: ConnectionStatus): boolean => state === 'online';

describe('a connection', () => {
  it('asks nobody while nobody watches, and lets go of the PLC when the last one leaves', async () => {
    const cpu = await startCpu();
    const { connection, attempts } = openConnection(cpu.port);
    expect(connection.status).toMatchObject({ state: 'idle', roundTripMs: null, lastError: null, plc: null });
    const stop = connection.watch(item('W188'), () => undefined);
    const stopOther = connection.watch(item('W188'), () => undefined);
    expect(connection.status.state).toBe('connecting');
    await until(connection, isOnline);
    stop();
    expect(connection.status.state).toBe('online');
    stopOther();
    expect(connection.status.state).toBe('idle');
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    expect(attempts()).toBe(1);
    await online(connection);
    expect(attempts()).toBe(2);
  });

  it('polls what is watched, knows the round trip, the size of PDU, and what the PLC is', async () => {
    const plc = await startPlc();
    await plc.setWord(188, 9);
    const { connection } = openConnection(plc.port);
    const watching = connection.watch(item('W0'), () => undefined);
    expect(await reading(connection, item('W188'))).toBe(9);
    expect(connection.status).toMatchObject({ state: 'online', pduBytes: 960 });
    expect(connection.status.roundTripMs).toBeGreaterThan(0);
    expect(connection.history.roundTripsMs().at(-1)).toBeGreaterThan(0);
    const { plc: identity } = await until(connection, (status) => status.plc !== null);
    expect(identity).toEqual({ type: 'CPU 315-2 PN/DP', name: 'SNAP7-SERVER' });
    watching();
  });

  it('is online before it tells what the first poll read', async () => {
    const cpu = await startCpu();
    const { connection } = openConnection(cpu.port);
    const state = await new Promise((resolve) => {
      connection.watch(item('W188'), () => resolve(connection.status.state));
    });
    expect(state).toBe('online');
  });

  it('reads for all watchers at once, and stops for those who left', async () => {
    const cpu = await startCpu();
    await cpu.setWord(2, 7);
    const { connection, asked } = openConnection(cpu.port);
    const seen: string[] = [];
    const stop = connection.watch(item('W0'), (value, poll) => seen.push(`${poll}: W0=${String(value)}`));
    connection.watch(item('W2'), (value, poll) => seen.push(`${poll}: W2=${String(value)}`));
    await reading(connection, item('W2'));
    const poll = connection.polls;
    expect(seen.slice(-2)).toEqual([`${poll}: W0=0`, `${poll}: W2=7`]);
    stop();
    await reading(connection, item('W2'));
    expect(seen.filter((line) => line.includes('W0')).at(-1)).toBe(`${poll}: W0=0`);
    expect(asked.at(-1)).toEqual([item('W2').name]);
  });

  it('writes, and refuses to keep what cannot be written now', async () => {
    const port = await portOfNobody();
    const { connection } = openConnection(port);
    connection.watch(item('W188'), () => undefined);
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    await until(connection, backingOff);
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    const cpu = await startCpu({}, port);
    await until(connection, isOnline);
    expect(await cpu.getWord(188)).toBe(0);
    await connection.write(item('W188'), 4);
    expect(await cpu.getWord(188)).toBe(4);
  });

  it('is degraded while one item is refused, and goes on for the others', async () => {
    const cpu = await startCpu();
    const { connection } = openConnection(cpu.port);
    const stop = connection.watch(item('W0', 'DB999'), () => undefined);
    const bad = reading(connection, item('W0', 'DB999'));
    connection.watch(item('W2'), () => undefined);
    expect(await bad).toMatchObject({ code: 'plc-refused' });
    expect(await reading(connection, item('W2'))).toBe(0);
    await reading(connection, item('W2'));
    expect(connection.status).toMatchObject({ state: 'degraded', lastError: null });
    await connection.write(item('W2'), 5);
    stop();
    await until(connection, isOnline);
    expect(await reading(connection, item('W2'))).toBe(5);
  });

  it('is degraded while reads take longer than half of the timeout', async () => {
    const cpu = await startCpu();
    const clock = createFixedClock();
    let pause = Promise.resolve();
    const slow = (driver: Driver): Driver =>
      Object.assign(Object.create(driver) as Driver, {
        read: async (items: readonly Item<unknown>[]) => {
          const readings = await driver.read(items);
          await pause;
          return readings;
        },
      });
    const { connection } = openConnection(cpu.port, { clock, timeoutMs: 1000, changeDriver: slow });
    await online(connection);
    const gate = Promise.withResolvers<void>();
    pause = gate.promise;
    await clock.advance(10);
    const answered = nextPoll(connection);
    await clock.advance(501);
    gate.resolve();
    pause = Promise.resolve();
    await answered;
    expect(connection.status.state).toBe('degraded');
    const next = nextPoll(connection);
    await clock.advance(10);
    await next;
    expect(connection.status.state).toBe('online');
  });

  it('survives a listener that throws', async () => {
    const cpu = await startCpu();
    const { connection, log } = openConnection(cpu.port);
    connection.onStatus(() => {
      throw new Error('status');
    });
    connection.watch(item('W188'), () => {
      throw new Error('reading');
    });
    expect(await reading(connection, item('W188'))).toBe(0);
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it.each(['at once', 'the moment it is connected', 'when it is online'])(
    'is silent when it is closed %s',
    async (when) => {
      const cpu = await startCpu();
      const closeLate = (driver: Driver): Driver =>
        Object.assign(Object.create(driver) as Driver, {
          connect: () => driver.connect().then(() => connection.close()),
        });
      const early = when === 'the moment it is connected' ? { changeDriver: closeLate } : {};
      const { connection, attempts } = openConnection(cpu.port, early);
      const closed = next(connection, ({ state }) => state === 'idle');
      connection.watch(item('W188'), () => undefined);
      if (when === 'when it is online') await until(connection, isOnline);
      const seen: string[] = [];
      connection.onStatus(({ state }) => seen.push(state));
      if (when !== 'the moment it is connected') connection.close();
      await closed;
      connection.close();
      connection.watch(item('W2'), () => undefined);
      await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
      expect(seen).toEqual(['idle']);
      expect(attempts()).toBe(1);
    },
  );

  it('asks a PLC that breaks the connection over it only twice what it is', async () => {
    const cpu = await startCpu();
    const fragile = (driver: Driver): Driver =>
      Object.assign(Object.create(driver) as Driver, {
        identify: () => {
          driver.close();
          return driver.read([item('W0')]);
        },
      });
    const { connection, attempts } = openConnection(cpu.port, { changeDriver: fragile });
    connection.watch(item('W188'), () => undefined);
    for (let count = 0; count < 2; count++) {
      await next(connection, isOnline);
      await next(connection, backingOff);
    }
    await next(connection, isOnline);
    await nextPoll(connection);
    await nextPoll(connection);
    expect(attempts()).toBe(3);
  });
});

describe('the polls of a connection', () => {
  /** When the next polls began, in milliseconds of a clock that moves on by `stepMs`. */
  async function polledAt(port: number, random: Random, stepsMs: readonly number[]): Promise<number[]> {
    const clock = createFixedClock();
    const { connection, asked } = openConnection(port, { clock, random });
    await online(connection);
    const times: number[] = [];
    for (const stepMs of stepsMs) {
      const before = asked.length;
      const answered = nextPoll(connection);
      await clock.advance(stepMs);
      if (asked.length === before) continue;
      times.push(clock.monotonic());
      await answered;
    }
    return times;
  }

  it('keep a steady period that no answer shifts', async () => {
    const cpu = await startCpu();
    const steps = new Array<number>(60).fill(1);
    expect(await polledAt(cpu.port, LEAST_JITTER, steps)).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('begin at another moment for every connection', async () => {
    const cpu = await startCpu();
    const steps = new Array<number>(40).fill(1);
    const half: Random = { bytes: (length) => Buffer.alloc(length, 0x80), uuid: () => '' };
    const times = await polledAt(cpu.port, half, steps);
    expect(times.map((at) => Math.floor(at) % 10)).toEqual([6, 6, 6, 6]);
  });

  it('are not made up for after the host stood still', async () => {
    const cpu = await startCpu();
    const clock = createFixedClock();
    const { connection } = openConnection(cpu.port, { clock });
    await online(connection);
    const { polls } = connection;
    const answered = nextPoll(connection);
    // The timer is due at 10 ms; its answer is looked at when 95 have passed.
    await clock.advance(95);
    await answered;
    expect(connection.polls).toBe(polls + 1);
    await clock.advance(4);
    expect(connection.polls).toBe(polls + 1);
    const after = nextPoll(connection);
    await clock.advance(1);
    await after;
    expect(connection.polls).toBe(polls + 2);
  });
});

describe('a connection whose PLC is away', () => {
  it('tries again after 250 and 500 ms, then every 800 ms, each less up to a quarter, and anew after a success', async () => {
    const clock = createFixedClock();
    const port = await portOfNobody();
    const { connection, attempts, log } = openConnection(port, { clock });
    const failed = next(connection, backingOff);
    connection.watch(item('W188'), () => undefined);
    await failed;
    for (const [done, delayMs] of [187.5, 375, 600, 600].entries()) {
      await clock.advance(delayMs - 0.5);
      expect(attempts()).toBe(done + 1);
      const again = next(connection, backingOff);
      await clock.advance(0.5);
      expect(attempts()).toBe(done + 2);
      await again;
    }
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(connection.history.errorsLastHour()).toBe(1);
    const cpu = await startCpu({}, port);
    const back = until(connection, isOnline);
    await clock.advance(600);
    await back;
    await cpu.close();
    const lost = until(connection, backingOff);
    await clock.advance(10);
    await lost;
    const before = attempts();
    await clock.advance(187);
    expect(attempts()).toBe(before);
    await clock.advance(0.5);
    expect(attempts()).toBe(before + 1);
  });

  it('is online soon after packets get through again', async () => {
    const cpu = await startCpu();
    const proxy = await startProxy(cpu.port);
    await proxy.blackHole();
    const { connection } = openConnection(proxy.port, { timeoutMs: 1500 });
    const lost = until(connection, backingOff);
    connection.watch(item('W188'), () => undefined);
    expect((await lost).lastError?.code).toBe('plc-timeout');
    await proxy.heal();
    await until(connection, isOnline);
  });

  it('connects to a slow PLC that takes most of the timeout to answer', async () => {
    const cpu = await startCpu();
    const proxy = await startProxy(cpu.port);
    // Two answers until the sizes are agreed on, each 600 ms late: more than the time after which another attempt begins.
    proxy.impair({ do: 'delay', ms: 600 }, { direction: 'down' });
    const { connection, attempts } = openConnection(proxy.port, { timeoutMs: 1500 });
    connection.watch(item('W188'), () => undefined);
    await next(connection, ({ state }) => state !== 'connecting');
    expect(connection.status).toMatchObject({ state: 'online', lastError: null });
    expect(attempts()).toBeGreaterThan(1);
  });

  it('notices a frozen PLC, and comes back when it thaws', async () => {
    const plc = await startPlc();
    const { connection } = openConnection(plc.port, { timeoutMs: 500 });
    await online(connection);
    await plc.freeze();
    const { lastError } = await until(connection, backingOff);
    expect(lastError?.code).toBe('plc-timeout');
    plc.thaw();
    expect((await until(connection, isOnline)).lastError).not.toBeNull();
  });

  it('comes back when the PLC was killed and starts anew on the same port', async () => {
    const plc = await startPlc();
    const { connection } = openConnection(plc.port);
    await online(connection);
    await plc.kill();
    const { lastError } = await until(connection, backingOff);
    expect(lastError?.code).toBe('plc-unreachable');
    const again = await startPlc(plc.port);
    await again.setWord(188, 4);
    expect(await reading(connection, item('W188'))).toBe(4);
  });

  it('asks a PLC that declines ever more rarely', async () => {
    const clock = createFixedClock();
    const cpu = await startCpu({ slot: 1 });
    const { connection, attempts } = openConnection(cpu.port, { clock });
    const failed = next(connection, backingOff);
    connection.watch(item('W188'), () => undefined);
    expect((await failed).lastError?.code).toBe('plc-refused');
    for (const [done, delayMs] of [187.5, 375, 750, 1500, 3000, 6000, 7500, 7500].entries()) {
      await clock.advance(delayMs - 0.5);
      expect(attempts()).toBe(done + 1);
      const again = next(connection, backingOff);
      await clock.advance(0.5);
      await again;
    }
    cpu.settings.slot = 2;
    const back = until(connection, isOnline);
    await clock.advance(7500);
    await back;
  });

  it('never calls itself online where a PLC without PUT/GET access lets it connect', async () => {
    const clock = createFixedClock();
    const cpu = await startCpu({ putGet: false });
    const { connection } = openConnection(cpu.port, { clock });
    const seen: string[] = [];
    connection.onStatus(({ state }) => seen.push(state));
    const failed = next(connection, backingOff);
    connection.watch(item('W188'), () => undefined);
    expect((await failed).lastError?.code).toBe('plc-refused');
    const again = next(connection, backingOff);
    await clock.advance(250);
    await again;
    expect(new Set(seen)).toEqual(new Set(['connecting', 'backing-off']));
  });
});

/** Resolves when the next poll was answered. */
function nextPoll(connection: PlcConnection): Promise<unknown> {
  return reading(connection, item('W188'));
}
