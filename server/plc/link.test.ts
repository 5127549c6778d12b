import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startS7Server, type S7Server } from '../../test/s7-server.ts';
import { KeyswitchError } from '../errors.ts';
import { createSystemClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { createSystemRandom } from '../ports/random.ts';
import { parseAddress, parseArea } from './address.ts';
import { type Reading } from './driver.ts';
import { numberItem, type Item } from './items.ts';
import {
  createConnection,
  type ConnectionStatus,
  type PlcConnection,
  type ReadListener,
} from './connection.ts';
import type { CurrentUser, PlcDoor, PlcSignIn } from './door.ts';
import { createHistory } from './history.ts';
import { createLink, type Link, type LinkPorts, type LinkStatus } from './link.ts';
import type { LinkDefinition } from './link-definition.ts';

const APP = 'EB97A642-78F5-4458-B8CA-036FE70298EF';
const WORD = 188;
const PROMPT_MS = 300;
const clock = createSystemClock();

type Answer = Awaited<ReturnType<PlcDoor['signIn']>>;

/** A house with users by their value; whoever else is signed in has no number. */
class House implements PlcDoor {
  readonly users = new Map<number, 'user' | 'admin'>([
    [4, 'user'],
    [5, 'user'],
    [9, 'user'],
    [1, 'admin'],
  ]);
  readonly asked: string[] = [];
  fails = false;
  /** What an answer waits for. */
  gate = Promise.resolve();
  /** Whom values mean, where nobody is signed in with them. */
  readonly names = new Map<number, string>();
  #current: CurrentUser | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #nameListeners = new Set<() => void>();

  /** Somebody signs in at the host (null: with data that is no number), or signs out. */
  becomes(current: number | null | 'nobody'): void {
    this.#current =
      current === 'nobody'
        ? null
        : { value: current, name: `user ${current}`, signedInAt: 1_767_247_200_000 };
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves when the current user passes, the present one included. */
  until(wanted: number | null): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.currentValue() !== wanted) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
  }

  currentValue(): number | null {
    return this.#current?.value ?? null;
  }

  isSignedIn(): boolean {
    return this.#current !== null;
  }

  current(): CurrentUser | null {
    return this.#current;
  }

  async signIn(
    _appId: string,
    value: number,
    { allowAdmin, onlyIfNobody }: Pick<PlcSignIn, 'allowAdmin' | 'onlyIfNobody'>,
  ): Promise<Answer> {
    this.asked.push(onlyIfNobody === true ? `fill in ${value}` : `sign in ${value}`);
    await this.gate;
    if (onlyIfNobody === true && this.isSignedIn()) return 'unchanged';
    if (this.fails) throw new Error('the store does not answer');
    const type = this.users.get(value);
    if (type === undefined) return 'unknown';
    if (type === 'admin' && !allowAdmin) return 'barred';
    if (this.currentValue() === value) return 'unchanged';
    this.becomes(value);
    return 'signed-in';
  }

  async signOut(): Promise<void> {
    this.asked.push('sign out');
    await Promise.resolve();
    this.becomes('nobody');
  }

  end(): Promise<void> {
    return this.signOut();
  }

  follow(_appId: string, listener: (user: CurrentUser | null) => void): () => void {
    const own = (): void => listener(this.#current);
    this.#listeners.add(own);
    own();
    return () => this.#listeners.delete(own);
  }

  nameOf(_appId: string, value: number): string | null {
    return this.names.get(value) ?? null;
  }

  /** It is known from now on whom a value means. */
  isNamed(value: number, name: string): void {
    this.names.set(value, name);
    for (const listener of [...this.#nameListeners]) listener();
  }

  onNames(listener: () => void): () => void {
    this.#nameListeners.add(listener);
    return () => this.#nameListeners.delete(listener);
  }

  async findName(_appId: string, value: number): Promise<string | null> {
    return Promise.resolve(this.nameOf(_appId, value));
  }
}

/** A connection whose writes all end the same way, for what no real PLC can be made to do. */
class StubConnection implements PlcConnection {
  readonly written: number[] = [];
  polls = 0;
  readonly status: ConnectionStatus = {
    connection: 'Data Source=10.0.0.5:102,0,2',
    state: 'online',
    since: 0,
    roundTripMs: 1,
    lastError: null,
    plc: null,
    pduBytes: null,
  };
  readonly history = createHistory(clock);
  readonly #outcome: KeyswitchError | null;
  #listener: ReadListener<unknown> = () => undefined;

  constructor(outcome: KeyswitchError | null) {
    this.#outcome = outcome;
  }

  /** Delivers a poll, and lets all that it leads to come to its end. */
  async reads(value: Reading): Promise<void> {
    this.polls += 1;
    this.#listener(value, this.polls);
    await new Promise((resolve) => setImmediate(resolve));
  }

  watch<Value>(_item: Item<Value>, listener: ReadListener<Value>): () => void {
    this.#listener = listener as ReadListener<unknown>;
    return () => undefined;
  }

  async write<Value>(_item: Item<Value>, value: Value): Promise<void> {
    this.written.push(Number(value));
    if (this.#outcome !== null) await Promise.reject(this.#outcome);
  }

  onStatus(): () => void {
    return () => undefined;
  }

  close(): void {}
}

let plc: S7Server;
let house: House;
const closing: (() => void)[] = [];
const plcs: S7Server[] = [];

async function startPlc(port = 0): Promise<S7Server> {
  const started = await startS7Server({ port });
  plcs.push(started);
  return started;
}

beforeEach(async () => {
  plc = await startPlc();
  house = new House();
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  for (const started of plcs.splice(0)) await started.close();
});

/** Patient, for a busy machine is not a frozen PLC; `PROMPT_MS` where a PLC is frozen. */
function openConnection(timeoutMs = 5000): PlcConnection {
  const connection = createConnection(
    { host: '127.0.0.1', port: plc.port, rack: 0, slot: 2, pollIntervalMs: 10, timeoutMs },
    { clock, random: createSystemRandom(), log: createMemoryLog() },
  );
  closing.push(() => connection.close());
  return connection;
}

interface Opened {
  readonly link: Link;
  readonly connection: PlcConnection;
  readonly log: ReturnType<typeof createMemoryLog>;
}

function openLink(
  changes: Partial<LinkDefinition> = {},
  connection: PlcConnection = openConnection(),
  ports: Partial<LinkPorts> = {},
): Opened {
  const log = createMemoryLog();
  const definition: LinkDefinition = {
    id: 'link-1',
    connection: connection.status.connection,
    area: 'DB250',
    address: `W${WORD}`,
    appId: APP,
    defaultValue: 0,
    onConnect: 'host',
    allowAdmin: false,
    lifeBit: null,
    userName: null,
    signInTime: null,
    request: null,
    acknowledge: null,
    ...changes,
  };
  const link = createLink(definition, house, connection, { clock, log, ...ports });
  closing.push(() => link.close());
  return { link, connection, log };
}

/** Resolves when a status passes, the present one included. */
function until(link: Link, passes: (status: LinkStatus) => boolean): Promise<LinkStatus> {
  if (passes(link.status)) return Promise.resolve(link.status);
  return new Promise((resolve) => {
    const stop = link.onStatus((status) => {
      if (!passes(status)) return;
      stop();
      resolve(status);
    });
  });
}

/** Online, with `value` written or read and nothing outstanding. */
function holds(value: number): (status: LinkStatus) => boolean {
  return (status) => status.state === 'online' && status.value === value && !status.pending;
}

/** Lets `count` further polls be answered: whatever they could lead to has been asked for by then. */
function polls(connection: PlcConnection, count = 5): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const stop = connection.watch(numberItem(parseArea('DB250'), parseAddress(`W${WORD}`)), () => {
      left -= 1;
      if (left > 0) return;
      stop();
      resolve();
    });
  });
}

describe('a link', () => {
  it('writes who signs in and who leaves, and takes none of it for an edge', async () => {
    const { link, connection } = openLink();
    await until(link, holds(0));
    house.becomes(9);
    await until(link, holds(9));
    expect(await plc.getWord(WORD)).toBe(9);
    await polls(connection);
    house.becomes('nobody');
    await until(link, holds(0));
    expect(await plc.getWord(WORD)).toBe(0);
    await polls(connection);
    // Once at the start and once when the controls were left, for a fallback user.
    expect(house.asked).toEqual(['fill in 0', 'fill in 0']);
  });

  it('signs in the user whose value the PLC shows, and out at the default', async () => {
    const { link, connection } = openLink();
    await until(link, holds(0));
    await plc.setWord(WORD, 4);
    await house.until(4);
    await polls(connection);
    expect(await plc.getWord(WORD)).toBe(4);
    await plc.setWord(WORD, 0);
    await house.until(null);
    await polls(connection);
    expect(house.asked).toEqual(['fill in 0', 'sign in 4', 'sign in 0', 'sign out']);
    expect(await plc.getWord(WORD)).toBe(0);
  });

  it('overwrites a value that nobody has, tells so once, and does so again the next time', async () => {
    const { link, connection, log } = openLink();
    await until(link, holds(0));
    house.becomes(9);
    await until(link, holds(9));
    for (const times of [1, 2]) {
      await plc.setWord(WORD, 77);
      await until(link, ({ value }) => value === 77);
      await until(link, holds(9));
      expect(await plc.getWord(WORD)).toBe(9);
      await polls(connection);
      const warnings = log.lines.filter(({ value, reason }) => value === 77 && reason === 'unknown');
      expect(warnings).toHaveLength(times);
    }
    expect(house.currentValue()).toBe(9);
  });

  it('does not let the PLC sign in an administrator, unless allowed', async () => {
    const { link, log } = openLink();
    await until(link, holds(0));
    await plc.setWord(WORD, 1);
    await until(link, ({ value }) => value === 1);
    await until(link, holds(0));
    expect(house.currentValue()).toBeNull();
    expect(log.lines.some(({ value, reason }) => value === 1 && reason === 'barred')).toBe(true);
    link.close();
    const allowed = openLink({ id: 'link-2', allowAdmin: true });
    await until(allowed.link, holds(0));
    await plc.setWord(WORD, 1);
    await house.until(1);
  });

  it("overwrites the PLC's value where the house fails, and goes on", async () => {
    const { link, log } = openLink();
    await until(link, holds(0));
    house.fails = true;
    await plc.setWord(WORD, 4);
    await until(link, ({ value }) => value === 4);
    await until(link, holds(0));
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
    house.fails = false;
    await plc.setWord(WORD, 5);
    await house.until(5);
  });

  it('keeps the fallback user at the controls while nobody else is', async () => {
    house.users.set(0, 'user');
    const { link } = openLink();
    await house.until(0);
    await until(link, holds(0));
    house.becomes(9);
    await until(link, holds(9));
    house.becomes('nobody');
    await house.until(0);
    await until(link, holds(0));
    await plc.setWord(WORD, 4);
    await house.until(4);
    await plc.setWord(WORD, 0);
    await house.until(0);
    expect(house.asked).not.toContain('sign out');
  });

  it('shows the default for a user without a number, and lets that user stay', async () => {
    house.users.set(0, 'user');
    house.becomes(9);
    const { link, connection } = openLink();
    await until(link, holds(9));
    house.becomes(null);
    await until(link, holds(0));
    await polls(connection);
    expect(house.asked).toEqual([]);
    expect(house.isSignedIn()).toBe(true);
  });

  it('shows the default for a value that does not fit, and says so', async () => {
    house.becomes(9);
    const { link } = openLink();
    await until(link, holds(9));
    house.becomes(70_000);
    const { lastError } = await until(link, holds(0));
    expect(lastError?.code).toBe('plc-value-invalid');
    expect(await plc.getWord(WORD)).toBe(0);
  });

  it("writes the host's state when it connects", async () => {
    await plc.setWord(WORD, 4);
    house.becomes(9);
    const { link } = openLink();
    await until(link, holds(9));
    expect(await plc.getWord(WORD)).toBe(9);
    expect(house.asked).toEqual([]);
  });

  it("adopts the PLC's state when it connects, where the PLC wins", async () => {
    await plc.setWord(WORD, 4);
    house.becomes(9);
    const { link } = openLink({ onConnect: 'plc' });
    await house.until(4);
    await until(link, holds(4));
    expect(await plc.getWord(WORD)).toBe(4);
  });

  it('keeps what it could not write while the PLC was frozen, and writes only the newest', async () => {
    const { link } = openLink({}, openConnection(PROMPT_MS));
    await until(link, holds(0));
    await plc.freeze();
    house.becomes(9);
    expect(link.status.pending).toBe(true);
    house.becomes(5);
    const { lastError, pending } = await until(link, ({ state }) => state === 'backing-off');
    expect(lastError?.code).toBe('plc-timeout');
    expect(pending).toBe(true);
    house.becomes(4);
    plc.thaw();
    await until(link, holds(4));
    expect(await plc.getWord(WORD)).toBe(4);
  });

  it('takes its own value for no edge where a frozen PLC still took it, and the PLC wins', async () => {
    const { link, connection } = openLink({ onConnect: 'plc' }, openConnection(PROMPT_MS));
    await until(link, holds(0));
    await plc.freeze();
    house.becomes(9);
    await until(link, ({ state }) => state === 'backing-off');
    house.becomes(5);
    plc.thaw();
    await until(link, holds(5));
    await polls(connection);
    expect(house.currentValue()).toBe(5);
    expect(house.asked).toEqual(['fill in 0']);
  });

  it('recovers when the PLC was killed and starts anew, with the right word', async () => {
    const { link } = openLink();
    await until(link, holds(0));
    await plc.kill();
    const { lastError } = await until(link, ({ state }) => state === 'backing-off');
    expect(lastError?.code).toBe('plc-unreachable');
    house.becomes(9);
    expect(link.status.pending).toBe(true);
    const again = await startPlc(plc.port);
    await until(link, holds(9));
    expect(await again.getWord(WORD)).toBe(9);
    await again.setWord(WORD, 4);
    await house.until(4);
  });

  it('says that its block is not there, while another link of the same PLC goes on', async () => {
    const connection = openConnection();
    const bad = openLink({ id: 'bad', area: 'DB251' }, connection);
    const { link } = openLink({ id: 'good' }, connection);
    const { lastError, state } = await until(bad.link, ({ state: now }) => now === 'degraded');
    expect({ code: lastError?.code, state }).toEqual({ code: 'plc-refused', state: 'degraded' });
    await until(link, holds(0));
    house.becomes(9);
    await until(link, holds(9));
    expect(bad.link.status).toMatchObject({ state: 'degraded', pending: true });
    await polls(connection);
    const told = bad.log.lines.filter(({ level }) => level === 'warn').length;
    await polls(connection);
    expect(bad.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(told);
  });

  it('shares its connection: one poll serves several words', async () => {
    const connection = openConnection();
    const first = openLink({ id: 'first' }, connection);
    const second = openLink({ id: 'second', address: 'B200', defaultValue: 7 }, connection);
    await Promise.all([until(first.link, holds(0)), until(second.link, holds(7))]);
    expect(await plc.getByte(200)).toBe(7);
    expect(first.link.status.connection).toBe(second.link.status.connection);
  });

  it('tells its status whole', async () => {
    const { link } = openLink({ area: ' db250', address: `w${WORD}` });
    const status = await until(link, holds(0));
    expect(status).toEqual({
      id: 'link-1',
      appId: APP,
      connection: `Data Source=127.0.0.1:${plc.port},0,2`,
      area: 'DB250',
      address: `W${WORD}`,
      state: 'online',
      since: expect.any(Number) as number,
      plc: null,
      value: 0,
      valueAt: expect.any(Number) as number,
      user: null,
      roundTripsMs: expect.toSatisfy((all: unknown[]) => all.length === 120) as number[],
      errorsLastHour: 0,
      roundTripMs: expect.toSatisfy((ms) => ms === null || (ms as number) > 0) as number,
      lastError: null,
      pending: false,
    });
  });

  it('tells whom its word means: the current user, or whoever has the value', async () => {
    const { link } = openLink();
    await until(link, holds(0));
    house.becomes(9);
    expect((await until(link, holds(9))).user).toBe('user 9');
    house.becomes('nobody');
    expect((await until(link, holds(0))).user).toBeNull();
    house.isNamed(0, 'visitor');
    expect((await until(link, ({ user }) => user !== null)).user).toBe('visitor');
  });

  it('follows nothing once closed', async () => {
    const { link, connection } = openLink();
    await until(link, holds(0));
    link.close();
    expect(link.status.state).toBe('idle');
    house.becomes(9);
    await plc.setWord(WORD, 4);
    await polls(connection);
    expect(house.currentValue()).toBe(9);
    expect(await plc.getWord(WORD)).toBe(4);
  });

  it('does nothing about an answer that comes after it was closed', async () => {
    const { link, connection } = openLink();
    await until(link, holds(0));
    const gate = Promise.withResolvers<void>();
    house.gate = gate.promise;
    await plc.setWord(WORD, 77);
    await until(link, ({ value }) => value === 77);
    link.close();
    gate.resolve();
    await polls(connection);
    expect(await plc.getWord(WORD)).toBe(77);
  });

  it('takes a word that can be read again for a new connection: a block loaded anew holds zeros, not a wish', async () => {
    const stub = new StubConnection(null);
    house.becomes(9);
    const { link } = openLink({}, stub);
    await stub.reads(9);
    await stub.reads(new KeyswitchError('plc-refused'));
    expect(link.status).toMatchObject({ state: 'degraded', lastError: { code: 'plc-refused' } });
    await stub.reads(0);
    expect(link.status).toMatchObject({ state: 'online', value: 9, pending: false });
    expect(stub.written).toEqual([9, 9]);
    expect(house.asked).toEqual([]);
  });

  it('survives a listener that throws', async () => {
    const stub = new StubConnection(null);
    const { link, log } = openLink({}, stub);
    link.onStatus(() => {
      throw new Error('listener');
    });
    await stub.reads(0);
    await stub.reads(4);
    expect(house.currentValue()).toBe(4);
    expect(log.lines.some(({ level }) => level === 'error')).toBe(true);
  });

  it('tells once for each value that the PLC refuses to take it, and goes on trying', async () => {
    const refusal = new KeyswitchError('plc-refused');
    const stub = new StubConnection(refusal);
    const { link, log } = openLink({}, stub);
    await until(link, ({ lastError }) => lastError?.code === 'plc-refused');
    expect(link.status).toMatchObject({ state: 'degraded', pending: true });
    for (const times of [2, 3]) {
      await stub.reads(4);
      expect(stub.written).toHaveLength(times);
    }
    expect(log.lines).toHaveLength(1);
    house.becomes(9);
    await stub.reads(4);
    expect(new Set(stub.written)).toEqual(new Set([0, 9]));
    expect(log.lines).toHaveLength(2);
  });

  it('takes a value that replaced its own at once for an edge, and says so', async () => {
    const stub = new StubConnection(new KeyswitchError('plc-write-unverified'));
    const { link } = openLink({}, stub);
    await until(link, ({ pending }) => !pending);
    expect(link.status).toMatchObject({ value: 0, lastError: { code: 'plc-write-unverified' } });
    await stub.reads(4);
    expect(house.currentValue()).toBe(4);
  });

  it.each([
    ['area', { area: 'DB0' }],
    ['address', { address: 'W70000' }],
    ['defaultValue', { defaultValue: 70_000 }],
    ['defaultValue', { address: 'X0', defaultValue: 2 }],
  ])('refuses a definition with a bad %s', (field, changes) => {
    expect(() => openLink(changes)).toThrow(
      expect.objectContaining({
        code: 'invalid-input',
        faults: [expect.objectContaining({ field })],
      }) as Error,
    );
  });
});
