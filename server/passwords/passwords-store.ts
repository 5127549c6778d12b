/** The passwords' tables: one PHC string a user, and those it replaced. */
import type { PasswordsTable } from '../store/schema.ts';
import type { Reader, Writer } from '../store/store.ts';

export interface StoredPassword {
  readonly hash: string;
  /** A one-time secret: the first sign-in must replace it. */
  readonly mustChange: boolean;
  readonly setAt: number;
  /** When a one-time secret ends; null: not by time. */
  readonly expiresAt: number | null;
}

function fromRow(row: Omit<PasswordsTable, 'user_id'>): StoredPassword {
  const { hash, must_change, changed_at, expires_at } = row;
  return { hash, mustChange: must_change === 1, setAt: changed_at, expiresAt: expires_at };
}

export async function selectPassword(db: Reader, userId: string): Promise<StoredPassword | null> {
  const row = await db
    .selectFrom('passwords')
    .select(['hash', 'must_change', 'changed_at', 'expires_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** The password of the user of that name: whoever signs in is looked for once. */
export async function selectPasswordOf(
  db: Reader,
  name: string,
): Promise<(StoredPassword & { readonly userId: string }) | null> {
  const row = await db
    .selectFrom('users')
    .innerJoin('passwords', 'passwords.user_id', 'users.id')
    .select(['user_id', 'hash', 'must_change', 'passwords.changed_at', 'expires_at'])
    .where('users.name', '=', name)
    .executeTakeFirst();
  return row === undefined ? null : { userId: row.user_id, ...fromRow(row) };
}

export async function upsertPassword(
  writer: Writer,
  userId: string,
  { hash, mustChange, setAt, expiresAt }: StoredPassword,
): Promise<void> {
  const columns = { hash, must_change: mustChange ? 1 : 0, changed_at: setAt, expires_at: expiresAt };
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

/** The hashes of the last `most` passwords that the user had before the present one, the newest first. */
export async function selectFormerHashes(db: Reader, userId: string, most: number): Promise<string[]> {
  const rows = await db
    .selectFrom('password_history')
    .select('hash')
    .where('user_id', '=', userId)
    .orderBy('seq', 'desc')
    .limit(most)
    .execute();
  return rows.map(({ hash }) => hash);
}

export async function insertFormerHash(
  writer: Writer,
  userId: string,
  hash: string,
  replacedAt: number,
): Promise<void> {
  await writer
    .insertInto('password_history')
    .values({ user_id: userId, hash, replaced_at: replacedAt })
    .execute();
}

/** Forgets all but the last `most` former passwords of the user. */
export async function pruneFormerHashes(writer: Writer, userId: string, most: number): Promise<void> {
  const newest = await writer
    .selectFrom('password_history')
    .select('seq')
    .where('user_id', '=', userId)
    .orderBy('seq', 'desc')
    .offset(most)
    .limit(1)
    .executeTakeFirst();
  if (newest === undefined) return;
  await writer
    .deleteFrom('password_history')
    .where('user_id', '=', userId)
    .where('seq', '<=', newest.seq)
    .execute();
}
