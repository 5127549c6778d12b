/** Guessing passwords: whether time or text tells who exists, and whether an attack keeps the operators out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { prepareDataFolder } from '../server/config/data-folder.ts';
import { loadConfig } from '../server/config/load.ts';
import { openFeatures, type Features } from '../server/features.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { createMemoryLog } from '../server/ports/log.ts';
import { createSystemRandom } from '../server/ports/random.ts';
import { loadSecrets } from '../server/secrets/secrets.ts';
import { openConnection, requestTo, type Answer, type Endpoint } from './client.ts';
import { median, percentile, scratchFolder, type Bench, type Row } from './harness.ts';
import { startHost } from './host.ts';

const TRIES = 200;
/** Tries that do not count, while the host warms up. */
const WARM_UP = 10;
const USERS_TO_MISTYPE = 50;

const ACCOUNTS = 1000;
const OPERATORS = 20;
const WRONG_SIGN_INS = 10_000;
const ATTACKERS = 50;
const CONNECTIONS_AN_ATTACKER = 4;
const PAUSE_MS = 1000;
const LEAST_SIGN_INS = 5;

const PASSWORD = 'nobody needs to remember this';
const WRONG = 'nobody has ever chosen this';

export const lockout: Bench = {
  title: `${TRIES} tries of each kind; ${WRONG_SIGN_INS} wrong sign-ins from ${ATTACKERS} addresses`,
  run: async () => [...(await compareRefusals()), ...(await attack())],
};

/** An own address of the loopback network, 127.1.0.1 and on (Linux and Windows route them all). */
function loopback(index: number): string {
  const host = index + 1;
  return `127.${1 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

/** The three that must look alike, in turns, each from an address of its own, so that nobody has to wait. */
async function compareRefusals(): Promise<Row[]> {
  const names = Array.from({ length: USERS_TO_MISTYPE }, (_, i) => `user-${i}`);
  const folder = await prepareAccounts([...names, 'locked'], (features) => lockAccount(features, 'locked'));
  await using host = await startHost(folder);
  const kinds = {
    'unknown user': { nameOf: (i: number) => `stranger-${i}`, password: WRONG },
    'locked user, right password': { nameOf: () => 'locked', password: PASSWORD },
    'wrong password': { nameOf: (i: number) => `user-${i % USERS_TO_MISTYPE}`, password: WRONG },
  };
  const tookMs: Record<string, number[]> = {};
  const answers = new Set<string>();
  for (let i = 0, address = 0; i < WARM_UP + TRIES; i++) {
    for (const [kind, { nameOf, password }] of inTurn(Object.entries(kinds), i)) {
      const connection = await openConnection(host, { localAddress: loopback(address++), anyStatus: true });
      const startedAt = performance.now();
      const answer = await connection.exchange(signInRequest(host, nameOf(i), password));
      if (i >= WARM_UP) (tookMs[kind] ??= []).push(performance.now() - startedAt);
      answers.add(withoutDate(answer));
      connection.close();
    }
  }
  const medians = Object.values(tookMs).map(median);
  return [
    ...Object.entries(tookMs).map(([kind, samples]): Row => ({
      what: kind,
      unit: 'ms',
      rounds: [median(samples)],
    })),
    {
      what: 'the slowest median beyond the fastest',
      unit: '%',
      rounds: [(Math.max(...medians) / Math.min(...medians) - 1) * 100],
      target: { kind: 'below', limit: 5 },
    },
    {
      what: 'different answers, head and body',
      unit: '',
      rounds: [answers.size],
      target: { kind: 'below', limit: 2 },
    },
  ];
}

/** Begins with another one each time: what follows what must not matter. */
function inTurn<Item>(items: readonly Item[], turn: number): Item[] {
  const first = turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function withoutDate({ head, body }: Answer): string {
  return `${head.replace(/^date: .*$/im, '')}\r\n${body}`;
}

/** Twenty operators sign in again and again, each at a screen of their own, until the attack is over. */
async function attack(): Promise<Row[]> {
  const names = Array.from({ length: ACCOUNTS }, (_, i) => `user-${i}`);
  await using host = await startHost(await prepareAccounts(names));
  const startedAt = performance.now();
  const statuses = new Map<number, number>();
  let started = 0;
  let isOver = false;

  async function attacker(index: number): Promise<void> {
    const localAddress = loopback(index % ATTACKERS);
    const connection = await openConnection(host, { localAddress, anyStatus: true });
    while (started < WRONG_SIGN_INS) {
      const name = names[started++ % ACCOUNTS] ?? '';
      const { status } = await connection.exchange(signInRequest(host, name, WRONG));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    connection.close();
  }

  async function operator(index: number): Promise<{ tookMs: number; status: number }[]> {
    const localAddress = loopback(1000 + index);
    const signedIn = [];
    await sleep((index / OPERATORS) * PAUSE_MS);
    while (!isOver || signedIn.length < LEAST_SIGN_INS) {
      const askedAt = performance.now();
      const connection = await openConnection(host, { localAddress, anyStatus: true });
      const { status } = await connection.exchange(signInRequest(host, names[index] ?? '', PASSWORD));
      signedIn.push({ tookMs: performance.now() - askedAt, status });
      connection.close();
      await sleep(PAUSE_MS);
    }
    return signedIn;
  }

  const attackers = Array.from({ length: ATTACKERS * CONNECTIONS_AN_ATTACKER }, (_, i) => attacker(i));
  const attacked = Promise.all(attackers).finally(() => (isOver = true));
  const operators = Array.from({ length: OPERATORS }, (_, i) => operator(i));
  const seconds = attacked.then(() => (performance.now() - startedAt) / 1000);
  const signIns = (await Promise.all(operators)).flat();
  const figure = (what: string, unit: string, value: number): Row => ({ what, unit, rounds: [value] });
  const tookMs = signIns.map((each) => each.tookMs);
  const refused = signIns.filter(({ status }) => status !== 200).length;
  return [
    { ...figure('operators who did not get in', '', refused), target: { kind: 'below', limit: 1 } },
    {
      ...figure('99 of 100 operators got in within', 'ms', percentile(tookMs, 99)),
      target: { kind: 'below', limit: 2000 },
    },
    figure('half of them within', 'ms', median(tookMs)),
    figure('sign-ins of the operators', '', signIns.length),
    figure('the attack lasted', 's', await seconds),
    ...[...statuses].map(([status, count]) => figure(`wrong sign-ins answered with ${status}`, '', count)),
  ];
}

function signInRequest(host: Endpoint, username: string, password: string): Buffer {
  return requestTo(host, '/api/v1/sign-in', { body: { username, password } });
}

/**
 * Makes a data folder with these users in a moment: added at next to no cost a hash, then all given one hash of the
 * ordinary cost.
 */
async function prepareAccounts(
  names: readonly string[],
  then: (features: Features) => Promise<void> = async () => {},
): Promise<string> {
  const folder = scratchFolder();
  const cheap = { 'passwords.memoryKib': '8', 'passwords.iterations': '1' };
  const ids: string[] = [];
  await withFeatures(folder, cheap, async ({ users }) => {
    const person = { type: 'Active', logoutTimeInMin: null, password: PASSWORD } as const;
    for (const name of names) ids.push((await users.add({ name, ...person }, HOST_ACTOR)).id);
  });
  await withFeatures(folder, {}, async (features) => {
    const { passwords, store } = features;
    const hash = await passwords.prepare(PASSWORD, { name: 'somebody', displayName: 'Some Body' });
    await Promise.all(
      ids.map((id) => store.write((writer) => passwords.set(writer, id, hash, { mustChange: false }))),
    );
    await then(features);
  });
  return folder;
}

async function withFeatures(
  folder: string,
  flags: Readonly<Record<string, string>>,
  work: (features: Features) => Promise<void>,
): Promise<void> {
  prepareDataFolder(folder);
  const clock = createSystemClock();
  const ports = { clock, random: createSystemRandom(), log: createMemoryLog(clock.now) };
  const sources = { dataFolder: folder, env: {} };
  const config = loadConfig({ ...sources, flags });
  const features = await openFeatures(
    { dataFolder: folder, config, secrets: loadSecrets({ ...sources, ...ports }) },
    ports,
  );
  try {
    await work(features);
  } finally {
    await features.close();
  }
}

/** As many failures as it takes, each from an address that the bench does not use. */
async function lockAccount({ lockout: guard, users, store }: Features, name: string): Promise<void> {
  const user = await users.byName(name);
  if (user === null) throw new Error(`no user is named ${name}`);
  for (let i = 0; !guard.isLocked(user.id, null); i++) {
    const tried = { typedName: name, userId: user.id, address: loopback(100_000 + i) };
    guard.settle(tried, false);
    await store.write((writer, afterCommit) => guard.failed(writer, afterCommit, tried));
  }
}
