/** Guessing passwords: whether time or text tells who exists, and whether an attack keeps the operators out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { lockAccount, PASSWORD, prepareAccounts } from './accounts.ts';
import { openConnection, requestTo, type Endpoint } from './client.ts';
import { median, percentile, type Bench, type Row } from './harness.ts';
import { startHost } from './host.ts';
import { compareRefusals, loopback } from './refusals.ts';

const TRIES = 200;
const USERS_TO_MISTYPE = 50;

const ACCOUNTS = 1000;
const OPERATORS = 20;
const WRONG_SIGN_INS = 10_000;
const ATTACKERS = 50;
const CONNECTIONS_AN_ATTACKER = 4;
const PAUSE_MS = 1000;
const LEAST_SIGN_INS = 5;

const WRONG = 'nobody has ever chosen this';

export const lockout: Bench = {
  title: `${TRIES} tries of each kind; ${WRONG_SIGN_INS} wrong sign-ins from ${ATTACKERS} addresses`,
  run: async () => [...(await compare()), ...(await attack())],
};

async function compare(): Promise<Row[]> {
  const names = Array.from({ length: USERS_TO_MISTYPE }, (_, i) => `user-${i}`);
  const folder = await prepareAccounts([...names, 'locked'], (features) => lockAccount(features, 'locked'));
  await using host = await startHost(folder);
  const kinds = {
    'unknown user': (i: number) => signInRequest(host, `stranger-${i}`, WRONG),
    'locked user, right password': () => signInRequest(host, 'locked', PASSWORD),
    'wrong password': (i: number) => signInRequest(host, `user-${i % USERS_TO_MISTYPE}`, WRONG),
  };
  // The host is there until then.
  return await compareRefusals(host, kinds, TRIES);
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
