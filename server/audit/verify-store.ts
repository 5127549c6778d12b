/** The trail as the verification reads it: the database as of one moment, read only and synchronously, beside the host. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { ChainHead } from '../store/chain.ts';
import { readSegment } from './segment.ts';
import type { Archive, Checkpoint } from './signatures.ts';
import type { ChainedRow, TrailSource } from './verify.ts';

export interface OpenTrail extends TrailSource {
  /** PEM of the keys that the database itself names: good for nothing against someone who can write to it. */
  publicPem(): string;
  /** The number of rows there are to check. */
  total(): number;
  close(): void;
}

/** So many rows are fetched at once. */
const PAGE = 2000;
/** Before any row. */
const FIRST = Number.MIN_SAFE_INTEGER;

type RowValues = [
  seq: number,
  at: number,
  action: string,
  actor: string,
  subject: string | null,
  app: string | null,
  door: string,
  address: string | null,
  reason: string | null,
  detail: string,
  hash: Buffer | null,
];

/** Opens the database at `file`; throws what better-sqlite3 throws where that is none, or one without a chain. */
export function openTrail(file: string, archiveFolder: string): OpenTrail {
  const database = new Database(file, { readonly: true, fileMustExist: true });
  try {
    // One moment for all that is read: rows that the host archives meanwhile do not vanish half-way.
    database.exec('begin');
    database.prepare('select seq from audit_head').get();
  } catch (error) {
    database.close();
    throw error;
  }

  function* rows(): Generator<ChainedRow> {
    const page = database
      .prepare<[number], RowValues>(
        `select seq, at, action, actor, subject, app, door, address, reason, detail, hash
         from audit where seq > ? order by seq limit ${PAGE}`,
      )
      .raw(true);
    let after = FIRST;
    for (;;) {
      const found = page.all(after);
      for (const values of found) yield toRow(values);
      if (found.length < PAGE) return;
      after = found[PAGE - 1]?.[0] ?? after;
    }
  }

  return {
    rows,
    *checkpoints() {
      // In pages, as the rows: a query half-way through would keep the database from being closed.
      const page = database.prepare<[number], CheckpointValues>(
        `select * from audit_checkpoints where seq > ? order by seq limit ${PAGE}`,
      );
      for (let found = page.all(FIRST); found.length > 0; found = page.all(found.at(-1)?.seq ?? FIRST)) {
        for (const { seq, hash, at, key_id: keyId, signature } of found) {
          yield { seq, hash: hash.toString('hex'), at, keyId, signature } satisfies Checkpoint;
        }
      }
    },
    archives: () =>
      database
        .prepare<[], ArchiveValues>('select * from audit_archives order by last_seq')
        .all()
        .map(toArchive),
    openArchive: (archive) => readSegment(join(archiveFolder, archive.file), archive),
    head() {
      const { seq, hash, mac } = database
        .prepare<[], { seq: number; hash: Buffer; mac: Buffer }>('select seq, hash, mac from audit_head')
        .get() ?? { seq: 0, hash: Buffer.alloc(0), mac: Buffer.alloc(0) };
      return { seq, hash: hash.toString('hex'), mac } satisfies ChainHead & { mac: Uint8Array };
    },
    publicPem: () =>
      database.prepare<[], string>('select public_pem from audit_keys').pluck().all().join('\n'),
    total: () => database.prepare<[], number>('select coalesce(max(seq), 0) from audit').pluck().get() ?? 0,
    close: () => void database.close(),
  };
}

function toRow(values: RowValues): ChainedRow {
  const [seq, at, action, actor, subject, app, door, address, reason, detail, hash] = values;
  const hex = hash === null ? null : Buffer.isBuffer(hash) ? hash.toString('hex') : String(hash);
  return { seq, at, action, actor, subject, app, door, address, reason, detail, hash: hex };
}

interface CheckpointValues {
  readonly seq: number;
  readonly hash: Buffer;
  readonly at: number;
  readonly key_id: string;
  readonly signature: Buffer;
}

interface ArchiveValues {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly previous_hash: Buffer;
  readonly last_hash: Buffer;
  readonly entries: number;
  readonly file: string;
  readonly digest: Buffer;
  readonly at: number;
  readonly key_id: string;
  readonly signature: Buffer;
}

function toArchive(values: ArchiveValues): Archive {
  return {
    firstSeq: values.first_seq,
    lastSeq: values.last_seq,
    previousHash: values.previous_hash.toString('hex'),
    lastHash: values.last_hash.toString('hex'),
    entries: values.entries,
    file: values.file,
    digest: values.digest.toString('hex'),
    at: values.at,
    keyId: values.key_id,
    signature: values.signature,
  };
}
