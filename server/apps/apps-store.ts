/** The tables of apps and of who may use them. */
import type { Reader, Writer } from '../store/store.ts';
import type { AppsTable } from '../store/schema.ts';
import type { App, AppUser } from './app.ts';

function fromRow(row: AppsTable): App {
  return {
    id: row.id,
    name: row.name,
    logoutTimeInMin: row.logout_time_in_min,
    idleLimitInMin: row.idle_limit_in_min,
    station: row.station === 1,
  };
}

export interface KeyedApp {
  readonly app: App;
  readonly keyHash: string;
}

export async function insertApp(writer: Writer, { app, keyHash }: KeyedApp, at: number): Promise<void> {
  await writer
    .insertInto('apps')
    .values({
      id: app.id,
      name: app.name,
      key_hash: keyHash,
      logout_time_in_min: app.logoutTimeInMin,
      idle_limit_in_min: app.idleLimitInMin,
      station: app.station ? 1 : 0,
      created_at: at,
    })
    .execute();
}

export async function selectApps(db: Reader): Promise<KeyedApp[]> {
  const rows = await db.selectFrom('apps').selectAll().orderBy('name').execute();
  return rows.map((row) => ({ app: fromRow(row), keyHash: row.key_hash }));
}

export async function selectApp(db: Reader, id: string): Promise<KeyedApp | null> {
  const row = await db.selectFrom('apps').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : { app: fromRow(row), keyHash: row.key_hash };
}

/** Writes what may change of an app: its limits. */
export async function updateApp(writer: Writer, app: App): Promise<void> {
  await writer
    .updateTable('apps')
    .set({ logout_time_in_min: app.logoutTimeInMin, idle_limit_in_min: app.idleLimitInMin })
    .where('id', '=', app.id)
    .execute();
}

export async function upsertAppUser(writer: Writer, { appId, userId, data }: AppUser): Promise<void> {
  await writer
    .insertInto('app_users')
    .values({ app_id: appId, user_id: userId, data })
    .onConflict((conflict) => conflict.columns(['app_id', 'user_id']).doUpdateSet({ data }))
    .execute();
}

export async function selectAppUser(db: Reader, appId: string, userId: string): Promise<AppUser | null> {
  const row = await db
    .selectFrom('app_users')
    .select('data')
    .where('app_id', '=', appId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row === undefined ? null : { appId, userId, data: row.data };
}

export async function selectAppUsers(db: Reader, appId: string): Promise<AppUser[]> {
  const rows = await db
    .selectFrom('app_users')
    .select(['user_id', 'data'])
    .where('app_id', '=', appId)
    .orderBy('user_id')
    .execute();
  return rows.map((row) => ({ appId, userId: row.user_id, data: row.data }));
}
