/** The emergency accounts' table: which users are sealed, and the hash of what their envelope holds. */
import type { Reader, Writer } from '../store/store.ts';

export interface EmergencyAccount {
  readonly userId: string;
  readonly username: string;
  readonly enabled: boolean;
  readonly sealedAt: number;
  readonly usedAt: number | null;
}

/** Puts `hash` in the place of the former one; notes when it was used, where it was. */
export async function upsertSecret(
  writer: Writer,
  userId: string,
  hash: string,
  at: number,
  isUse: boolean,
): Promise<void> {
  const columns = { secret_hash: hash, sealed_at: at, ...(isUse && { used_at: at }) };
  await writer
    .insertInto('emergency_accounts')
    .values({ user_id: userId, used_at: null, ...columns })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(columns))
    .execute();
}

export async function selectUserIdBySecret(db: Reader, hash: string): Promise<string | null> {
  const row = await db
    .selectFrom('emergency_accounts')
    .select('user_id')
    .where('secret_hash', '=', hash)
    .executeTakeFirst();
  return row?.user_id ?? null;
}

export async function isEmergencyUser(db: Reader, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom('emergency_accounts')
    .select('user_id')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function selectEmergencies(db: Reader): Promise<EmergencyAccount[]> {
  const rows = await db
    .selectFrom('emergency_accounts')
    .innerJoin('users', 'users.id', 'emergency_accounts.user_id')
    .select(['user_id', 'users.name', 'users.enabled', 'sealed_at', 'used_at'])
    .orderBy('users.name')
    .execute();
  return rows.map((row) => ({
    userId: row.user_id,
    username: row.name,
    enabled: row.enabled === 1,
    sealedAt: row.sealed_at,
    usedAt: row.used_at,
  }));
}
