/** An audit trail for tests: its rows, an archive, checkpoints, and rows after the last checkpoint. */
import { mkdirSync, mkdtempSync, rmSync, copyFileSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll } from 'vitest';
import { openAudit, type Audit } from '../server/audit/audit.ts';
import { KEY_FILE } from '../server/audit/signatures.ts';
import { createFixedClock, type FixedClock } from '../server/ports/clock.ts';
import { createMemoryLog } from '../server/ports/log.ts';
import { openStore, type Store } from '../server/store/store.ts';
import { DAY_MS, SECRETS } from './house.ts';

export { DAY_MS, SECRETS, temporaryFolder } from './house.ts';

export interface Trail {
  /** Database, key file and archives, as they are while the host runs. */
  readonly folder: string;
  readonly archiveFile: string;
  /** Hash of the last row in the archive, hex. */
  readonly archivedHash: string;
  /** The first and the last row in the table. */
  readonly first: number;
  readonly last: number;
  /** The rows with a checkpoint, ascending. */
  readonly checkpoints: readonly number[];
}

/** Appends so many rows, one commit each, no two alike. */
export async function appendRows(
  { store, audit, clock }: { store: Store; audit: Audit; clock: FixedClock },
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.advance(1000);
    await store.write((writer) =>
      audit.append(writer, {
        action: i % 3 === 0 ? 'sign-in-refused' : 'sign-in',
        actor: { name: `operator ${i}`, door: 'api', address: i % 2 === 0 ? '192.0.2.7' : null },
        subject: `öperator "${i}"`,
        app: i % 4 === 0 ? null : 'HMI',
        reason: i % 3 === 0 ? 'wrong-password' : null,
        detail: { at: clock.now(), text: 'zeile\nzwei' },
      }),
    );
  }
}

/** Makes it in a folder that is gone after all tests of the file. */
export async function newTrail(): Promise<Trail> {
  const folder = mkdtempSync(join(tmpdir(), 'keyswitch-trail-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const work = join(folder, 'work');
  mkdirSync(work);
  const clock = createFixedClock();
  const store = await openStore(work);
  const audit = await openAudit(
    { store, clock, log: createMemoryLog(clock.now), secret: SECRETS.secretPwdKey },
    { folder: work, archiveFolder: join(work, 'audit-archive'), checkpointRows: 10, retentionDays: 1 },
  );
  await appendRows({ store, audit, clock }, 15);
  clock.setWallClock(clock.now() + 2 * DAY_MS);
  await appendRows({ store, audit, clock }, 31);
  await audit.archive();
  await appendRows({ store, audit, clock }, 6);
  await store.write(async () => {});
  const made = join(folder, 'made');
  mkdirSync(made);
  const database = new Database(join(work, 'keyswitch.db'));
  database.prepare('vacuum into ?').run(join(made, 'keyswitch.db'));
  database.close();
  cpSync(join(work, 'audit-archive'), join(made, 'audit-archive'), { recursive: true });
  copyFileSync(join(work, KEY_FILE), join(made, KEY_FILE));
  await audit.close();
  await store.close();
  return describeTrail(made);
}

function describeTrail(folder: string): Trail {
  const database = new Database(join(folder, 'keyswitch.db'));
  const { file, last_hash } = database.prepare('select file, last_hash from audit_archives').get() as {
    file: string;
    last_hash: Buffer;
  };
  const { first, last } = database.prepare('select min(seq) first, max(seq) last from audit').get() as {
    first: number;
    last: number;
  };
  const checkpoints = database.prepare('select seq from audit_checkpoints order by seq').pluck().all();
  database.close();
  return {
    folder,
    archiveFile: file,
    archivedHash: last_hash.toString('hex'),
    first,
    last,
    checkpoints: checkpoints as number[],
  };
}
