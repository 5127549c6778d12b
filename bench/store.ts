/** Durable writes a second: what the shared transactions of the store leave of what SQLite can do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { HOST_ACTOR, openAudit, type Audit } from '../server/audit/audit.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { createLog } from '../server/ports/log.ts';
import { openStore, type Store } from '../server/store/store.ts';
import { scratchFolder, takeTurns, type Bench, type Row } from './harness.ts';

/** As many as the store puts into one transaction at most. */
const TOGETHER = 128;
const ROUNDS = 5;
const SECONDS = 2;

export const store: Bench = {
  title: `durable writes of one audit row, ${TOGETHER} waiting at once and one at a time`,
  async run() {
    const folder = scratchFolder();
    const kept = await openStore(folder);
    const audit = await openTrail(kept, folder);
    const raw = await openRaw();
    const rounds = await takeTurns(ROUNDS, {
      store: () => writesPerSecond(kept, audit, TOGETHER),
      raw: () => rawPerSecond(raw, TOGETHER),
      storeSingle: () => writesPerSecond(kept, audit, 1),
      rawSingle: () => rawPerSecond(raw, 1),
    });
    await audit.close();
    await kept.close();
    raw.close();
    const row = (what: string, rates: readonly number[]): Row => ({ what, unit: '/s', rounds: rates });
    return [
      { ...row('Store.write, together', rounds.store), against: row('better-sqlite3', rounds.raw) },
      {
        ...row('Store.write, one at a time', rounds.storeSingle),
        against: row('better-sqlite3', rounds.rawSingle),
      },
    ];
  },
};

/** The audit trail of a store without the rest of the house, with the settings of a new installation. */
export function openTrail(kept: Store, folder: string): Promise<Audit> {
  const clock = createSystemClock();
  const log = createLog({ level: 'silent', streams: [], now: clock.now });
  return openAudit(
    { store: kept, clock, log, secret: randomBytes(32) },
    { folder, archiveFolder: join(folder, 'audit-archive'), checkpointRows: 1000, retentionDays: 0 },
  );
}

async function writesPerSecond(kept: Store, audit: Audit, together: number): Promise<number> {
  const end = performance.now() + SECONDS * 1000;
  let written = 0;
  const write = async (): Promise<void> => {
    for (; performance.now() < end; written++) {
      await kept.write((writer) => audit.append(writer, { action: 'sign-in', actor: HOST_ACTOR }));
    }
  };
  await Promise.all(Array.from({ length: together }, write));
  return written / SECONDS;
}

/** The same table, made by the store itself, with the same durability. */
async function openRaw(): Promise<Database.Database> {
  const folder = scratchFolder();
  await (await openStore(folder)).close();
  const raw = new Database(join(folder, 'keyswitch.db'));
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  return raw;
}

async function rawPerSecond(raw: Database.Database, together: number): Promise<number> {
  const insert = raw.prepare(
    `insert into audit (at, action, actor, subject, app, door, address, reason, detail)
     values (?, 'sign-in', 'host', null, null, 'host', null, null, '{}')`,
  );
  const group = raw.transaction(() => {
    for (let row = 0; row < together; row++) insert.run(Date.now());
  });
  const end = performance.now() + SECONDS * 1000;
  let written = 0;
  for (; performance.now() < end; written += together) group();
  await sleep(0);
  return written / SECONDS;
}
