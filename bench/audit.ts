/** The audit trail: what the chain costs an append, how fast it is verified, and a page of it among millions. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Actor, Audit, AuditRecord } from '../server/audit/audit.ts';
import { runVerification } from '../server/audit/verify-run.ts';
import { createAuditQuery, type AuditFilter, type AuditQuery } from '../server/audit/query.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { CHAIN_START, chainHash } from '../server/store/chain.ts';
import { openStore, STORE_FILE, type Store } from '../server/store/store.ts';
import { median, scratchFolder, takeTurns, type Bench, type Row } from './harness.ts';
import { openTrail } from './store.ts';

/** As many as the store puts into one transaction at most. */
const TOGETHER = 128;
/** Twice as many wait: while one group is on its way to the disk, the next one is there. */
const WAITING = 2 * TOGETHER;
const ROUNDS = 5;
const SECONDS = 2;
const PAGE = 100;
const PAGES = 20;
const MILLION = 1_000_000;
/** Rows to a transaction where they are made. */
const GROUP = 10_000;
const BEGIN = Date.UTC(2024, 0, 1);
const MS_A_ROW = 20_000;

export const audit: Bench = {
  title: `the audit trail: appends by ${WAITING} at once, ${TOGETHER} to a transaction; verification; pages`,
  async run() {
    const appended = await appends();
    const folder = await makeTrail(MILLION);
    const rows = [appended, verification(folder), ...(await pages(folder, MILLION, 30))];
    if (process.env['BENCH_LARGE'] !== '1') return rows;
    return [...rows, ...(await pages(await makeTrail(10 * MILLION), 10 * MILLION, 60))];
  },
};

async function appends(): Promise<Row> {
  const folder = scratchFolder();
  const store = await openStore(folder);
  const trail = await openTrail(store, folder);
  const raw = openRaw();
  const rounds = await takeTurns(ROUNDS, {
    chained: () => appendsPerSecond(store, trail),
    raw: async () => rawPerSecond(raw),
  });
  await trail.close();
  await store.close();
  raw.close();
  return {
    what: 'appends, chained and durable',
    unit: '/s',
    rounds: rounds.chained,
    against: { what: 'better-sqlite3 without a chain', unit: '/s', rounds: rounds.raw },
    target: { kind: 'times', limit: 0.8 },
  };
}

async function appendsPerSecond(store: Store, trail: Audit): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let written = 0;
  const write = async (): Promise<void> => {
    for (; performance.now() < end; written++) await append(store, trail, written);
  };
  await Promise.all(Array.from({ length: WAITING }, write));
  return written / SECONDS;
}

function append(store: Store, trail: Audit, i: number): Promise<void> {
  return store.write((writer) => trail.append(writer, recordOf(i)));
}

/** Events as they are: a few hundred users at a few dozen apps. */
function recordOf(i: number): AuditRecord {
  const user = `operator ${i % 300}`;
  const actor: Actor = { name: user, door: 'api', address: `192.0.2.${i % 250}` };
  return {
    action: i % 10 === 0 ? 'sign-in-refused' : 'sign-in',
    actor,
    subject: user,
    app: `HMI ${i % 40}`,
    reason: i % 10 === 0 ? 'wrong-password' : null,
    detail: { session: `0b8e2f4e-8b69-4a27-9a2d-${String(i).padStart(12, '0')}`, role: '5' },
  };
}

/** The same columns and indexes, with the same durability, and no hash. */
function openRaw(): Database.Database {
  const raw = new Database(join(scratchFolder(), 'raw.db'));
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.exec(
    `create table audit (seq integer primary key autoincrement, at bigint not null, action text not null,
       actor text not null, subject text, app text, door text not null, address text, reason text,
       detail text not null);
     create index audit_subject on audit (subject, seq);
     create index audit_actor on audit (actor, seq);
     create index audit_app on audit (app, seq);
     create index audit_action on audit (action, seq);`,
  );
  return raw;
}

function rawPerSecond(raw: Database.Database): number {
  const insert = raw.prepare(
    `insert into audit (at, action, actor, subject, app, door, address, reason, detail)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  let written = 0;
  const group = raw.transaction(() => {
    for (let i = 0; i < TOGETHER; i++, written++) {
      const { action, actor, subject, app, reason, detail } = recordOf(written);
      const { name, door, address } = actor;
      insert.run(Date.now(), action, name, subject, app, door, address, reason, JSON.stringify(detail));
    }
  });
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) group();
  return written / SECONDS;
}

/** A database with so many rows, chained as they should be, in a folder that goes with this process. */
async function makeTrail(rows: number): Promise<string> {
  const folder = scratchFolder();
  await (await openStore(folder)).close();
  const database = new Database(join(folder, STORE_FILE));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = OFF');
  const insert = database.prepare(
    `insert into audit (seq, at, action, actor, subject, app, door, address, reason, detail, hash)
     values (@seq, @at, @action, @actor, @subject, @app, @door, @address, @reason, @detail, @hash)`,
  );
  let previous = CHAIN_START;
  const group = database.transaction((first: number, last: number) => {
    for (let seq = first; seq <= last; seq++) {
      const { actor, subject = null, app = null, reason = null, detail, action } = recordOf(seq);
      const { name, door, address } = actor;
      const values = { at: BEGIN + seq * MS_A_ROW, action, actor: name, subject, app, door, address, reason };
      const row = { seq, ...values, detail: JSON.stringify(detail) };
      previous = chainHash(previous, row);
      insert.run({ ...row, hash: Buffer.from(previous, 'hex') });
    }
  });
  for (let first = 1; first <= rows; first += GROUP) group(first, Math.min(first + GROUP - 1, rows));
  database.prepare('update audit_head set seq = ?, hash = ?').run(rows, Buffer.from(previous, 'hex'));
  database.close();
  return folder;
}

function verification(folder: string): Row {
  const settings = { archiveFolder: folder, keys: null, sealKey: null, expected: null };
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begin = performance.now();
    const { breach, checked } = runVerification({ ...settings, file: join(folder, STORE_FILE) });
    if (breach !== null) throw new Error(`row ${breach.seq}: ${breach.problem}`);
    return (performance.now() - begin) / checked;
  });
  // As the time of a row, for which a limit can be said; 150,000 rows a second are 6.67 microseconds each.
  return {
    what: 'verification of a row (150,000 /s)',
    unit: 'µs',
    rounds: rounds.map((ms) => ms * 1000),
    target: { kind: 'below', limit: 1e6 / 150_000 },
  };
}

/** What people look for; one that is rare, and one that is nowhere, too. */
function filtersFor(rows: number): Readonly<Record<string, AuditFilter>> {
  const middle = BEGIN + (rows / 2) * MS_A_ROW;
  return {
    'nothing in particular': {},
    'a user': { user: 'operator 17' },
    'refusals at an app': { app: 'HMI 10', outcome: 'refused' },
    'a user, in an hour long ago': { user: 'operator 17', from: middle, to: middle + 3_600_000 },
    'a text': { text: 'wrong-password' },
    'a text that is nowhere': { text: 'no such thing' },
  };
}

async function pages(folder: string, rows: number, limitMs: number): Promise<Row[]> {
  const store = await openStore(folder);
  const query = createAuditQuery({ store, clock: createSystemClock() });
  const found: Row[] = [];
  for (const [name, filter] of Object.entries(filtersFor(rows))) {
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(median(await pageTimes(query, filter)));
    const what = `a page of ${PAGE} of ${rows / 1e6} million rows: ${name}`;
    found.push({ what, unit: 'ms', rounds, target: { kind: 'below', limit: limitMs } });
  }
  await store.close();
  return found;
}

/** Page after page, as somebody who scrolls, from the newest again where there is nothing older. */
async function pageTimes(query: AuditQuery, filter: AuditFilter): Promise<number[]> {
  const times: number[] = [];
  let before: number | null = null;
  for (let i = 0; i < PAGES; i++) {
    const begin = performance.now();
    before = (await query.page(filter, { before, limit: PAGE })).next;
    times.push(performance.now() - begin);
  }
  return times;
}
