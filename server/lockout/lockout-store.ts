/** The lockout's tables: counted failures, and from where each user has signed in. */
import type { LockoutCountersTable, LockoutPlacesTable } from '../store/schema.ts';
import type { Reader, Writer } from '../store/store.ts';

export type CounterRow = LockoutCountersTable;
export type PlaceRow = LockoutPlacesTable;

/** SQLite binds at most so many values to a statement; far below it, and the same statement serves again. */
const MOST_A_STATEMENT = 500;

export function selectCounters(db: Reader): Promise<CounterRow[]> {
  return db.selectFrom('lockout_counters').selectAll().orderBy('since').execute();
}

export async function upsertCounters(writer: Writer, rows: readonly CounterRow[]): Promise<void> {
  for (const some of inParts(rows, 50)) {
    await writer
      .insertInto('lockout_counters')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet(({ ref }) => ({
          user_id: ref('excluded.user_id'),
          failures: ref('excluded.failures'),
          since: ref('excluded.since'),
          until: ref('excluded.until'),
          locked: ref('excluded.locked'),
        })),
      )
      .execute();
  }
}

export async function deleteCounters(writer: Writer, keys: readonly string[]): Promise<void> {
  for (const some of inParts(keys, MOST_A_STATEMENT)) {
    await writer.deleteFrom('lockout_counters').where('key', 'in', some).execute();
  }
}

/** Deletes those of the account and of all its pairs. */
export async function deleteCountersOf(writer: Writer, userId: string): Promise<void> {
  await writer.deleteFrom('lockout_counters').where('user_id', '=', userId).execute();
}

export function selectPlaces(db: Reader): Promise<PlaceRow[]> {
  return db.selectFrom('lockout_places').selectAll().orderBy('seen_at').execute();
}

export async function upsertPlaces(writer: Writer, rows: readonly PlaceRow[]): Promise<void> {
  for (const some of inParts(rows, 50)) {
    await writer
      .insertInto('lockout_places')
      .values(some)
      .onConflict((conflict) =>
        conflict
          .columns(['user_id', 'place'])
          .doUpdateSet(({ ref }) => ({ pair: ref('excluded.pair'), seen_at: ref('excluded.seen_at') })),
      )
      .execute();
  }
}

export async function deletePlace(writer: Writer, userId: string, place: string): Promise<void> {
  await writer
    .deleteFrom('lockout_places')
    .where('user_id', '=', userId)
    .where('place', '=', place)
    .execute();
}

/** Moves every time by `ms`: the wall clock was set, and durations are to stay what they are. */
export async function shiftTimes(writer: Writer, ms: number): Promise<void> {
  await writer
    .updateTable('lockout_counters')
    .set(({ eb }) => ({ since: eb('since', '+', ms), until: eb('until', '+', ms) }))
    .execute();
  await writer
    .updateTable('lockout_places')
    .set(({ eb }) => ({ seen_at: eb('seen_at', '+', ms) }))
    .execute();
}

function* inParts<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
