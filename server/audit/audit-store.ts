/** The audit trail's table: rows are added and read, never changed (the database refuses it). */
import type { Reader, Writer } from '../store/store.ts';
import type { AuditAction, AuditEntry, AuditRecord, DoorName } from './audit.ts';

export async function appendEntry(writer: Writer, at: number, record: AuditRecord): Promise<void> {
  await writer
    .insertInto('audit')
    .values({
      at,
      action: record.action,
      actor: record.actor.name,
      subject: record.subject ?? null,
      app: record.app ?? null,
      door: record.actor.door,
      address: record.actor.address,
      reason: record.reason ?? null,
      detail: JSON.stringify(record.detail ?? {}),
    })
    .execute();
}

export async function readEntries(read: Reader, limit: number): Promise<AuditEntry[]> {
  const rows = await read.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit).execute();
  return rows.map((row) => ({
    ...row,
    action: row.action as AuditAction,
    door: row.door as DoorName,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
  }));
}
