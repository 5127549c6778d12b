import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appendRows, DAY_MS, SECRETS, temporaryFolder } from '../../test/trail.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import { openStore } from '../store/store.ts';
import { createArchiver } from './archive.ts';
import { HOST_ACTOR, openAudit } from './audit.ts';
import { deleteArchived } from './audit-store.ts';
import { deriveKeys, unsealKey } from './keys.ts';
import { readFacts } from './audit-store.ts';

const OLD_ROWS = 50;

/** Opens the trail of `folder`, with an archiver of small segments whose steps can be taken one by one. */
async function open(folder: string, clock = createFixedClock()) {
  const archiveFolder = join(folder, 'audit-archive');
  const store = await openStore(folder);
  const secret = SECRETS.secretPwdKey;
  const audit = await openAudit(
    { store, clock, log: createMemoryLog(clock.now), secret },
    { folder, archiveFolder, checkpointRows: 10, retentionDays: 1 },
  );
  const sealed = (await readFacts(store.read)).keys.at(-1);
  const key = sealed === undefined ? null : await unsealKey(sealed, deriveKeys(secret));
  if (key === null) throw new Error('no key');
  const archiver = createArchiver(
    { store, key, clock, append: audit.append },
    { folder: archiveFolder, segmentRows: 20 },
  );
  const close = async (): Promise<void> => {
    await audit.close();
    await store.close();
  };
  onTestFinished(close);
  return { folder, archiveFolder, store, audit, clock, archiver, close };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** A trail of rows that are two days old, and a few of today. */
async function aged(): Promise<Opened> {
  const opened = await open(temporaryFolder());
  await appendRows(opened, OLD_ROWS);
  // The wall clock alone: the host does not archive by itself meanwhile.
  opened.clock.setWallClock(opened.clock.now() + 2 * DAY_MS);
  await appendRows(opened, 3);
  return opened;
}

/** The numbers of all rows, those in archives that count included. */
async function numbers({ store, archiveFolder }: Opened): Promise<number[]> {
  const archives = await store.read.selectFrom('audit_archives').selectAll().execute();
  const inFiles = archives.flatMap(({ file }) => {
    const lines = gunzipSync(readFileSync(join(archiveFolder, file)))
      .toString()
      .trimEnd()
      .split('\n');
    return lines.slice(0, -1).map((line) => (JSON.parse(line) as { seq: number }).seq);
  });
  const rows = await store.read.selectFrom('audit').select('seq').execute();
  return [...new Set([...inFiles, ...rows.map(({ seq }) => seq)])].toSorted((a, b) => a - b);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

test('rows past their time move to files, the others stay, and the whole verifies', async () => {
  const opened = await aged();
  expect(await opened.audit.archive()).toBe(OLD_ROWS);
  expect(opened.audit.status()).toMatchObject({ archives: 1, lastSeq: OLD_ROWS + 4, entries: 4 });
  expect(await opened.store.read.selectFrom('audit').select('seq').orderBy('seq').execute()).toEqual(
    [51, 52, 53, 54].map((seq) => ({ seq })),
  );
  expect((await opened.audit.newest(1))[0]).toMatchObject({
    action: 'audit-archived',
    subject: 'audit-000000000001.jsonl.gz',
    detail: { firstSeq: 1, lastSeq: OLD_ROWS, entries: OLD_ROWS },
  });
  expect(await opened.audit.verify()).toMatchObject({ state: 'intact', checked: OLD_ROWS + 4 });
  expect(await opened.audit.archive()).toBe(0);
});

test('every day the host archives by itself', async () => {
  const opened = await aged();
  await opened.clock.advance(DAY_MS);
  await expect.poll(() => opened.audit.status().archives).toBe(1);
});

describe('a power cut', () => {
  const cutoff = ({ clock }: Opened): number => clock.now() - DAY_MS;
  const STEPS: [string, (opened: Opened) => Promise<void>][] = [
    [
      'while the file was being written',
      async ({ archiveFolder, archiver, ...opened }) => {
        await archiver.writeSegment(opened.clock.now() - DAY_MS, 10);
        writeFileSync(join(archiveFolder, 'audit-000000000001.jsonl.gz.new'), 'half a file');
      },
    ],
    ['after the file was written', async (it) => void (await it.archiver.writeSegment(cutoff(it), OLD_ROWS))],
    [
      'after the file was registered',
      async (it) => {
        const archive = await it.archiver.writeSegment(cutoff(it), OLD_ROWS);
        if (archive !== null) await it.archiver.register(archive, HOST_ACTOR);
      },
    ],
    [
      'while the rows were being deleted',
      async (it) => {
        const archive = await it.archiver.writeSegment(cutoff(it), OLD_ROWS);
        if (archive !== null) await it.archiver.register(archive, HOST_ACTOR);
        await it.store.write((writer) => deleteArchived(writer, 20, 7));
      },
    ],
    [
      'between two files',
      async (it) => {
        const archive = await it.archiver.writeSegment(cutoff(it), OLD_ROWS);
        if (archive !== null) await it.archiver.register(archive, HOST_ACTOR);
        await it.archiver.removeArchived();
      },
    ],
  ];

  test.each(STEPS)('%s loses no row, and the next archiving goes on', async (_name, goSoFar) => {
    const before = await aged();
    await goSoFar(before);
    const { lastSeq } = before.audit.status();
    expect(await numbers(before)).toEqual(upTo(lastSeq));
    // Nothing is tidied up on the way out that a power cut would leave; closing adds a checkpoint at most.
    await before.close();
    const after = await open(before.folder, before.clock);
    expect(await after.audit.verify()).toMatchObject({ state: 'intact' });
    await after.audit.archive();
    expect(await numbers(after)).toEqual(upTo(after.audit.status().lastSeq));
    expect(
      await after.store.read.selectFrom('audit').select('seq').where('seq', '<=', OLD_ROWS).execute(),
    ).toEqual([]);
    expect(await after.audit.verify()).toMatchObject({ state: 'intact' });
    expect(readdirSync(after.archiveFolder).filter((name) => name.endsWith('.new'))).toEqual([]);
  });
});

test('a row that no archive holds cannot be deleted', async () => {
  const { store, audit } = await aged();
  await audit.archive();
  await expect(store.write((writer) => deleteArchived(writer, OLD_ROWS + 1, 10))).rejects.toMatchObject({
    code: 'SQLITE_CONSTRAINT_TRIGGER',
  });
});

test('a file of the same name that is not of this trail is left alone', async () => {
  const opened = await aged();
  await opened.archiver.writeSegment(0, 0); // makes nothing: no row is that old
  const other = await aged();
  await other.audit.archive();
  const theirs = readFileSync(join(other.archiveFolder, 'audit-000000000001.jsonl.gz'));
  await opened.archiver.writeSegment(opened.clock.now() - DAY_MS, 5);
  const path = join(opened.archiveFolder, 'audit-000000000001.jsonl.gz');
  writeFileSync(path, theirs);
  await expect(opened.audit.archive()).rejects.toMatchObject({ code: 'archive-unusable' });
  expect(readFileSync(path).equals(theirs)).toBe(true);
});

test('what is broken is not archived, so that no signature vouches for it', async () => {
  const { audit, store, archiveFolder } = await aged();
  await store.write(async (writer) => {
    const { sql } = await import('kysely');
    await sql`drop trigger audit_no_update`.execute(writer);
    await sql`update audit set actor = 'somebody else' where seq = 17`.execute(writer);
  });
  await expect(audit.archive()).rejects.toMatchObject({ code: 'audit-trail-broken' });
  expect(existsSync(join(archiveFolder, 'audit-000000000001.jsonl.gz'))).toBe(false);
});
