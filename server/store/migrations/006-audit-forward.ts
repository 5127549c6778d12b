/** How far the trail has been copied off the machine, and where in it the clock was set back. */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('audit_cursors')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('audit_seams')
    .addColumn('seq', 'integer', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('at_before', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into audit_seams select seq, at, at_before
    from (select seq, at, lag(at) over (order by seq) as at_before from audit) where at < at_before`.execute(
    db,
  );
}
