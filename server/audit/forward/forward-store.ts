/** What is to be copied off the machine, in the order of the trail, and how far each target has it. */
import { sql } from 'kysely';
import type { Reader, Writer } from '../../store/store.ts';

/** An entry as it stands in the table. */
export interface ForwardEntry {
  readonly seq: number;
  readonly at: number;
  readonly action: string;
  readonly actor: string;
  readonly subject: string | null;
  readonly app: string | null;
  readonly door: string;
  readonly address: string | null;
  readonly reason: string | null;
  /** JSON, as text. */
  readonly detail: string;
  /** Hex. */
  readonly hash: string;
}

/** The signature over all entries up to `seq`. */
export interface ForwardCheckpoint {
  readonly seq: number;
  readonly at: number;
  readonly keyId: string;
  /** Of entry `seq`, hex. */
  readonly hash: string;
  /** Base64. */
  readonly signature: string;
}

/** How far a target has the trail: the last entry, and the last checkpoint by the entry it signs. */
export interface Cursor {
  readonly entry: number;
  readonly checkpoint: number;
}

const checkpointsOf = (target: string): string => `${target} checkpoints`;

export async function selectCursor(db: Reader, target: string): Promise<Cursor> {
  const names = [target, checkpointsOf(target)];
  const rows = await db.selectFrom('audit_cursors').selectAll().where('name', 'in', names).execute();
  const seqOf = (name: string): number => rows.find((row) => row.name === name)?.seq ?? 0;
  return { entry: seqOf(target), checkpoint: seqOf(checkpointsOf(target)) };
}

export async function saveCursor(
  writer: Writer,
  target: string,
  { entry, checkpoint }: Cursor,
): Promise<void> {
  const rows = [
    { name: target, seq: entry },
    { name: checkpointsOf(target), seq: checkpoint },
  ];
  for (const row of rows) {
    await writer
      .insertInto('audit_cursors')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ seq: row.seq }))
      .execute();
  }
}

export async function selectEntriesAfter(db: Reader, seq: number, limit: number): Promise<ForwardEntry[]> {
  const { rows } = await sql<ForwardEntry & { hash: Uint8Array | null }>`
    select seq, at, action, actor, subject, app, door, address, reason, detail, hash
    from audit where seq > ${seq} order by seq limit ${limit}`.execute(db);
  return rows.map((row) => ({ ...row, hash: hexOf(row.hash) }));
}

/** The checkpoints of entries after `seq`, up to entry `upTo`. */
export async function selectCheckpoints(db: Reader, seq: number, upTo: number): Promise<ForwardCheckpoint[]> {
  const rows = await db
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('seq', '>', seq)
    .where('seq', '<=', upTo)
    .orderBy('seq')
    .execute();
  return rows.map(({ seq: of, at, key_id: keyId, hash, signature }) => ({
    ...{ seq: of, at, keyId, hash: hexOf(hash) },
    signature: Buffer.from(signature).toString('base64'),
  }));
}

function hexOf(hash: Uint8Array | null): string {
  return Buffer.from(hash ?? []).toString('hex');
}
