/** The sessions' table. */
import type { DoorName } from '../audit/audit.ts';
import type { Reader, Writer } from '../store/store.ts';
import type { UserType } from '../users/user.ts';
import type { EndReason, Session, SessionKind } from './session.ts';

/** A session with what its doors present: kept beside it, never shown. */
export interface StoredSession {
  readonly session: Session;
  readonly idleTimeoutMs: number | null;
  readonly activeAt: number;
  readonly cookieHash: string | null;
  readonly refreshId: string | null;
}

export async function insertSession(
  writer: Writer,
  { session, idleTimeoutMs, activeAt, cookieHash, refreshId }: StoredSession,
): Promise<void> {
  await writer
    .insertInto('sessions')
    .values({
      id: session.id,
      kind: session.kind,
      user_id: session.user.id,
      app_id: session.app?.id ?? null,
      role: session.role,
      opened_at: session.openedAt,
      expires_at: session.expiresAt,
      idle_timeout_ms: idleTimeoutMs,
      active_at: activeAt,
      door: session.origin.door,
      address: session.origin.address,
      emergency_reason: session.emergencyReason,
      cookie_hash: cookieHash,
      refresh_id: refreshId,
      ended_at: null,
      end_reason: null,
    })
    .execute();
}

/** Marks the session ended; false where it had ended before. */
export async function markEnded(writer: Writer, id: string, reason: EndReason, at: number): Promise<boolean> {
  const result = await writer
    .updateTable('sessions')
    .set({ ended_at: at, end_reason: reason })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Why the session of a cookie ended; null where no session had it, or it is live. */
export async function selectEnding(db: Reader, cookieHash: string): Promise<EndReason | null> {
  const row = await db
    .selectFrom('sessions')
    .select('end_reason')
    .where('cookie_hash', '=', cookieHash)
    .executeTakeFirst();
  return (row?.end_reason ?? null) as EndReason | null;
}

/** Whether a session, live or ended, has had this cookie. */
export async function isKnownCookie(db: Reader, cookieHash: string): Promise<boolean> {
  const row = await db
    .selectFrom('sessions')
    .select('id')
    .where('cookie_hash', '=', cookieHash)
    .executeTakeFirst();
  return row !== undefined;
}

export async function updateActivity(writer: Writer, id: string, activeAt: number): Promise<void> {
  await writer.updateTable('sessions').set({ active_at: activeAt }).where('id', '=', id).execute();
}

/** Puts the next refresh token in the place of `former`; false where that is not the newest any more. */
export async function rotateRefreshId(
  writer: Writer,
  id: string,
  rotation: { former: string; next: string; expiresAt: number },
): Promise<boolean> {
  const result = await writer
    .updateTable('sessions')
    .set({ refresh_id: rotation.next, expires_at: rotation.expiresAt })
    .where('id', '=', id)
    .where('refresh_id', '=', rotation.former)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Those that have not ended, oldest first; all of them, or those of one app or one user. */
export async function selectLive(
  db: Reader,
  of: { appId?: string; userId?: string } = {},
): Promise<StoredSession[]> {
  let query = db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .leftJoin('apps', 'apps.id', 'sessions.app_id')
    .selectAll('sessions')
    .select(['users.name as user_name', 'users.display_name', 'users.type', 'apps.name as app_name'])
    .where('sessions.ended_at', 'is', null)
    .orderBy('sessions.opened_at');
  if (of.appId !== undefined) query = query.where('sessions.app_id', '=', of.appId);
  if (of.userId !== undefined) query = query.where('sessions.user_id', '=', of.userId);
  const rows = await query.execute();
  return rows.map((row) => ({
    session: {
      id: row.id,
      kind: row.kind as SessionKind,
      user: {
        id: row.user_id,
        name: row.user_name,
        displayName: row.display_name,
        type: row.type as UserType,
      },
      app: row.app_id === null ? null : { id: row.app_id, name: row.app_name ?? '' },
      role: row.app_id === null ? row.type : row.role,
      openedAt: row.opened_at,
      expiresAt: row.expires_at,
      origin: { door: row.door as DoorName, address: row.address },
      emergencyReason: row.emergency_reason,
    },
    idleTimeoutMs: row.idle_timeout_ms,
    activeAt: row.active_at,
    cookieHash: row.cookie_hash,
    refreshId: row.refresh_id,
  }));
}

/** When each user last signed in: one step into an index for each, however many sessions there have been. */
export async function selectLastSignIns(db: Reader): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('users')
    .select((users) => [
      'users.id',
      users
        .selectFrom('sessions')
        .select(({ fn }) => fn.max('opened_at').as('at'))
        .whereRef('sessions.user_id', '=', 'users.id')
        .as('at'),
    ])
    .execute();
  return new Map(rows.flatMap(({ id, at }) => (at === null ? [] : [[id, at] as const])));
}
