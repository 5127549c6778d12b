/** The users' table. */
import type { Reader, Writer } from '../store/store.ts';
import type { UsersTable } from '../store/schema.ts';
import type { User, UserType } from './user.ts';

function fromRow(row: UsersTable): User {
  return {
    id: row.id,
    name: row.name,
    displayName: row.display_name,
    type: row.type as UserType,
    enabled: row.enabled === 1,
    logoutTimeInMin: row.logout_time_in_min,
  };
}

function toColumns(user: User): Omit<UsersTable, 'id' | 'created_at' | 'changed_at'> {
  return {
    name: user.name,
    display_name: user.displayName,
    type: user.type,
    enabled: user.enabled ? 1 : 0,
    logout_time_in_min: user.logoutTimeInMin,
  };
}

export async function insertUser(writer: Writer, user: User, at: number): Promise<void> {
  await writer
    .insertInto('users')
    .values({ id: user.id, ...toColumns(user), created_at: at, changed_at: at })
    .execute();
}

export async function updateUser(writer: Writer, user: User, at: number): Promise<void> {
  await writer
    .updateTable('users')
    .set({ ...toColumns(user), changed_at: at })
    .where('id', '=', user.id)
    .execute();
}

export async function selectUser(db: Reader, by: 'id' | 'name', value: string): Promise<User | null> {
  const row = await db.selectFrom('users').selectAll().where(by, '=', value).executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

export async function selectUsers(db: Reader): Promise<User[]> {
  const rows = await db.selectFrom('users').selectAll().orderBy('name').execute();
  return rows.map(fromRow);
}
