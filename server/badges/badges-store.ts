/** The badges' table: whose each is, by a keyed hash of its number; what was revoked stays. */
import type { Reader, Writer } from '../store/store.ts';

/** Times are milliseconds since the epoch. */
export interface Badge {
  readonly id: string;
  readonly userName: string;
  readonly displayName: string;
  readonly label: string;
  readonly enrolledAt: number;
  readonly revokedAt: number | null;
}

export interface StoredBadge {
  readonly id: string;
  readonly userId: string;
  readonly label: string;
  readonly revokedAt: number | null;
}

export interface NewRow {
  readonly id: string;
  readonly userId: string;
  readonly numberHash: string;
  readonly label: string;
  readonly enrolledAt: number;
}

/** Violates a unique index where a badge with this number is in use. */
export async function insertBadge(writer: Writer, row: NewRow): Promise<void> {
  const { id, userId, numberHash, label, enrolledAt } = row;
  await writer
    .insertInto('badges')
    .values({
      ...{ id, user_id: userId, number_hash: numberHash, label },
      ...{ enrolled_at: enrolledAt, revoked_at: null },
    })
    .execute();
}

/** The badge with this number that is in use; where there is none, the one that was revoked last. */
export async function selectByNumber(db: Reader, numberHash: string): Promise<StoredBadge | null> {
  const row = await db
    .selectFrom('badges')
    .select(['id', 'user_id', 'label', 'revoked_at'])
    .where('number_hash', '=', numberHash)
    .orderBy(({ fn, val }) => fn.coalesce('revoked_at', val(Number.MAX_SAFE_INTEGER)), 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

export async function selectBadge(db: Reader, id: string): Promise<StoredBadge | null> {
  const row = await db
    .selectFrom('badges')
    .select(['id', 'user_id', 'label', 'revoked_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

export async function markRevoked(writer: Writer, id: string, at: number): Promise<void> {
  await writer.updateTable('badges').set({ revoked_at: at }).where('id', '=', id).execute();
}

/** All of them, by the names of their users, the newest of each first. */
export async function selectBadges(db: Reader): Promise<Badge[]> {
  const rows = await db
    .selectFrom('badges')
    .innerJoin('users', 'users.id', 'badges.user_id')
    .select(['badges.id', 'users.name', 'users.display_name', 'label', 'enrolled_at', 'revoked_at'])
    .orderBy('users.name')
    .orderBy('enrolled_at', 'desc')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    userName: row.name,
    displayName: row.display_name,
    label: row.label,
    enrolledAt: row.enrolled_at,
    revokedAt: row.revoked_at,
  }));
}

function fromRow(row: {
  id: string;
  user_id: string;
  label: string;
  revoked_at: number | null;
}): StoredBadge {
  return { id: row.id, userId: row.user_id, label: row.label, revokedAt: row.revoked_at };
}
