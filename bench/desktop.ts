/** The desktop at the change of shift: what its main process, which holds the host, makes of twenty PLCs and fifty sign-ins at once. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkStatusView } from '../server/http/contract.ts';
import { startS7Server } from '../test/s7-server.ts';
import { openConnections } from './client.ts';
import { standInMib, startDesktop, type DesktopHost } from './desktop-host.ts';
import { residentMib, runChild, startLoad, type Bench, type Row } from './harness.ts';
import { addUser, prepareDataFolder, signInRequest } from './host.ts';
import { linkPlc, openAdministrator, type Administrator } from './plant.ts';

const PLCS = 20;
const USERS = 50;
const POLL_INTERVAL_MS = 100;
const ADMINISTRATOR = 'administrator';
const ROUNDS = 3;
const SECONDS = 5;
const LOOK_MS = 50;
const PATIENCE_MS = 30_000;

export const desktop: Bench = {
  title: `the main process of the desktop, ${PLCS} PLCs read every ${POLL_INTERVAL_MS} ms while ${USERS} clients sign in`,
  async run() {
    await runChild([join(import.meta.dirname, '..', 'build', 'snap7.ts')]);
    await using plc = await startS7Server();
    const notOurs = await standInMib();
    const folder = await prepareDataFolder();
    await addUser(folder, ADMINISTRATOR, ['--type', 'Admin']);
    await using host = await startDesktop(folder, ['--set', `plc.pollIntervalMs=${POLL_INTERVAL_MS}`]);
    const administrator = await openAdministrator(host, ADMINISTRATOR);
    for (let i = 0; i < PLCS; i++) await linkPlc(administrator, i, plc.port);
    await allOnline(administrator);

    const memoryBefore = residentMib(host.pid) - notOurs;
    const calm: LoopDelay[] = [];
    const busy: LoopDelay[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      calm.push(await observe(host));
      const connections = await openConnections(host, USERS);
      const load = startLoad(connections, signInRequest(host));
      busy.push(await observe(host));
      await load.stop();
      for (const connection of connections) connection.close();
    }
    const row = (what: string, rounds: readonly LoopDelay[], of: keyof LoopDelay, limit?: number): Row => ({
      what,
      unit: 'ms',
      rounds: rounds.map((seen) => seen[of]),
      ...(limit !== undefined && { target: { kind: 'below', limit } }),
    });
    return [
      row('nobody signing in: delay of the event loop, 99 of 100 within', calm, 'p99Ms', 10),
      row('the most', calm, 'maxMs'),
      row(`${USERS} clients signing in: delay of the event loop, 99 of 100 within`, busy, 'p99Ms', 10),
      row('the most', busy, 'maxMs'),
      { what: 'memory of the stand-in, not in what follows', unit: 'MiB', rounds: [notOurs] },
      { what: 'memory held by the main process before', unit: 'MiB', rounds: [memoryBefore] },
      {
        what: 'memory held by the main process afterwards',
        unit: 'MiB',
        rounds: [residentMib(host.pid) - notOurs],
        target: { kind: 'below', limit: 180 },
      },
    ];
  },
};

/** In milliseconds; the resolution of 1 ms is in each. */
interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

function observe({ desktop: { inMain } }: DesktopHost): Promise<LoopDelay> {
  return inMain(async (_electron, seconds) => {
    const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    histogram.disable();
    return { p99Ms: histogram.percentile(99) / 1e6, maxMs: histogram.max / 1e6 };
  }, SECONDS);
}

async function allOnline({ ask }: Administrator): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const links = await ask<LinkStatusView[]>('/api/v1/links/status');
    if (links.length === PLCS && links.every(({ state }) => state === 'online')) return;
    if (performance.now() > end) throw new Error('a PLC did not come online');
    await sleep(LOOK_MS);
  }
}
