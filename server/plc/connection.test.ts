import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { startS7Server, type S7Server } from '../../test/s7-server.ts';
import { createFixedClock, createSystemClock, type Clock } from '../ports/clock.ts';
import { createMemoryLog, type MemoryLog } from '../ports/log.ts';
import { createFixedRandom, type Random } from '../ports/random.ts';
import { itemAt, parseAddress, parseArea, type Item } from './address.ts';
import { createConnection, retryDelayMs, type ConnectionStatus, type PlcConnection } from './connection.ts';
import { createDriver, type Driver, type Reading } from './driver.ts';

const LEAST_JITTER: Random = { bytes: (length) => Buffer.alloc(length), uuid: () => '' };
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const thing of open.splice(0)) await thing[Symbol.asyncDispose]();
});

function item(address: string, area = 'DB250'): Item {
  return itemAt(parseArea(area), parseAddress(address));
}

async function startPlc(port?: number): Promise<S7Server> {
  const plc = await startS7Server(port === undefined ? {} : { port });
  open.push(plc);
  return plc;
}

/** A port that was free a moment ago. */
async function portOfNobody(): Promise<number> {
  const plc = await startPlc();
  await plc.kill();
  return plc.port;
}

interface Opened {
  readonly connection: PlcConnection;
  readonly log: MemoryLog;
  attempts(): number;
  /** What each poll asked for. */
  readonly asked: (readonly string[])[];
}

function openConnection(
  port: number,
  clock: Clock = createSystemClock(),
  timeoutMs = 5000,
  changeDriver: (driver: Driver) => Driver = (driver) => driver,
): Opened {
  const asked: (readonly string[])[] = [];
  const log = createMemoryLog();
  let attempts = 0;
  const connection = createConnection(
    { host: '127.0.0.1', port, rack: 0, slot: 2, pollIntervalMs: 10, timeoutMs },
    {
      clock,
      random: LEAST_JITTER,
      log,
      createDriver: (...given) => {
        attempts += 1;
        const driver = changeDriver(createDriver(...given));
        const read: Driver['read'] = (items) => {
          asked.push(items.map(({ name }) => name));
          return driver.read(items);
        };
        return { ...driver, read };
      },
    },
  );
  open.push({ [Symbol.asyncDispose]: () => Promise.resolve(connection.close()) });
  return { connection, log, asked, attempts: () => attempts };
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

describe('a connection', () => {
  it('comes online, polls what is watched, and knows the round trip', async () => {
    const plc = await startPlc();
    await plc.setWord(188, 9);
    const { connection } = openConnection(plc.port);
    expect(connection.status).toMatchObject({ state: 'connecting', roundTripMs: null, lastError: null });
    expect(await reading(connection, item('W188'))).toBe(9);
    expect(connection.status.state).toBe('online');
    expect(connection.status.roundTripMs).toBeGreaterThan(0);
  });

  it('reads for all watchers at once, and stops for those who left', async () => {
    const plc = await startPlc();
    await plc.setWord(2, 7);
    const { connection, asked } = openConnection(plc.port);
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

  it('waits one interval between polls', async () => {
    const plc = await startPlc();
    const clock = createFixedClock();
    const { connection } = openConnection(plc.port, clock);
    await reading(connection, item('W188'));
    const { polls } = connection;
    await clock.advance(9);
    expect(connection.polls).toBe(polls);
    await clock.advance(1);
    expect(connection.polls).toBe(polls + 1);
  });

  it('writes, and refuses to keep what cannot be written now', async () => {
    const port = await portOfNobody();
    const { connection } = openConnection(port);
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    await until(connection, ({ state }) => state === 'offline');
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    const plc = await startPlc(port);
    const early = openConnection(port);
    await expect(early.connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    await reading(early.connection, item('W188'));
    expect(await plc.getWord(188)).toBe(0);
    await until(connection, ({ state }) => state === 'online');
    await connection.write(item('W188'), 4);
    expect(await plc.getWord(188)).toBe(4);
  });

  it('tries again after 250 ms, then twice as long each time, and from the start after a success', async () => {
    const clock = createFixedClock();
    const port = await portOfNobody();
    const { connection, attempts, log } = openConnection(port, clock);
    const offline = ({ state }: ConnectionStatus): boolean => state === 'offline';
    await until(connection, offline);
    for (const [done, delayMs] of [125, 250, 500].entries()) {
      await clock.advance(delayMs - 1);
      expect(attempts()).toBe(done + 1);
      const failed = next(connection, offline);
      await clock.advance(1);
      expect(attempts()).toBe(done + 2);
      await failed;
    }
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const plc = await startPlc(port);
    const read = reading(connection, item('W188'));
    await clock.advance(1000);
    await read;
    await plc.kill();
    await until(connection, offline);
    const before = attempts();
    await clock.advance(124);
    expect(attempts()).toBe(before);
    await clock.advance(1);
    expect(attempts()).toBe(before + 1);
  });

  it('notices a frozen PLC, and comes back when it thaws', async () => {
    const plc = await startPlc();
    const { connection } = openConnection(plc.port, createSystemClock(), 300);
    await reading(connection, item('W188'));
    const frozen = connection.watch(item('W188'), () => undefined);
    await plc.freeze();
    const { lastError } = await until(connection, ({ state }) => state === 'offline');
    expect(lastError?.code).toBe('plc-timeout');
    plc.thaw();
    expect((await until(connection, ({ state }) => state === 'online')).lastError).not.toBeNull();
    frozen();
  });

  it('comes back when the PLC was killed and starts anew on the same port', async () => {
    const plc = await startPlc();
    const { connection } = openConnection(plc.port);
    await reading(connection, item('W188'));
    await plc.kill();
    const { lastError } = await until(connection, ({ state }) => state === 'offline');
    expect(lastError?.code).toBe('plc-unreachable');
    const again = await startPlc(plc.port);
    await again.setWord(188, 4);
    expect(await reading(connection, item('W188'))).toBe(4);
  });

  it('stays online for the others when one item is refused', async () => {
    const plc = await startPlc();
    const { connection } = openConnection(plc.port);
    const bad = reading(connection, item('W0', 'DB999'));
    const good = reading(connection, item('W2'));
    expect(await bad).toMatchObject({ code: 'plc-refused' });
    expect(await good).toBe(0);
    expect(connection.status.state).toBe('online');
  });

  it('survives a listener that throws', async () => {
    const plc = await startPlc();
    const { connection, log } = openConnection(plc.port);
    connection.onStatus(() => {
      throw new Error('status');
    });
    connection.watch(item('W188'), () => {
      throw new Error('reading');
    });
    expect(await reading(connection, item('W188'))).toBe(0);
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it.each(['at once', 'the moment it comes online'])('is silent when it is closed %s', async (when) => {
    const plc = await startPlc();
    const closeLate = (driver: Driver): Driver => ({
      ...driver,
      connect: () => driver.connect().then(() => connection.close()),
    });
    const { connection, attempts } = openConnection(plc.port, createSystemClock(), 5000, closeLate);
    const seen: string[] = [];
    const closed = next(connection, ({ state }) => state === 'closed');
    connection.onStatus(({ state }) => seen.push(state));
    if (when === 'at once') connection.close();
    await closed;
    await expect(connection.write(item('W188'), 9)).rejects.toMatchObject({ code: 'plc-unreachable' });
    expect(seen).toEqual(['closed']);
    expect(attempts()).toBe(1);
  });
});

describe('retryDelayMs', () => {
  it('lies between half and all of 250 ms, doubled with each failure up to 10 s', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.string(), (failures, seed) => {
        const fullMs = Math.min(250 * 2 ** failures, 10_000);
        const delayMs = retryDelayMs(failures, createFixedRandom(seed));
        expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
        expect(delayMs).toBeLessThanOrEqual(fullMs);
      }),
    );
  });

  it('differs from station to station', () => {
    const delays = ['a', 'b', 'c', 'd'].map((seed) => retryDelayMs(3, createFixedRandom(seed)));
    expect(new Set(delays).size).toBe(4);
  });
});
