/** What else a link keeps in its PLC, and the request that it serves. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ['life_bit', 'user_name', 'sign_in_time', 'request', 'acknowledge']) {
    await db.schema.alterTable('links').addColumn(column, 'text').execute();
  }
  await db.schema.alterTable('links').addColumn('request_taken', 'integer').execute();
}
