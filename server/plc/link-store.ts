/** The links' table. */
import type { LinksTable } from '../store/schema.ts';
import type { Reader, Writer } from '../store/store.ts';
import type { LinkDefinition } from './link-definition.ts';

/** A link as it is kept, and the request that it had taken on. */
export interface StoredLink {
  readonly definition: LinkDefinition;
  readonly requestTaken: number | null;
}

export async function insertLink(writer: Writer, link: LinkDefinition, at: number): Promise<void> {
  await writer
    .insertInto('links')
    .values({ id: link.id, ...columnsOf(link), created_at: at, request_taken: null })
    .execute();
}

export async function updateLink(writer: Writer, link: LinkDefinition): Promise<void> {
  await writer.updateTable('links').set(columnsOf(link)).where('id', '=', link.id).execute();
}

export async function deleteLink(writer: Writer, id: string): Promise<void> {
  await writer.deleteFrom('links').where('id', '=', id).execute();
}

/** Notes the value of the request that the link has taken on; null: none. */
export async function updateRequestTaken(writer: Writer, id: string, value: number | null): Promise<void> {
  await writer.updateTable('links').set({ request_taken: value }).where('id', '=', id).execute();
}

/** All links in the order in which they were added. */
export async function selectLinks(db: Reader): Promise<StoredLink[]> {
  const rows = await db.selectFrom('links').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map((row) => ({
    definition: {
      id: row.id,
      connection: row.connection,
      area: row.area,
      address: row.address,
      appId: row.app_id,
      defaultValue: row.default_value,
      onConnect: row.on_connect as LinkDefinition['onConnect'],
      allowAdmin: row.allow_admin === 1,
      lifeBit: row.life_bit,
      userName: row.user_name,
      signInTime: row.sign_in_time,
      request: row.request,
      acknowledge: row.acknowledge,
    },
    requestTaken: row.request_taken,
  }));
}

function columnsOf(link: LinkDefinition): Omit<LinksTable, 'id' | 'created_at' | 'request_taken'> {
  return {
    connection: link.connection,
    area: link.area,
    address: link.address,
    app_id: link.appId,
    default_value: link.defaultValue,
    on_connect: link.onConnect,
    allow_admin: link.allowAdmin ? 1 : 0,
    life_bit: link.lifeBit,
    user_name: link.userName,
    sign_in_time: link.signInTime,
    request: link.request,
    acknowledge: link.acknowledge,
  };
}
