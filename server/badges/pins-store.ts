/** The PINs' table: one PHC string a user, and how many wrong ones came in a row. */
import type { Reader, Writer } from '../store/store.ts';

export interface StoredPin {
  readonly hash: string;
  readonly setAt: number;
}

export async function selectPin(db: Reader, userId: string): Promise<StoredPin | null> {
  const row = await db
    .selectFrom('pins')
    .select(['hash', 'changed_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row === undefined ? null : { hash: row.hash, setAt: row.changed_at };
}

/** The users of whose PIN the last tries were wrong, with how many. */
export async function selectFailures(db: Reader): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('pins')
    .select(['user_id', 'failures'])
    .where('failures', '>', 0)
    .execute();
  return new Map(rows.map(({ user_id, failures }) => [user_id, failures]));
}

export async function upsertPin(writer: Writer, userId: string, { hash, setAt }: StoredPin): Promise<void> {
  const columns = { hash, changed_at: setAt, failures: 0 };
  await writer
    .insertInto('pins')
    .values({ user_id: userId, ...columns })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(columns))
    .execute();
}

/** Replaces the hash alone, and only if it is still `former`: a PIN changed meanwhile stays changed. */
export async function replacePinHash(
  writer: Writer,
  userId: string,
  former: string,
  hash: string,
): Promise<void> {
  await writer
    .updateTable('pins')
    .set({ hash })
    .where('user_id', '=', userId)
    .where('hash', '=', former)
    .execute();
}

/** Counts so many more; answers how many there are, null where the user has no PIN any more. */
export async function addFailures(writer: Writer, userId: string, more: number): Promise<number | null> {
  const row = await writer
    .updateTable('pins')
    .set(({ eb }) => ({ failures: eb('failures', '+', more) }))
    .where('user_id', '=', userId)
    .returning('failures')
    .executeTakeFirst();
  return row?.failures ?? null;
}

export async function clearFailures(writer: Writer, userId: string): Promise<void> {
  await writer.updateTable('pins').set({ failures: 0 }).where('user_id', '=', userId).execute();
}

export async function deletePin(writer: Writer, userId: string): Promise<void> {
  await writer.deleteFrom('pins').where('user_id', '=', userId).execute();
}
