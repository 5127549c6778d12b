/** The audit trail's tables: rows are added and read, never changed (the database refuses it). */
import { sql } from 'kysely';
import type { ChainContent, ChainHead, ChainRow } from '../store/chain.ts';
import type { AuditArchivesTable } from '../store/schema.ts';
import type { Reader, Store, Writer } from '../store/store.ts';
import type { AuditAction, AuditEntry, AuditRecord, DoorName } from './audit.ts';
import type { SealedKey } from './keys.ts';
import type { Archive, Checkpoint } from './signatures.ts';

/** Puts the row into the journal: it is numbered and chained when the operation is committed. */
export function appendEntry(store: Store, writer: Writer, at: number, record: AuditRecord): void {
  const { action, actor, subject = null, app = null, reason = null, detail = {} } = record;
  const row: ChainContent = {
    at,
    action,
    actor: actor.name.toWellFormed(),
    subject: subject?.toWellFormed() ?? null,
    app: app?.toWellFormed() ?? null,
    door: actor.door,
    address: actor.address?.toWellFormed() ?? null,
    reason: reason?.toWellFormed() ?? null,
    detail: JSON.stringify(detail),
  };
  store.journal.append(writer, row);
}

export async function readEntries(read: Reader, limit: number): Promise<AuditEntry[]> {
  const rows = await read.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit).execute();
  return rows.map(({ hash: _hash, ...row }) => ({
    ...row,
    action: row.action as AuditAction,
    door: row.door as DoorName,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  }));
}

/** What the tables say about the end of the trail. */
export interface TrailFacts {
  readonly head: ChainHead;
  readonly mac: Uint8Array;
  /** Where the rows, or the archives where there are none, end in fact. */
  readonly end: ChainHead;
  /** The oldest first. */
  readonly keys: readonly SealedKey[];
  readonly lastCheckpoint: Omit<Checkpoint, 'signature'> | null;
  readonly archives: number;
  /** The last row that an archive holds; 0: there is none. */
  readonly archivedTo: number;
}

export async function readFacts(read: Reader): Promise<TrailFacts> {
  const [heads, rows, keys, checkpoints, archives] = await Promise.all([
    read.selectFrom('audit_head').selectAll().execute(),
    read.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).execute(),
    read
      .selectFrom('audit_keys')
      .selectAll()
      .orderBy('created_at')
      .orderBy(sql`rowid`)
      .execute(),
    read.selectFrom('audit_checkpoints').selectAll().orderBy('seq', 'desc').limit(1).execute(),
    read.selectFrom('audit_archives').select(['last_seq', 'last_hash']).orderBy('last_seq', 'desc').execute(),
  ]);
  const [head, row, checkpoint, archive] = [heads[0], rows[0], checkpoints[0], archives[0]];
  return {
    head: { seq: head?.seq ?? 0, hash: hex(head?.hash ?? null) },
    mac: head?.mac ?? new Uint8Array(),
    end:
      row !== undefined
        ? { seq: row.seq, hash: hex(row.hash) }
        : { seq: archive?.last_seq ?? 0, hash: archive === undefined ? '' : hex(archive.last_hash) },
    keys: keys.map((key) => ({
      id: key.id,
      publicPem: key.public_pem,
      privateSealed: key.private_sealed,
      createdAt: key.created_at,
    })),
    lastCheckpoint:
      checkpoint === undefined
        ? null
        : { seq: checkpoint.seq, hash: hex(checkpoint.hash), at: checkpoint.at, keyId: checkpoint.key_id },
    archives: archives.length,
    archivedTo: archive?.last_seq ?? 0,
  };
}

function hex(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('hex');
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'hex');

export async function insertKey(writer: Writer, key: SealedKey): Promise<void> {
  const { id, publicPem, privateSealed, createdAt } = key;
  await writer
    .insertInto('audit_keys')
    .values({ id, public_pem: publicPem, private_sealed: privateSealed, created_at: createdAt })
    .execute();
}

/** Seals the end as it is; from then on the journal does it. */
export async function updateSeal(writer: Writer, mac: Uint8Array): Promise<void> {
  await writer.updateTable('audit_head').set({ mac }).execute();
}

export async function insertCheckpoint(writer: Writer, checkpoint: Checkpoint): Promise<void> {
  const { seq, hash, at, keyId, signature } = checkpoint;
  await writer
    .insertInto('audit_checkpoints')
    .values({ seq, hash: bytesOf(hash), at, key_id: keyId, signature })
    .execute();
}

/** The hash of a row, hex; null where there is no such row. */
export async function selectHash(read: Reader, seq: number): Promise<string | null> {
  const row = await read.selectFrom('audit').select('hash').where('seq', '=', seq).executeTakeFirst();
  return row === undefined ? null : hex(row.hash);
}

export async function insertArchive(writer: Writer, archive: Archive): Promise<void> {
  await writer
    .insertInto('audit_archives')
    .values({
      first_seq: archive.firstSeq,
      last_seq: archive.lastSeq,
      previous_hash: bytesOf(archive.previousHash),
      last_hash: bytesOf(archive.lastHash),
      entries: archive.entries,
      file: archive.file,
      digest: bytesOf(archive.digest),
      at: archive.at,
      key_id: archive.keyId,
      signature: archive.signature,
    } satisfies AuditArchivesTable)
    .execute();
}

/** Where the archives end: the row that the next one follows. */
export async function selectArchivedEnd(read: Reader): Promise<ChainHead | null> {
  const row = await read
    .selectFrom('audit_archives')
    .select(['last_seq', 'last_hash'])
    .orderBy('last_seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { seq: row.last_seq, hash: hex(row.last_hash) };
}

/** The first row after `seq` that happened at `at` or later; null where all are older. */
export async function selectFirstSince(read: Reader, seq: number, at: number): Promise<number | null> {
  const row = await read
    .selectFrom('audit')
    .select('seq')
    .where('seq', '>', seq)
    // In the order of the rows, from the oldest: it is found after those that are to be archived.
    .where(sql<number>`+at`, '>=', at)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return row?.seq ?? null;
}

/** The next rows after `seq` up to `last`, in their order. */
export async function selectRows(
  read: Reader,
  { after, last, limit }: { after: number; last: number; limit: number },
): Promise<(ChainRow & { readonly hash: string })[]> {
  const rows = await read
    .selectFrom('audit')
    .selectAll()
    .where('seq', '>', after)
    .where('seq', '<=', last)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, hash: hex(row.hash) }));
}

/** Deletes up to `limit` of the rows that archives hold; tells whether there were any. */
export async function deleteArchived(writer: Writer, archivedTo: number, limit: number): Promise<boolean> {
  const result = await writer
    .deleteFrom('audit')
    .where('seq', 'in', (from) =>
      from.selectFrom('audit').select('seq').where('seq', '<=', archivedTo).orderBy('seq').limit(limit),
    )
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
