import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newTrail, SECRETS, temporaryFolder, type Trail } from '../../test/trail.ts';
import { chainHash, type ChainRow } from '../store/chain.ts';
import { deriveKeys } from './keys.ts';
import { KEY_FILE } from './signatures.ts';
import { runVerification } from './verify-run.ts';
import type { Verdict } from './verify.ts';

/** A trail of an archive, then rows with checkpoints between them, and some after the last of these. */
let original: Trail;
beforeAll(async () => {
  original = await newTrail();
});

type Row = ChainRow & { hash: Buffer };

/** A copy of the trail in the hands of somebody who can write to its files. */
function steal(): { folder: string; db: Database.Database; archive: string } {
  const folder = temporaryFolder();
  cpSync(original.folder, folder, { recursive: true });
  const db = new Database(join(folder, 'keyswitch.db'));
  onTestFinished(() => void db.close());
  for (const { name } of db.prepare(`select name from sqlite_master where type = 'trigger'`).all() as {
    name: string;
  }[]) {
    db.exec(`drop trigger ${name}`);
  }
  return { folder, db, archive: join(folder, 'audit-archive', original.archiveFile) };
}

function verify(folder: string, sealKey: Uint8Array | null = deriveKeys(SECRETS.secretPwdKey).seal): Verdict {
  return runVerification({
    file: join(folder, 'keyswitch.db'),
    archiveFolder: join(folder, 'audit-archive'),
    keys: readFileSync(join(folder, KEY_FILE), 'utf8'),
    sealKey,
    expected: null,
  });
}

const rowsOf = (db: Database.Database): Row[] =>
  db.prepare('select * from audit order by seq').all() as Row[];

/** Computes the hashes anew from row `from` on, as anyone can, and puts the end to match. */
function rehash(db: Database.Database, from: number): void {
  const rows = rowsOf(db);
  let previous = rows.find(({ seq }) => seq === from - 1)?.hash.toString('hex') ?? original.archivedHash;
  for (const row of rows.filter(({ seq }) => seq >= from)) {
    previous = chainHash(previous, row);
    db.prepare('update audit set hash = ? where seq = ?').run(Buffer.from(previous, 'hex'), row.seq);
  }
  const last = rowsOf(db).at(-1);
  db.prepare('update audit_head set seq = ?, hash = ?').run(last?.seq, Buffer.from(previous, 'hex'));
}

const COLUMNS = ['at', 'action', 'actor', 'subject', 'app', 'door', 'address', 'reason', 'detail', 'hash'];

/** A change of one thing, done to the database, and what is to be said of it. */
interface Attack {
  readonly name: string;
  apply(db: Database.Database, archive: string): { seq: number; problem: string };
}

const inTable = (): fc.Arbitrary<number> => fc.integer({ min: original.first, max: original.last });
const provenBefore = (seq: number): number =>
  original.checkpoints.filter((checkpoint) => checkpoint < seq).at(-1) ?? 0;

function attacks(): fc.Arbitrary<Attack> {
  const { first, last, checkpoints } = original;
  const edit = fc.tuple(inTable(), fc.constantFrom(...COLUMNS)).map(([seq, column]): Attack => ({
    name: `${column} of row ${seq} is changed`,
    apply(db) {
      const value = column === 'at' ? 1 : column === 'hash' ? Buffer.alloc(32) : 'something else';
      db.prepare(`update audit set ${column} = ? where seq = ?`).run(value, seq);
      return { seq, problem: 'edited' };
    },
  }));
  const remove = inTable().map((seq): Attack => ({
    name: `row ${seq} is removed`,
    apply(db) {
      db.prepare('delete from audit where seq = ?').run(seq);
      return { seq, problem: seq === last ? 'cut-off' : 'missing' };
    },
  }));
  const move = inTable().map((seq): Attack => ({
    name: `row ${seq} is put at the end`,
    apply(db) {
      db.prepare('update audit set seq = ? where seq = ?').run(last + 5, seq);
      return { seq, problem: 'reordered' };
    },
  }));
  const swap = fc
    .tuple(inTable(), inTable())
    .filter(([a, b]) => a !== b)
    .map(([a, b]): Attack => ({
      name: `rows ${a} and ${b} change places`,
      apply(db) {
        const set = db.prepare('update audit set seq = ? where seq = ?');
        set.run(-1, a);
        set.run(a, b);
        set.run(b, -1);
        return { seq: Math.min(a, b), problem: 'reordered' };
      },
    }));
  const insert = fc.tuple(inTable(), inTable()).map(([seq, model]): Attack => ({
    name: `a copy of row ${model} is put before row ${seq}`,
    apply(db) {
      const copy = rowsOf(db).find((row) => row.seq === model) as Row;
      db.prepare('update audit set seq = -seq where seq >= ?').run(seq);
      db.prepare('update audit set seq = 1 - seq where seq < 0').run();
      put(db, { ...copy, seq, actor: 'an intruder' });
      return { seq, problem: 'inserted' };
    },
  }));
  const append = inTable().map((model): Attack => ({
    name: `row ${model} is appended once more, with the right hash`,
    apply(db) {
      const rows = rowsOf(db);
      const copy = { ...(rows.find((row) => row.seq === model) as Row), seq: last + 1 };
      const hash = chainHash((rows.at(-1) as Row).hash.toString('hex'), copy);
      put(db, { ...copy, hash: Buffer.from(hash, 'hex') });
      return { seq: last + 1, problem: 'added-at-the-end' };
    },
  }));
  const before = fc.constant<Attack>({
    name: 'a row is added before the first',
    apply(db) {
      put(db, { ...(rowsOf(db)[0] as Row), seq: 0 });
      return { seq: 0, problem: 'inserted' };
    },
  });
  const rehashed = inTable().map((seq): Attack => ({
    name: `row ${seq} is changed and all hashes after it are computed anew`,
    apply(db) {
      db.prepare(`update audit set actor = 'somebody else' where seq = ?`).run(seq);
      rehash(db, seq);
      const isBeforeCheckpoint = checkpoints.some((checkpoint) => checkpoint >= seq);
      return { seq: provenBefore(seq) + 1, problem: isBeforeCheckpoint ? 're-hashed' : 'seal-broken' };
    },
  }));
  const cut = inTable().map((seq): Attack => ({
    name: `the trail ends before row ${seq}, and so says the end`,
    apply(db) {
      db.prepare('delete from audit where seq >= ?').run(seq);
      if (seq > first) rehash(db, seq - 1);
      else db.prepare('update audit_head set seq = ?').run(seq - 1);
      const isBeforeCheckpoint = checkpoints.some((checkpoint) => checkpoint >= seq);
      if (isBeforeCheckpoint) return { seq, problem: 'cut-off' };
      return { seq: Math.min(provenBefore(seq) + 1, seq - 1), problem: 'seal-broken' };
    },
  }));
  const forge = fc
    .tuple(fc.constantFrom(...checkpoints), fc.constantFrom('hash', 'at', 'key_id', 'signature'))
    .map(([seq, column]): Attack => ({
      name: `${column} of the checkpoint of row ${seq} is changed`,
      apply(db) {
        db.pragma('foreign_keys = off');
        const value = column === 'at' ? 1 : column === 'key_id' ? 'another' : Buffer.alloc(64);
        db.prepare(`update audit_checkpoints set ${column} = ? where seq = ?`).run(value, seq);
        return { seq, problem: 'checkpoint-forged' };
      },
    }));
  const archived = fc
    .tuple(fc.integer({ min: 1, max: first - 1 }), fc.constantFrom(...COLUMNS))
    .map(([seq, column]): Attack => ({
      name: `${column} of row ${seq} in the archive is changed`,
      apply(_db, archive) {
        const lines = gunzipSync(readFileSync(archive)).toString().split('\n');
        const row = JSON.parse(lines[seq - 1] as string) as Record<string, unknown>;
        lines[seq - 1] = JSON.stringify({ ...row, [column]: column === 'at' ? 1 : 'something else' });
        writeFileSync(archive, gzipSync(lines.join('\n')));
        return { seq, problem: 'edited' };
      },
    }));
  return fc.oneof(edit, remove, move, swap, insert, append, before, rehashed, cut, forge, archived);
}

function put(db: Database.Database, row: Row): void {
  const names = ['seq', ...COLUMNS];
  db.prepare(`insert into audit (${names.join()}) values (${names.map((name) => `@${name}`).join()})`).run(
    row,
  );
}

test('a trail that nobody touched is intact, across its archive and to its sealed end', () => {
  const { folder } = steal();
  expect(verify(folder)).toEqual({
    breach: null,
    checked: original.last,
    archived: original.first - 1,
    lastSeq: original.last,
    checkpoints: original.checkpoints.length,
    lastCheckpoint: expect.objectContaining({ seq: original.checkpoints.at(-1) }) as unknown,
    isEndSealed: true,
  });
});

test('whatever single thing is changed, it is found, and the first row that is wrong is named', () => {
  fc.assert(
    fc.property(attacks(), (attack) => {
      const { folder, db, archive } = steal();
      const expected = attack.apply(db, archive);
      expect({ attack: attack.name, ...verify(folder).breach }).toMatchObject({
        attack: attack.name,
        ...expected,
      });
      db.close();
      rmSync(folder, { recursive: true });
    }),
    { numRuns: 200 },
  );
});

describe('an archive', () => {
  const FAULTS: [string, (archive: string) => void, { seq: number; problem: string }][] = [
    ['that is not there', (archive) => rmSync(archive), { seq: 1, problem: 'archive-missing' }],
    ['that is empty', (archive) => writeFileSync(archive, ''), { seq: 1, problem: 'archive-changed' }],
    [
      'whose last line is another',
      (archive) => {
        const lines = gunzipSync(readFileSync(archive)).toString().split('\n');
        lines[lines.length - 2] = '{}';
        writeFileSync(archive, gzipSync(lines.join('\n')));
      },
      { seq: 1, problem: 'archive-changed' },
    ],
    [
      'with a line that is not JSON',
      (archive) => {
        const lines = gunzipSync(readFileSync(archive)).toString().split('\n');
        lines[2] = 'null';
        writeFileSync(archive, gzipSync(lines.join('\n')));
      },
      { seq: 3, problem: 'archive-changed' },
    ],
  ];
  test.each(FAULTS)('%s is named by the first row that is lost with it', (_name, spoil, expected) => {
    const { folder, archive } = steal();
    spoil(archive);
    expect(verify(folder).breach).toMatchObject(expected);
  });

  test('of which a byte is another is named by one of its rows', () => {
    const bytes = readFileSync(join(original.folder, 'audit-archive', original.archiveFile));
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, by) => {
          const { folder, archive, db } = steal();
          const spoilt = Buffer.from(bytes);
          spoilt[at] = (spoilt[at] as number) ^ by;
          writeFileSync(archive, spoilt);
          const { breach } = verify(folder);
          db.close();
          // Some bytes of a gzip header mean nothing to what is in it.
          const isSame = readable(spoilt) === readable(bytes);
          expect(breach === null).toBe(isSame);
          if (breach !== null) expect(breach.seq).toBeLessThan(original.first);
          rmSync(folder, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  });

  function readable(bytes: Buffer): string | null {
    try {
      return gunzipSync(bytes).toString();
    } catch {
      return null;
    }
  }

  test('that the table no longer knows leaves its rows missing', () => {
    const { folder, db } = steal();
    db.exec('delete from audit_archives');
    expect(verify(folder).breach).toMatchObject({ seq: 1, problem: 'missing' });
  });

  test('holds the rows that are still in the table too, or they are found', () => {
    const { folder, db, archive } = steal();
    const lines = gunzipSync(readFileSync(archive)).toString().split('\n');
    const row = JSON.parse(lines[4] as string) as ChainRow & { hash: string };
    put(db, { ...row, hash: Buffer.from(row.hash, 'hex') });
    expect(verify(folder).breach).toBeNull();
    db.prepare(`update audit set subject = 'somebody else' where seq = 5`).run();
    expect(verify(folder).breach).toMatchObject({ seq: 5, problem: 'edited' });
  });
});

test('without the seal the end is not proven, and that is said', () => {
  const { folder, db } = steal();
  db.prepare('update audit_head set mac = zeroblob(32)').run();
  expect(verify(folder, null)).toMatchObject({ breach: null, isEndSealed: false });
  expect(verify(folder).breach).toMatchObject({ problem: 'seal-broken' });
});

test('a key that the database brings along does not count', () => {
  const { folder } = steal();
  const other = temporaryFolder();
  mkdirSync(join(other, 'sub'));
  copyFileSync(join(folder, 'keyswitch.db'), join(other, 'keyswitch.db'));
  const verdict = runVerification({
    file: join(folder, 'keyswitch.db'),
    archiveFolder: join(folder, 'audit-archive'),
    keys: '',
    sealKey: null,
    expected: null,
  });
  expect(verdict.breach).toMatchObject({ problem: 'archive-changed' });
});

test.each([
  ['agrees with a checkpoint that was noted elsewhere', 0, null],
  ['is broken where it does not', 1, 'not-as-expected'],
])('a trail %s', (_name, off, problem) => {
  const { folder } = steal();
  const row = rowsOf(new Database(join(folder, 'keyswitch.db'))).at(-1 - off) as Row;
  const { breach } = runVerification({
    file: join(folder, 'keyswitch.db'),
    archiveFolder: join(folder, 'audit-archive'),
    keys: readFileSync(join(folder, KEY_FILE), 'utf8'),
    sealKey: null,
    expected: { seq: original.last, hash: row.hash.toString('hex') },
  });
  expect(breach?.problem ?? null).toBe(problem);
});
