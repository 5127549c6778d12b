/** What thousands of subscribers cost a host that holds them for a while, beyond the bare connections. */
import { join } from 'node:path';
import { requestTo } from './client.ts';
import { median, percentile, runChild, type Bench, type Row } from './harness.ts';
import {
  prepareApp,
  prepareDataFolder,
  signInRequest,
  startBarePush,
  startHost,
  type Server,
} from './host.ts';
import type { HolderInput, HolderOutput } from './subscribers-holder.ts';
import type { Form } from './subscribers-client.ts';

const COUNT = 5000;
const INTERVAL_MS = 1000;
const SECONDS = process.env['BENCH_LONG'] === '1' ? 600 : 30;
/** Ten subscribers, again and again. */
const MIX: readonly Form[] = [
  ...(['iauth', 'native', 'hub', 'iauth', 'native'] as const),
  ...(['iauth', 'native', 'hub', 'iauth', 'hub-events'] as const),
];
/** About as long as what the host sends. */
const MESSAGE = 'x'.repeat(120);
const KIB_A_MIB = 1024;
/** Every change but one signs somebody in: what a hash leaves with the threads that made it is no subscriber's. */
const HASH_KIB = '64';

export const subscribers: Bench = {
  title: `${COUNT} subscribers for ${SECONDS} s, one change every ${INTERVAL_MS / 1000} s: 40 % iAuth, 30 % ours, 30 % SignalR`,
  async run() {
    const folder = await prepareDataFolder({ 'passwords.memoryKib': HASH_KIB });
    const appId = await prepareApp(folder);
    await using host = await startHost(folder);
    await using bare = await startBarePush(host);
    const signIn = signInRequest(host, { appId });
    const signOut = requestTo(host, `/api/Token/${appId}`, { method: 'DELETE' });
    const broadcast = requestTo(bare, '/broadcast', { body: { message: MESSAGE } });
    const [atHost, atBare] = await Promise.all([
      hold(host, appId, MIX, [signIn, signOut]),
      hold(bare, appId, ['bare'], [broadcast]),
    ]);
    return rowsOf(atHost, atBare);
  },
};

async function hold(
  { url, ca, pid }: Server,
  appId: string,
  forms: readonly Form[],
  changes: readonly Buffer[],
): Promise<HolderOutput> {
  const input: HolderInput = {
    endpoint: { url, ca },
    ...{ pid, forms, count: COUNT, appId, intervalMs: INTERVAL_MS, seconds: SECONDS },
    changes: changes.map(String),
  };
  const printed = await runChild([join(import.meta.dirname, 'subscribers-holder.ts')], {
    input: JSON.stringify(input),
    timeoutMs: (SECONDS + 300) * 1000,
  });
  return JSON.parse(printed) as HolderOutput;
}

function rowsOf(host: HolderOutput, bare: HolderOutput): Row[] {
  const [atHost, atBare] = [kibEach(host), kibEach(bare)];
  const told = (what: string, of: (samples: readonly number[]) => number): Row => ({
    what,
    unit: 'ms',
    rounds: [of(host.toldMs)],
    against: { what: 'ws alone', unit: 'ms', rounds: [of(bare.toldMs)] },
  });
  return [
    {
      what: 'memory of a subscriber',
      unit: 'KiB',
      rounds: [atHost],
      against: { what: 'ws alone', unit: 'KiB', rounds: [atBare] },
      target: { kind: 'beyond', limit: 12 },
    },
    {
      what: 'memory in the last third of the time, of that in the second',
      unit: '%',
      rounds: [growthPercent(host)],
      against: { what: 'ws alone', unit: '%', rounds: [growthPercent(bare)] },
      target: { kind: 'below', limit: 105 },
    },
    told('from a change to the last who knows, median', median),
    told('the same, 99 of 100 within', (samples) => percentile(samples, 99)),
  ];
}

/** By the last third: until then a heap finds its size. */
function kibEach({ beforeMib, heldMib }: HolderOutput): number {
  return ((median(lastThird(heldMib)) - beforeMib) * KIB_A_MIB) / COUNT;
}

function growthPercent({ heldMib }: HolderOutput): number {
  const third = Math.ceil(heldMib.length / 3);
  return (100 * median(lastThird(heldMib))) / median(heldMib.slice(third, 2 * third));
}

function lastThird(samples: readonly number[]): readonly number[] {
  return samples.slice(-Math.ceil(samples.length / 3));
}
