/** Twenty PLCs at one host: whether each is read in time, what one that freezes does to others, and how soon one is back. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkStatusView } from '../server/http/contract.ts';
import { startS7Server, type S7Server } from '../test/s7-server.ts';
import { startTcpProxy, type TcpProxy } from '../test/tcp-proxy.ts';
import { openConnection, requestTo, type Connection, type Endpoint } from './client.ts';
import { median, percentile, runChild, scratchFolder, takeTurns, type Bench, type Row } from './harness.ts';
import { addUser, prepareDataFolder, signInRequest, startHost, type Host } from './host.ts';
import type { LoopDelay } from './loop-delay.ts';
import { linkPlc, openAdministrator } from './plant.ts';
import { openSubscribers, type Subscribers } from './subscribers-client.ts';

const PLCS = 20;
const POLL_INTERVAL_MS = 100;
const ADMINISTRATOR = 'administrator';
const ROUNDS = 3;
const CALM_SECONDS = 10;
/** How long operators sign in and out, with all PLCs well and with one frozen. */
const BUSY_SECONDS = 10;
const OUTAGE_MS = 5000;
const OUTAGES = 3;
const LOOK_MS = 5;
const PATIENCE_MS = 30_000;

interface Plc {
  readonly proxy: TcpProxy;
  readonly appId: string;
  readonly linkId: string;
  /** When each of its polls came, since this was last asked; as `performance.now` has it. */
  polls(): number[];
}

interface Plant {
  readonly host: Host;
  readonly plcs: readonly Plc[];
  /** The S7 server behind the first PLC alone, which freezes with it. */
  readonly frail: S7Server;
  /** Asks for the status of all links. */
  readonly statusRequest: Buffer;
  loopDelay(): Promise<LoopDelay>;
}

export const plcMany: Bench = {
  title: `${PLCS} PLCs at one host, each read every ${POLL_INTERVAL_MS} ms`,
  async run() {
    await runChild([join(import.meta.dirname, '..', 'build', 'snap7.ts')]);
    await using frail = await startS7Server();
    await using sturdy = await startS7Server();
    await using stack = new AsyncDisposableStack();
    const proxies: TcpProxy[] = [];
    for (let i = 0; i < PLCS; i++) {
      const target = (i === 0 ? frail : sturdy).port;
      proxies.push(stack.use(await startTcpProxy({ target })));
    }
    const folder = await prepareDataFolder();
    await addUser(folder, ADMINISTRATOR, ['--type', 'Admin']);
    const loopFile = join(scratchFolder(), 'loop-delay.json');
    await using host = await startHost(folder, ['--set', `plc.pollIntervalMs=${POLL_INTERVAL_MS}`], {
      preload: join(import.meta.dirname, 'loop-delay.ts'),
      env: { BENCH_LOOP_DELAY: loopFile },
    });
    const plant = await setUp(host, proxies, frail, loopFile);
    await allOnline(plant);
    return [...(await calm(plant)), ...(await withOneFrozen(plant)), ...(await recoveries(plant))];
  },
};

async function setUp(
  host: Host,
  proxies: readonly TcpProxy[],
  frail: S7Server,
  loopFile: string,
): Promise<Plant> {
  const administrator = await openAdministrator(host, ADMINISTRATOR);
  const { headers } = administrator;
  const plcs: Plc[] = [];
  for (const [i, proxy] of proxies.entries()) {
    const { appId, linkId } = await linkPlc(administrator, i, proxy.port);
    plcs.push({ proxy, appId, linkId, polls: notePolls(proxy) });
  }
  return {
    host,
    plcs,
    frail,
    statusRequest: requestTo(host, '/api/v1/links/status', { headers }),
    async loopDelay() {
      rmSync(loopFile, { force: true });
      process.kill(host.pid, 'SIGUSR2');
      while (!existsSync(loopFile)) await sleep(LOOK_MS);
      return JSON.parse(readFileSync(loopFile, 'utf8')) as LoopDelay;
    },
  };
}

/** Each poll of one word is one request. */
function notePolls(proxy: TcpProxy): () => number[] {
  let times: number[] = [];
  proxy.watch(({ what }) => {
    if (what === 'up') times.push(performance.now());
  });
  return () => {
    const noted = times;
    times = [];
    return noted;
  };
}

/** Nobody signs in, so that all that goes to a PLC are its polls. */
async function calm(plant: Plant): Promise<Row[]> {
  const { plcs, loopDelay } = plant;
  for (const { polls } of plcs) polls();
  await loopDelay();
  await sleep(CALM_SECONDS * 1000);
  const { p99Ms, maxMs } = await loopDelay();
  const jitter = plcs.flatMap(({ polls }) => jitterOf(polls()));
  const row = (what: string, figure: number, limit?: number): Row => ({
    what,
    unit: 'ms',
    rounds: [figure],
    ...(limit !== undefined && { target: { kind: 'below', limit } }),
  });
  return [
    row('from a poll to the next, off the interval: 99 of 100 within', percentile(jitter, 99), 20),
    row('the most', percentile(jitter, 100)),
    row("delay of the host's event loop: 99 of 100 within", p99Ms, 10),
    row('the most', maxMs),
  ];
}

function jitterOf(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => Math.abs(time - (times[i] ?? 0) - POLL_INTERVAL_MS));
}

interface Seen {
  readonly signInMs: number[];
  readonly toldMs: number[];
  readonly jitterMs: number[];
}

/** Operators at the second PLC's app sign in and out; the others, but for the first, are looked at for their polls. */
async function withOneFrozen(plant: Plant): Promise<Row[]> {
  const { host, plcs, frail } = plant;
  const appId = plcs[1]?.appId ?? '';
  const screen = await openSubscribers(host, { forms: ['native'], count: 1, appId });
  const connection = await openConnection(host);
  const work = (): Promise<Seen> => observe(host, connection, screen, appId, plcs.slice(2));
  const rounds = await takeTurns(ROUNDS, {
    well: work,
    async frozen() {
      await frail.freeze();
      try {
        return await work();
      } finally {
        frail.thaw();
        await allOnline(plant);
      }
    },
  });
  screen.close();
  connection.close();

  const row = (what: string, of: (seen: Seen) => number): Row => ({
    what: `with one PLC frozen: ${what}`,
    unit: 'ms',
    rounds: rounds.frozen.map(of),
    against: { what: 'all well', unit: 'ms', rounds: rounds.well.map(of) },
    target: { kind: 'beyond', limit: 5 },
  });
  const rows = (what: string, of: (seen: Seen) => readonly number[]): Row[] => [
    row(`${what}, median`, (seen) => median(of(seen))),
    row(`${what}, 99 of 100 within`, (seen) => percentile(of(seen), 99)),
  ];
  return [
    ...rows('a sign-in', ({ signInMs }) => signInMs),
    ...rows('from a change to a subscriber', ({ toldMs }) => toldMs),
    ...rows('polls of the others, off the interval', ({ jitterMs }) => jitterMs),
  ];
}

async function observe(
  host: Endpoint,
  connection: Connection,
  screen: Subscribers,
  appId: string,
  others: readonly Plc[],
): Promise<Seen> {
  const [signIn, signOut] = [
    signInRequest(host, { appId }),
    requestTo(host, `/api/Token/${appId}`, { method: 'DELETE' }),
  ];
  const seen: Seen = { signInMs: [], toldMs: [], jitterMs: [] };
  for (const { polls } of others) polls();
  const end = performance.now() + BUSY_SECONDS * 1000;
  while (performance.now() < end) {
    const signedIn = screen.next();
    const signInAt = performance.now();
    await connection.exchange(signIn);
    seen.signInMs.push(performance.now() - signInAt);
    await signedIn;
    const told = screen.next();
    const signOutAt = performance.now();
    await connection.exchange(signOut);
    seen.toldMs.push((await told).lastAt - signOutAt);
  }
  for (const { polls } of others) seen.jitterMs.push(...jitterOf(polls()));
  return seen;
}

/** How long after it answers again a PLC is online; each way to be away lasts longer than the host waits to see it. */
async function recoveries(plant: Plant): Promise<Row[]> {
  const { plcs, frail } = plant;
  const [plc] = plcs as [Plc];
  const ways: Readonly<
    Record<string, readonly [away: () => Promise<unknown>, back: () => Promise<unknown>]>
  > = {
    'that refused': [() => plc.proxy.refuse().then(() => plc.proxy.cut()), plc.proxy.heal],
    'that was frozen': [frail.freeze, async () => frail.thaw()],
    'that was a black hole': [plc.proxy.blackHole, plc.proxy.heal],
  };
  const rows: Row[] = [];
  for (const [name, [leave, comeBack]] of Object.entries(ways)) {
    const rounds: number[] = [];
    for (let outage = 0; outage < OUTAGES; outage++) {
      await leave();
      await sleep(OUTAGE_MS * (1 + Math.random()));
      if (await areOnline(plant)) throw new Error(`nobody noticed the PLC ${name}`);
      await comeBack();
      const backAt = performance.now();
      await allOnline(plant);
      rounds.push(performance.now() - backAt);
    }
    rows.push({
      what: `until a PLC ${name} is online after it answers again: the slowest of ${OUTAGES}`,
      unit: 'ms',
      rounds: [Math.max(...rounds)],
      target: { kind: 'below', limit: 1000 },
    });
  }
  return rows;
}

async function areOnline(plant: Plant): Promise<boolean> {
  const connection = await openConnection(plant.host);
  const isOnline = await look(plant, connection);
  connection.close();
  return isOnline;
}

async function allOnline(plant: Plant): Promise<void> {
  const connection = await openConnection(plant.host);
  const end = performance.now() + PATIENCE_MS;
  while (!(await look(plant, connection))) {
    if (performance.now() > end) throw new Error('a PLC did not come online');
    await sleep(LOOK_MS);
  }
  connection.close();
}

async function look({ statusRequest, plcs }: Plant, connection: Connection): Promise<boolean> {
  const { body } = await connection.exchange(statusRequest);
  const links = JSON.parse(body) as LinkStatusView[];
  return links.length === plcs.length && links.every(({ state }) => state === 'online');
}
