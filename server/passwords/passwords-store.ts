/** The passwords' table: one PHC string a user. */
import type { Reader, Writer } from '../store/store.ts';

export interface StoredPassword {
  readonly hash: string;
  readonly mustChange: boolean;
}

export async function selectPassword(
  db: Reader,
  userId: string,
): Promise<(StoredPassword & { readonly setAt: number }) | null> {
  const row = await db
    .selectFrom('passwords')
    .select(['hash', 'must_change', 'changed_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { hash: row.hash, mustChange: row.must_change === 1, setAt: row.changed_at };
}

export async function upsertPassword(
  writer: Writer,
  userId: string,
  { hash, mustChange }: StoredPassword,
  at: number,
): Promise<void> {
  const columns = { hash, must_change: mustChange ? 1 : 0, changed_at: at };
  await writer
    .insertInto('passwords')
    .values({ user_id: userId, ...columns })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(columns))
    .execute();
}

/** Replaces the hash alone, and only if it is still `former`: a password changed meanwhile stays changed. */
export async function replaceHash(
  writer: Writer,
  userId: string,
  former: string,
  hash: string,
): Promise<void> {
  await writer
    .updateTable('passwords')
    .set({ hash })
    .where('user_id', '=', userId)
    .where('hash', '=', former)
    .execute();
}
