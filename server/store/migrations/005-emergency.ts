/** Emergency accounts, why one was used, and who signed in when. */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('emergency_accounts')
    .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('sealed_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .execute();
  await db.schema.alterTable('sessions').addColumn('emergency_reason', 'text').execute();
  // For "last signed in": one step into the index for each user, however many sessions there have been.
  await sql`create index sessions_of_user on sessions (user_id, opened_at)`.execute(db);
}
