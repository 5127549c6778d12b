/** The signing keys' table. */
import type { Reader, Writer } from '../store/store.ts';
import type { SigningKeysTable } from '../store/schema.ts';

export type SigningKeyRow = SigningKeysTable;

export async function insertKey(writer: Writer, row: SigningKeyRow): Promise<void> {
  await writer.insertInto('signing_keys').values(row).execute();
}

export function selectKeysThatVerify(db: Reader, at: number): Promise<SigningKeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .selectAll()
    .where('verifies_until', '>', at)
    .orderBy('signs_from')
    .execute();
}
