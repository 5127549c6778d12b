/** The soak (docs/soak.md): an hour of a busy site in which everything breaks again and again, and what must hold meanwhile. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { runChild } from '../../bench/harness.ts';
import { keyswitch } from '../../bench/host.ts';
import { createActors } from './actors.ts';
import { createDice, type Dice } from './dice.ts';
import { SILENT, waysToHarm, type Harm } from './faults.ts';
import { GRACE_MS, watchLinks } from './links.ts';
import { startMeters } from './meters.ts';
import { openSite, restartPlc, type Place } from './site.ts';
import { KINDS, type Subscriber } from './subscribers.ts';
import { createTally } from './tally.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: new Date().toISOString().slice(0, 10) },
    plcs: { type: 'string', default: '20' },
    subscribers: { type: 'string', default: '200' },
    desktop: { type: 'boolean', default: false },
    json: { type: 'string', default: join(ROOT, 'bench', 'results', 'soak.json') },
  },
});
const durationMs = Number(values.minutes) * 60_000;
/** As delivered, but for what makes the wait for a silent peer shorter. */
const FLAGS = ['--set', 'realtime.heartbeatSec=5'];
const WAYS = 8;
/**
 * The first of these lose nothing silently, and are for long polling: a poll whose answer was lost is given up by the
 * official client after 100 s.
 */
const LOUD_WAYS = 2;
/** How long things break, and how long it may take until everybody agrees again. */
const ROUND_MS = 25_000;
/** The slowest to notice is the official SignalR client: 30 s without a word, and then it comes back. */
const AGREEMENT_MS = 60_000;
const LOOK_EVERY_MS = 200;
/** What the product promises, and what a busy machine adds to it. */
const LINK_BACK_MS = 1000;
const LINK_LOST_MS = 1500;
/** After these a PLC says nothing more, and its machine does not tell either. */
const MUTE: readonly string[] = ['freeze', 'half-open, client believes', 'black hole'];
/** How long a process has to live before its memory is judged, and what is no growth. */
const JUDGED_MEMORY = { minutes: 15, times: 1.15 };
/**
 * The restarts fall into the first and the last quarter: half the time belongs to one process, whose memory is watched.
 * To a desktop the whole time does.
 */
const RESTARTING = { until: 0.25, from: 0.75, share: 0.3 };

const tally = createTally();
// Every PLC goes with this process.
process.setMaxListeners(100);
// A former event stream of the official client may speak into a connection that it is just making anew: it throws in
// an event handler, where nobody can catch it, and is of no use from then on. The host is not to bring it there.
process.on('uncaughtException', (error) => {
  if (
    !/^HttpConnection\.stopConnection\(.* while the connection is still in the connecting state/.test(
      error.message,
    )
  )
    throw error;
  tally.complain('a SignalR client broke over an event stream that it had given up');
});
await runChild([join(ROOT, 'build', 'build.ts')], { timeoutMs: 300_000 });
await runChild([join(ROOT, 'build', 'snap7.ts')], { timeoutMs: 300_000 });
const site = await openSite({ plcs: Number(values.plcs), flags: FLAGS, isDesktop: values.desktop });
await site.start();
const meters = startMeters(site, tally);
const loop = monitorEventLoopDelay({ resolution: 10 });
loop.enable();
const links = watchLinks(site, tally);
const ways: TcpProxy[] = [];
for (let way = 0; way < WAYS; way += 1) ways.push(await startTcpProxy({ target: site.port }));
const subscribers = startSubscribers(Number(values.subscribers));
const actors = createActors(site, links, tally, createDice(`${values.seed}: actors`));
const startedAt = performance.now();
const agreed = await agreement('the start');
if (!agreed) tally.complain('there was never any agreement');

let rounds = 0;
while (performance.now() - startedAt < durationMs) {
  rounds += 1;
  await round(createDice(`${values.seed}: round ${rounds}`));
}
await finish();

function startSubscribers(count: number): Subscriber[] {
  const kinds = Object.entries(KINDS);
  // Half of them by the plain forms of /ws, as in a plant.
  const turns = [...kinds.slice(0, 2), ...kinds, ...kinds.slice(0, 2)];
  return Array.from({ length: count }, (_, at) => {
    const [kind, start] = turns[at % turns.length]!;
    const { appId, number } = site.places[Math.floor(at / turns.length + at) % site.places.length]!;
    const way = /polling/.test(kind) ? at % LOUD_WAYS : LOUD_WAYS + (at % (WAYS - LOUD_WAYS));
    // Every third has a good way.
    const port = at % 3 === 0 ? site.port : ways[way]!.port;
    return start({ name: `${kind} ${at} at HMI ${number}`, appId, port, tally });
  });
}

async function round(dice: Dice): Promise<void> {
  const elapsed = (performance.now() - startedAt) / durationMs;
  const isRestarting = !values.desktop && (elapsed < RESTARTING.until || elapsed > RESTARTING.from);
  const restart =
    isRestarting && dice.chance(RESTARTING.share) ? dice.pick(['SIGTERM', 'SIGKILL'] as const) : null;
  const roundEnds = performance.now() + ROUND_MS;
  const disturbed = new Set<Place>();
  const harms: Promise<void>[] = [];
  for (const place of site.places) {
    if (!dice.chance(0.5)) continue;
    disturbed.add(place);
    harms.push(harmPlc(place, dice, roundEnds));
  }
  for (const way of ways) if (dice.chance(0.6)) harms.push(harmWay(way, dice, roundEnds));
  if (restart !== null) harms.push(restartHost(restart, dice));
  const isCalm = (place: Place): boolean => restart === null && !disturbed.has(place);
  const stopActing = actors.start(isCalm);
  await Promise.all(harms);
  await sleep(roundEnds - performance.now());
  await stopActing();
  for (const { way } of site.places) await way.heal();
  for (const way of ways) await way.heal();
  await agreement(`round ${rounds}`);
  meters.quiet();
  tally.count('rounds');
  console.log(
    `soak: round ${rounds}, ${Math.round((performance.now() - startedAt) / 1000)} s, host ${meters.residentMib().toFixed(0)} MiB, ` +
      `${meters.cores().toFixed(2)} cores, ${tally.violations.length} violations`,
  );
}

/** What happens to a PLC: on its way, or to itself. */
async function harmPlc(place: Place, dice: Dice, endsAt: number): Promise<void> {
  const onTheWay = Object.entries(waysToHarm(place.way));
  const [name, harm] = dice.pick<readonly [string, Harm]>([
    ...onTheWay,
    ['freeze', freeze(place)],
    ['freeze', freeze(place)],
    ['restart', restart(place)],
    ['restart', restart(place)],
  ]);
  await doHarm(`PLC: ${name}`, harm, dice, endsAt, {
    begun: (forMs) => {
      if (MUTE.includes(name) && forMs > LINK_LOST_MS + GRACE_MS) links.expectLost(place, LINK_LOST_MS);
    },
    ended: () => links.expectBack(place, LINK_BACK_MS),
  });
}

async function harmWay(way: TcpProxy, dice: Dice, endsAt: number): Promise<void> {
  const isLoud = ways.indexOf(way) < LOUD_WAYS;
  const [name, harm] = dice.pick(
    Object.entries(waysToHarm(way)).filter(([kind]) => !isLoud || !SILENT.includes(kind)),
  );
  await doHarm(`subscribers: ${name}`, harm, dice, endsAt);
}

interface Told {
  /** Harm is done, and lasts so long. */
  begun(forMs: number): void;
  ended(): void;
}

async function doHarm(name: string, harm: Harm, dice: Dice, endsAt: number, told?: Told): Promise<void> {
  await sleep(dice.between(0, ROUND_MS / 2));
  tally.count(name);
  const heal = await harm(dice);
  const forMs = Math.max(0, Math.min(dice.between(100, ROUND_MS / 2), endsAt - performance.now()));
  told?.begun(forMs);
  await sleep(forMs);
  await heal();
  told?.ended();
}

function freeze(place: Place): Harm {
  return async () => {
    const { plc } = place;
    await plc.freeze();
    return () => Promise.resolve(plc.thaw());
  };
}

function restart(place: Place): Harm {
  return async (dice) => {
    await restartPlc(place, dice.between(0, 3000));
    return () => Promise.resolve();
  };
}

async function restartHost(signal: 'SIGTERM' | 'SIGKILL', dice: Dice): Promise<void> {
  await sleep(dice.between(1000, ROUND_MS / 2));
  tally.count(`host: ${signal}`);
  links.hostWentDown();
  await site.stop(signal);
  await sleep(dice.between(0, 2000));
  const startsAt = performance.now();
  await site.start();
  tally.measure('host: from its start to the ready line', performance.now() - startsAt);
}

/** Waits until everybody agrees on who is signed in at every app: REST, PLC and each subscriber. */
async function agreement(when: string): Promise<boolean> {
  const beganAt = performance.now();
  let open = new Set(site.places);
  let faults: string[] = [];
  while (performance.now() - beganAt < AGREEMENT_MS) {
    const looked = await Promise.all(
      [...open].map(async (place) => [place, await disagreements(place)] as const),
    );
    open = new Set(looked.filter(([, found]) => found.length > 0).map(([place]) => place));
    faults = looked.flatMap(([, found]) => found);
    if (open.size === 0) {
      tally.measure('from the end of all faults to the agreement of all', performance.now() - beganAt);
      return true;
    }
    await sleep(LOOK_EVERY_MS);
  }
  for (const fault of faults) tally.complain(`${when}: ${fault}`);
  return false;
}

async function disagreements(place: Place): Promise<string[]> {
  const at = `HMI ${place.number}`;
  const user = await actors.userAt(place).catch(() => undefined);
  if (user === undefined) return [`${at}: no answer`];
  const found: string[] = [];
  const expected = actors.expectedAt(place);
  if (expected !== undefined && expected !== user)
    found.push(`${at}: ${String(user)}, but ${String(expected)} was answered`);
  const word = await place.plc.getWord(188);
  if (word !== actors.valueOf(user))
    found.push(`${at}: the word is ${word} while ${String(user)} is signed in`);
  const name = await actors.nameIn(place);
  if (name !== (user ?? ''))
    found.push(`${at}: the PLC's text is "${name}" while ${String(user)} is signed in`);
  for (const subscriber of subscribers) {
    if (subscriber.appId !== place.appId || subscriber.user() === user) continue;
    found.push(`${subscriber.name}: ${String(subscriber.user())} while ${String(user)} is signed in`);
  }
  return found;
}

async function finish(): Promise<void> {
  const lasted = (performance.now() - startedAt) / 60_000;
  loop.disable();
  const measured = meters.stop();
  links.close();
  for (const subscriber of subscribers) subscriber.close();
  const { signIns } = await actors.close();
  await site.stop('SIGTERM');
  const verified = await keyswitch(['audit', 'verify', '--data', site.folder]).catch((error: unknown) =>
    String(error),
  );
  console.log(verified.trim());
  if (/failed/.test(verified)) tally.complain(`the audit trail: ${verified}`);
  const { minutes, firstMib, lastMib } = measured.memory;
  if (minutes >= JUDGED_MEMORY.minutes && lastMib > firstMib * JUDGED_MEMORY.times)
    tally.complain(`the host's memory grew from ${firstMib} to ${lastMib} MiB within ${minutes} minutes`);
  const recorded = recordedSignIns(join(site.folder, 'keyswitch.db'));
  if (recorded < signIns.answered || recorded > signIns.asked)
    tally.complain(
      `${recorded} sign-ins on record, ${signIns.answered} answered, ${signIns.asked} asked for`,
    );
  const figures = {
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model.trim() ?? ''}, Node ${process.version}`,
    ...{ seed: values.seed, minutes: Math.round(lasted * 10) / 10, rounds },
    ...{ plcs: site.places.length, subscribers: subscribers.length },
    ...measured,
    soakLoopDelayP99Ms: Math.round(loop.percentile(99) / 1e5) / 10,
    signIns: { ...signIns, recorded },
    ...tally.report(),
    violations: tally.violations,
  };
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  const { counts, times, violations, ...others } = figures;
  console.log(others);
  console.table(times);
  console.table(counts);
  console.log(
    violations.length === 0 ? 'soak: nothing was violated' : `soak: ${violations.length} VIOLATIONS`,
  );
  await site.close();
  for (const way of ways) await way.close();
  process.exit(violations.length === 0 ? 0 : 1);
}

function recordedSignIns(file: string): number {
  const db = new Database(file, { readonly: true });
  const { count } = db
    .prepare(
      "select count(*) as count from audit where action = 'sign-in' and reason = 'password' and app is not null",
    )
    .get() as { count: number };
  db.close();
  return count;
}
