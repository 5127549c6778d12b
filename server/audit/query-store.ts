/** The trail's table as the page reads it: every query here walks an index, and looks at a bounded number of entries. */
import { sql, type RawBuilder } from 'kysely';
import type { Reader } from '../store/store.ts';
import type { AuditAction, AuditEntry, DoorName } from './audit.ts';
import type { AuditFilter } from './query.ts';
import { likePattern, needsConfirmation, occursIn } from './text-search.ts';

/** Entries by their numbers, both ends included. */
export interface Span {
  readonly low: number;
  readonly high: number;
}

/** An order in which entries are walked, newest first, without touching others. */
export type Drive =
  | { readonly by: 'number' }
  | { readonly by: 'user'; readonly user: string }
  | { readonly by: 'app'; readonly app: string }
  | { readonly by: 'action'; readonly actions: readonly string[] };

export interface Step {
  readonly drive: Drive;
  readonly span: Span;
  /** How many entries of the drive may be looked at. */
  readonly entries: number;
  readonly filter: AuditFilter;
  readonly limit: number;
}

export interface StepResult {
  readonly rows: (AuditEntry & { readonly hash: string })[];
  readonly seen: number;
  /** The number down to which all has been looked at; null where that is the whole span. */
  readonly lowest: number | null;
}

interface Row extends Omit<AuditEntry, 'action' | 'door' | 'detail'> {
  readonly action: string;
  readonly door: string;
  readonly detail: string;
  readonly hash: Uint8Array | null;
}

export async function selectBounds(db: Reader): Promise<Span | null> {
  const { rows } = await sql<{ low: number | null; high: number | null }>`
    select (select min(seq) from audit) as low, (select max(seq) from audit) as high`.execute(db);
  const { low, high } = rows[0] ?? { low: null, high: null };
  return low === null || high === null ? null : { low, high };
}

export async function selectInstant(db: Reader, seq: number): Promise<number | null> {
  const { rows } = await sql<{ at: number }>`select at from audit where seq = ${seq}`.execute(db);
  return rows[0]?.at ?? null;
}

/** The actions there are: one step into the index for each, however often it occurs. */
export async function selectActions(db: Reader): Promise<string[]> {
  const { rows } = await sql<{ action: string }>`
    with recursive actions(action) as (
      select min(action) from audit
      union all
      select (select min(action) from audit where action > actions.action) from actions
      where actions.action is not null
    ) select action from actions where action is not null`.execute(db);
  return rows.map(({ action }) => action);
}

/** How many of the newest `most` entries of a drive there are, and how far down they reach; from the index alone. */
export async function selectDensity(
  db: Reader,
  drive: Drive,
  span: Span,
  most: number,
): Promise<{ readonly count: number; readonly lowest: number | null }> {
  const { rows } = await sql<{ count: number; lowest: number | null }>`
    select count(*) as count, min(seq) as lowest
    from (${walk(drive, span)} order by seq desc limit ${most})`.execute(db);
  return rows[0] ?? { count: 0, lowest: null };
}

/** Looks at the next `entries` entries of a drive and takes those that the filter lets through. */
export async function selectStep(db: Reader, step: Step): Promise<StepResult> {
  const { drive, span, entries, filter, limit } = step;
  const selected = await sql<Row>`
    select audit.* from (${walk(drive, span)} order by seq desc limit ${entries}) as walked
    cross join audit on audit.seq = walked.seq
    where ${sql.join(conditions(filter, drive), sql` and `)} limit ${limit}`.execute(db);
  const { text } = filter;
  const rows =
    text === undefined || !needsConfirmation(text)
      ? selected.rows
      : selected.rows.filter((row) =>
          occursIn(
            text,
            SEARCHED.map((column) => row[column]),
          ),
        );
  // Cut short by the limit, it is gone on with below the last one taken, whether that one was confirmed or not.
  const last = selected.rows.at(-1);
  if (selected.rows.length === limit && last !== undefined) {
    return { rows: rows.map(entryOf), seen: entries, lowest: last.seq };
  }
  const { count, lowest } = await selectDensity(db, drive, span, entries);
  return { rows: rows.map(entryOf), seen: count, lowest: count < entries ? null : lowest };
}

/** The numbers of a drive's entries, each once; each part of it is one stretch of one index. */
function walk(drive: Drive, { low, high }: Span): RawBuilder<unknown> {
  const within = sql`seq <= ${high} and seq >= ${low}`;
  switch (drive.by) {
    case 'number':
      return sql`select seq from audit where ${within}`;
    case 'app':
      return sql`select seq from audit where app = ${drive.app} and ${within}`;
    case 'user':
      return sql`select seq from audit where subject = ${drive.user} and ${within}
        union select seq from audit where actor = ${drive.user} and ${within}`;
    case 'action': {
      const { actions } = drive;
      if (actions.length === 0) return sql`select seq from audit where false`;
      const parts = actions.map(
        (action) => sql`select seq from audit where action = ${action} and ${within}`,
      );
      return sql.join(parts, sql` union all `);
    }
  }
}

const SEARCHED = ['action', 'actor', 'subject', 'app', 'address', 'reason', 'detail'] as const;

/** What the drive does not see to by itself. */
function conditions(filter: AuditFilter, drive: Drive): RawBuilder<unknown>[] {
  const { from, to, user, app, outcome, text } = filter;
  const all: RawBuilder<unknown>[] = [sql`true`];
  if (from !== undefined) all.push(sql`audit.at >= ${from}`);
  if (to !== undefined) all.push(sql`audit.at <= ${to}`);
  if (user !== undefined && drive.by !== 'user') all.push(sql`(subject = ${user} or actor = ${user})`);
  if (app !== undefined && drive.by !== 'app') all.push(sql`app = ${app}`);
  if (outcome !== undefined && drive.by !== 'action') {
    all.push(outcome === 'refused' ? sql`action like '%-refused'` : sql`action not like '%-refused'`);
  }
  if (text !== undefined) {
    const pattern = likePattern(text);
    const hits = SEARCHED.map((column) => sql`${sql.ref(column)} like ${pattern} escape '\\'`);
    all.push(sql`(${sql.join(hits, sql` or `)})`);
  }
  return all;
}

function entryOf(row: Row): AuditEntry & { readonly hash: string } {
  return {
    ...row,
    action: row.action as AuditAction,
    door: row.door as DoorName,
    detail: JSON.parse(row.detail) as Record<string, unknown>,
    hash: Buffer.from(row.hash ?? []).toString('hex'),
  };
}
