/** `node bench/run.ts [NAME...] [--json FILE]`: measures, prints a table a bench, and writes the figures of every round. */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { buildStale } from '../build/build.ts';
import { messageOf } from '../server/errors.ts';
import { audit } from './audit.ts';
import { badgePage } from './badge-page.ts';
import { badge } from './badge.ts';
import { desktop } from './desktop.ts';
import { desktopStart } from './desktop-start.ts';
import type { Bench } from './harness.ts';
import { lockout } from './lockout.ts';
import { osLock } from './os-lock.ts';
import { plcMany } from './plc-many.ts';
import { plcReads } from './plc-reads.ts';
import { plc } from './plc.ts';
import { push } from './push.ts';
import { judge, renderTable, type Judged } from './report.ts';
import { sessionChecks } from './session-checks.ts';
import { signIns } from './sign-ins.ts';
import { start } from './start.ts';
import { storm } from './storm.ts';
import { subscribers } from './subscribers.ts';
import { store } from './store.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  'session-checks': sessionChecks,
  'sign-ins': signIns,
  storm,
  lockout,
  badge,
  'badge-page': badgePage,
  push,
  subscribers,
  plc,
  'plc-reads': plcReads,
  'plc-many': plcMany,
  'os-lock': osLock,
  desktop,
  start,
  'desktop-start': desktopStart,
  store,
  audit,
};

interface Result {
  readonly name: string;
  readonly title: string;
  /** How much the machine had to do when it began: on a busy one no figure is worth much. */
  readonly loadBefore: number;
  readonly rows?: readonly Judged[];
  /** Why it could not run. */
  readonly failure?: string;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } });
const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(
    `bench: no bench is named ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exit(2);
}
// From the sources the launcher starts Keyswitch as well, but not as it is delivered.
buildStale();

const machine = {
  node: process.version,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGib: Math.round(totalmem() / 2 ** 30),
  system: `${process.platform} ${release()}`,
};
console.log(
  `${machine.cores} cores (${machine.processor}), ${machine.memoryGib} GiB, ${machine.system}, Node ${machine.node}`,
);

const at = new Date().toISOString();
const results: Result[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length === 0 || positionals.includes(name)) results.push(await measure(name, bench));
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ at, machine, results }, undefined, 2)}\n`);
}
conclude();
process.exit(results.some(({ failure }) => failure !== undefined) ? 1 : 0);

async function measure(name: string, bench: Bench): Promise<Result> {
  const result = { name, title: bench.title, loadBefore: loadavg()[0] ?? NaN };
  console.log(`\n${name}: ${bench.title} (load before: ${result.loadBefore.toFixed(1)})`);
  try {
    const rows = (await bench.run()).map(judge);
    console.log(renderTable(rows));
    return { ...result, rows };
  } catch (error) {
    console.log(`cannot run: ${messageOf(error)}`);
    return { ...result, failure: messageOf(error) };
  }
}

function conclude(): void {
  const judged = results.flatMap(({ rows = [] }) => rows).filter(({ isReached }) => isReached !== undefined);
  const missed = judged.filter(({ isReached }) => isReached === false);
  if (judged.length === 0) return;
  console.log(`\n${judged.length - missed.length} of ${judged.length} targets reached.`);
  for (const { what } of missed) console.log(`MISSED: ${what}`);
}
