/** The links' table. */
import type { Reader, Writer } from '../store/store.ts';
import type { LinkDefinition } from './link.ts';

export async function insertLink(writer: Writer, link: LinkDefinition, at: number): Promise<void> {
  await writer
    .insertInto('links')
    .values({
      id: link.id,
      connection: link.connection,
      area: link.area,
      address: link.address,
      app_id: link.appId,
      default_value: link.defaultValue,
      on_connect: link.onConnect,
      allow_admin: link.allowAdmin ? 1 : 0,
      created_at: at,
    })
    .execute();
}

export async function selectLinks(db: Reader): Promise<LinkDefinition[]> {
  const rows = await db.selectFrom('links').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    connection: row.connection,
    area: row.area,
    address: row.address,
    appId: row.app_id,
    defaultValue: row.default_value,
    onConnect: row.on_connect as LinkDefinition['onConnect'],
    allowAdmin: row.allow_admin === 1,
  }));
}
