/** A badge at the reader: how long a sign-in takes beyond its hash, and whether time or text tells which badges exist. */
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { configSchema } from '../server/config/schema.ts';
import type { Features } from '../server/features.ts';
import { createHasher } from '../server/passwords/hasher.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import type { User } from '../server/users/user.ts';
import { lockAccount, prepareAccounts } from './accounts.ts';
import { openConnection, requestTo, type Connection, type Endpoint } from './client.ts';
import { median, percentile, takeTurns, type Bench, type Row } from './harness.ts';
import { startHost } from './host.ts';
import { compareRefusals } from './refusals.ts';

const SCANS = 200;
const TRIES = 200;
/** So that nobody's PIN is wrong ten times in a row. */
const USERS_TO_MISTYPE = 50;
const PIN = '739154';
const WRONG_PIN = '739155';

export const badge: Bench = {
  title: `${SCANS} scans one after the other; ${TRIES} tries of each kind`,
  async run() {
    const names = Array.from({ length: USERS_TO_MISTYPE }, (_, i) => `user-${i}`);
    const folder = await prepareAccounts([...names, 'locked', 'disabled', 'lost'], enrolAll);
    return [...(await scanAlone(folder)), ...(await scanWithPin(folder)), ...(await compare(folder))];
  },
};

const numberOf = (name: string): string => `number of ${name}`;

/** Everybody gets a badge, and one PIN; some of them are spoilt then. */
async function enrolAll(features: Features, users: readonly User[]): Promise<void> {
  const { badges, pins, store, sessions } = features;
  const hash = await pins.prepare(PIN, null);
  for (const { id, name } of users) {
    await store.write((writer, afterCommit) => pins.set(writer, afterCommit, id, hash));
    const { id: badgeId } = await badges.enrol(
      { userName: name, badge: numberOf(name), label: '' },
      HOST_ACTOR,
    );
    if (name === 'lost') await sessions.revokeBadge(badgeId, HOST_ACTOR);
  }
  await features.users.change('disabled', { enabled: false }, HOST_ACTOR);
  await lockAccount(features, 'locked');
}

function scan(host: Endpoint, name: string, secondFactor?: string): Buffer {
  return requestTo(host, '/api/v1/badge-sign-in', { body: { badge: numberOf(name), secondFactor } });
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function scanAlone(folder: string): Promise<Row[]> {
  await using host = await startHost(folder, ['--set', 'badges.signIn=alone']);
  const connection = await openConnection(host);
  const request = scan(host, 'user-0');
  const { tookMs } = await takeTurns(SCANS, { tookMs: () => timeOf(() => connection.exchange(request)) });
  connection.close();
  const row = (what: string, value: number): Row => ({ what, unit: 'ms', rounds: [value] });
  return [
    row('a badge alone: half within', median(tookMs)),
    { ...row('99 of 100 within', percentile(tookMs, 99)), target: { kind: 'below', limit: 300 } },
  ];
}

/** Both requests: the one that is asked for the PIN, and the one with it. */
async function scanWithPin(folder: string): Promise<Row[]> {
  await using host = await startHost(folder);
  const connection = await openConnection(host, { anyStatus: true });
  const requests = [scan(host, 'user-0'), scan(host, 'user-0', PIN)];
  const hash = await ownHash();
  const { withPin, hashing } = await takeTurns(SCANS, {
    withPin: () => timeOf(() => inOrder(connection, requests)),
    hashing: () => timeOf(hash),
  });
  connection.close();
  const row = (what: string, of: (samples: number[]) => number): Row => ({
    what,
    unit: 'ms',
    rounds: [of(withPin)],
    against: { what: 'argon2 alone', unit: 'ms', rounds: [of(hashing)] },
    target: { kind: 'beyond', limit: 300 },
  });
  return [
    row('a badge and its PIN: half within', median),
    row('99 of 100 within', (samples) => percentile(samples, 99)),
  ];
}

async function inOrder(connection: Connection, requests: readonly Buffer[]): Promise<void> {
  const statuses = [];
  for (const request of requests) statuses.push((await connection.exchange(request)).status);
  if (String(statuses) !== '403,200') throw new Error(`the badge did not sign in: ${String(statuses)}`);
}

/** The hash that the host computes by default, in this process. */
async function ownHash(): Promise<() => Promise<unknown>> {
  const { passwords } = configSchema.parse({});
  const hasher = createHasher(
    { ...passwords, maxConcurrent: 1, pepper: Buffer.from('the pepper of the bench') },
    createSystemClock(),
  );
  const hash = await hasher.hash(PIN);
  return () => hasher.verify(hash, PIN);
}

/** All that the second step refuses. */
async function compare(folder: string): Promise<Row[]> {
  await using host = await startHost(folder);
  const kinds = {
    'unknown badge': (i: number) => scan(host, `stranger-${i}`, PIN),
    'revoked badge, right PIN': () => scan(host, 'lost', PIN),
    'disabled user': () => scan(host, 'disabled', PIN),
    'locked user, right PIN': () => scan(host, 'locked', PIN),
    'wrong PIN': (i: number) => scan(host, `user-${i % USERS_TO_MISTYPE}`, WRONG_PIN),
  };
  // The host is there until then.
  return await compareRefusals(host, kinds, TRIES);
}
