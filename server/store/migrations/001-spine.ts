/** The first tables: users, passwords, apps, sessions, signing keys, links and the audit trail. */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('logout_time_in_min', 'integer')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('changed_at', 'bigint', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('passwords')
    .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id').onDelete('cascade'))
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('must_change', 'integer', (column) => column.notNull())
    .addColumn('changed_at', 'bigint', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('apps')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('key_hash', 'text', (column) => column.notNull())
    .addColumn('logout_time_in_min', 'integer', (column) => column.notNull())
    .addColumn('station', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('app_users')
    .addColumn('app_id', 'text', (column) => column.notNull().references('apps.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('data', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('app_users_pk', ['app_id', 'user_id'])
    .execute();

  await db.schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
    .addColumn('app_id', 'text', (column) => column.references('apps.id'))
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('idle_timeout_ms', 'bigint')
    .addColumn('active_at', 'bigint', (column) => column.notNull())
    .addColumn('door', 'text', (column) => column.notNull())
    .addColumn('address', 'text')
    .addColumn('cookie_hash', 'text')
    .addColumn('refresh_id', 'text')
    .addColumn('ended_at', 'bigint')
    .addColumn('end_reason', 'text')
    .execute();
  // The database itself holds the rule "one current user per app".
  await sql`create unique index sessions_one_per_app on sessions (app_id)
    where ended_at is null and app_id is not null`.execute(db);
  await sql`create index sessions_cookie on sessions (cookie_hash) where cookie_hash is not null`.execute(db);
  await sql`create index sessions_live on sessions (id) where ended_at is null`.execute(db);

  await db.schema
    .createTable('signing_keys')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('public_jwk', 'text', (column) => column.notNull())
    .addColumn('private_sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('signs_from', 'bigint', (column) => column.notNull())
    .addColumn('signs_until', 'bigint', (column) => column.notNull())
    .addColumn('verifies_until', 'bigint', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('links')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('connection', 'text', (column) => column.notNull())
    .addColumn('area', 'text', (column) => column.notNull())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('app_id', 'text', (column) => column.notNull().references('apps.id'))
    .addColumn('default_value', 'bigint', (column) => column.notNull())
    .addColumn('on_connect', 'text', (column) => column.notNull())
    .addColumn('allow_admin', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();

  await db.schema
    .createTable('audit')
    .addColumn('seq', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('subject', 'text')
    .addColumn('app', 'text')
    .addColumn('door', 'text', (column) => column.notNull())
    .addColumn('address', 'text')
    .addColumn('reason', 'text')
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute();
  // 21 CFR 11.10(e): an entry is never changed or obscured, not even by a defect of ours.
  await sql`create trigger audit_no_update before update on audit
    begin select raise(abort, 'the audit trail is append-only'); end`.execute(db);
  await sql`create trigger audit_no_delete before delete on audit
    begin select raise(abort, 'the audit trail is append-only'); end`.execute(db);
}
