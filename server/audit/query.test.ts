import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { Kysely, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/house.ts';
import { createFixedClock } from '../ports/clock.ts';
import { CHAIN_START } from '../store/chain.ts';
import * as oldest from '../store/migrations/001-spine.ts';
import type { Tables } from '../store/schema.ts';
import { openStore, STORE_FILE, type Store } from '../store/store.ts';
import {
  createAuditQuery,
  outcomeOf,
  type AuditFilter,
  type FoundEntry,
  type QueryOptions,
} from './query.ts';

/** What the tests say of a row; the rest is the same for all. */
interface Row {
  readonly at?: number;
  readonly action?: string;
  readonly actor?: string;
  readonly subject?: string | null;
  readonly app?: string | null;
  readonly address?: string | null;
  readonly reason?: string | null;
  readonly detail?: object;
}

async function openTrail(rows: readonly Row[]): Promise<Store> {
  const store = await openStore(temporaryFolder());
  onTestFinished(() => store.close());
  await store.journal.start({ seq: 0, hash: CHAIN_START }, new Uint8Array(32));
  await add(store, rows);
  return store;
}

/** Appends through the journal, as the house does; a row without a time has its number. */
async function add(store: Store, rows: readonly Row[]): Promise<void> {
  const common = { actor: 'host', subject: null, app: null, address: null, reason: null, door: 'api' };
  await store.write(async (writer) => {
    for (const [i, { detail = {}, ...row }] of rows.entries()) {
      const content = { at: i, action: 'sign-in', ...common, ...row, detail: JSON.stringify(detail) };
      store.journal.append(writer, content);
    }
  });
}

const queryOf = (store: Store, options?: QueryOptions) =>
  createAuditQuery({ store, clock: createFixedClock() }, options);

/** Every entry that the filter lets through, page by page. */
async function allOf(
  store: Store,
  filter: AuditFilter,
  limit = 100,
  options?: QueryOptions,
): Promise<number[]> {
  const query = queryOf(store, options);
  const found: FoundEntry[] = [];
  let before: number | null = null;
  for (let pages = 0; pages < 1000; pages += 1) {
    const page = await query.page(filter, { before, limit });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    expect(page.next === null).toBe(page.searchedBackTo === null);
    if (before !== null && page.next !== null && page.entries.length > 0)
      expect(page.next).toBeLessThan(before);
    found.push(...page.entries);
    if (page.next === null) return found.map(({ seq }) => seq);
    before = page.next;
  }
  throw new Error('the pages have no end');
}

const NAMES = ['olivia', 'Olivia', 'rené', 'RENÉ', 'sue', null];
const ACTIONS = ['sign-in', 'sign-in-refused', 'session-ended', 'password-change-refused'];
const rowArbitrary = fc.record({
  // The clock goes on, and now and then it is set back by hours.
  step: fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 20 }), weight: 9 },
    { arbitrary: fc.integer({ min: -200, max: -1 }), weight: 1 },
  ),
  action: fc.constantFrom(...ACTIONS),
  actor: fc.constantFrom(...NAMES.slice(0, -1)) as fc.Arbitrary<string>,
  subject: fc.constantFrom(...NAMES),
  app: fc.constantFrom('HMI', 'Boiler', null),
  reason: fc.constantFrom('100 %', 'a_b', 'back\\slash', 'Grüße', null),
});
const trailArbitrary = fc.array(rowArbitrary, { maxLength: 60 }).map((rows) => {
  let at = 1000;
  return rows.map(({ step, ...row }) => ({ ...row, at: (at += step) }));
});
const filterArbitrary = fc.record(
  {
    from: fc.integer({ min: 500, max: 2000 }),
    to: fc.integer({ min: 500, max: 2000 }),
    user: fc.constantFrom('olivia', 'rené', 'nobody'),
    app: fc.constantFrom('HMI', 'Boiler', 'no such app'),
    outcome: fc.constantFrom('succeeded', 'refused'),
    text: fc.constantFrom(
      'oliv',
      'REFUSED',
      '%',
      '_',
      'a_b',
      '\\',
      'grÜsse',
      'GRÜSSE',
      'üß',
      'É',
      'zzz',
      'end',
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<AuditFilter>;

/** What a filter means, in the plainest words. */
function isFound(
  row: Row,
  { from = -Infinity, to = Infinity, user, app, outcome, text }: AuditFilter,
): boolean {
  const { at = 0, action = '', actor = '', subject = null, reason = null } = row;
  const texts = [action, actor, subject ?? '', row.app ?? '', reason ?? ''].map((part) => part.toLowerCase());
  return (
    at >= from &&
    at <= to &&
    (user === undefined || actor === user || subject === user) &&
    (app === undefined || row.app === app) &&
    (outcome === undefined || outcome === (action.endsWith('-refused') ? 'refused' : 'succeeded')) &&
    (text === undefined || texts.some((part) => part.includes(text.toLowerCase())))
  );
}

test('a filter finds each entry that it lets through, once, newest first, however small the pages and steps are', async () => {
  await fc.assert(
    fc.asyncProperty(
      trailArbitrary,
      fc.array(filterArbitrary, { minLength: 4, maxLength: 10 }),
      fc.constantFrom(1, 2, 7, 100),
      fc.constantFrom(
        {},
        { stepEntries: 1, mostEntries: 1 },
        { stepEntries: 3, mostEntries: 9 },
        { mostMs: 0 },
      ),
      async (rows, filters, limit, options) => {
        const store = await openTrail(rows);
        for (const filter of filters) {
          const expected = rows.flatMap((row, i) => (isFound(row, filter) ? [i + 1] : [])).reverse();
          expect(await allOf(store, filter, limit, options)).toEqual(expected);
        }
      },
    ),
    { numRuns: 25 },
  );
}, 60_000);

describe('a page', () => {
  test('tells of each entry all there is, its outcome and its hash', async () => {
    const row = { at: 5, action: 'sign-in-refused', actor: 'anonymous', subject: 'olivia', app: 'HMI' };
    const store = await openTrail([{ ...row, address: '::1', reason: 'idle', detail: { a: ['ü'] } }]);
    await expect(queryOf(store).page({}, { limit: 5 })).resolves.toEqual({
      entries: [
        {
          ...row,
          ...{ seq: 1, door: 'api', address: '::1', reason: 'idle', detail: { a: ['ü'] } },
          ...{ outcome: 'refused', hash: expect.any(String) as string },
        },
      ],
      next: null,
      searchedBackTo: null,
    });
  });

  test('of an empty trail is empty, and the last one', async () => {
    const store = await openTrail([]);
    expect(await queryOf(store).page({ text: 'x', from: 1 }, { limit: 5 })).toEqual({
      entries: [],
      next: null,
      searchedBackTo: null,
    });
    expect(await queryOf(store).bounds()).toBeNull();
  });

  test('that is full says where the next one starts, and up to when all was seen', async () => {
    const store = await openTrail([{}, {}, {}]);
    const first = await queryOf(store).page({}, { limit: 2 });
    expect([first.entries.map(({ seq }) => seq), first.next, first.searchedBackTo]).toEqual([[3, 2], 2, 1]);
    const second = await queryOf(store).page({}, { limit: 2, before: 2 });
    expect([second.entries.map(({ seq }) => seq), second.next]).toEqual([[1], null]);
  });

  test('that holds the very last ones does not promise another', async () => {
    const store = await openTrail([{}, {}]);
    expect(await queryOf(store).page({}, { limit: 2 })).toMatchObject({ next: null });
  });

  test('gives up for now when it has looked at so many, and says how far it came', async () => {
    const store = await openTrail(
      Array.from({ length: 50 }, (_, i) => ({ actor: i === 3 ? 'Rita' : 'host' })),
    );
    const query = queryOf(store, { stepEntries: 10, mostEntries: 20 });
    const first = await query.page({ text: 'RITA' }, { limit: 5 });
    expect([first.entries, first.next, first.searchedBackTo]).toEqual([[], 31, 30]);
    const second = await query.page({ text: 'RITA' }, { limit: 5, before: 31 });
    expect(second).toMatchObject({ entries: [], next: 11 });
    const third = await query.page({ text: 'RITA' }, { limit: 5, before: 11 });
    expect([third.entries.map(({ seq }) => seq), third.next]).toEqual([[4], null]);
  });

  test('gives up for now when its time is over', async () => {
    const store = await openTrail(Array.from({ length: 30 }, () => ({})));
    const query = queryOf(store, { stepEntries: 10, mostMs: 0 });
    expect(await query.page({ text: 'zzz' }, { limit: 5 })).toMatchObject({ entries: [], next: 21 });
  });

  test('walks what is rare although something frequent is asked for as well', async () => {
    const rows = Array.from({ length: 400 }, (_, i) => ({
      app: 'HMI',
      subject: i === 0 ? 'rita' : 'olivia',
    }));
    const query = queryOf(await openTrail(rows), { stepEntries: 10, mostEntries: 10 });
    // Within ten entries: along the app it would have come down to the 390th.
    const page = await query.page({ app: 'HMI', user: 'rita', outcome: 'succeeded' }, { limit: 5 });
    expect([page.entries.map(({ seq }) => seq), page.next]).toEqual([[1], null]);
  });

  test('finds a time without looking at what is newer', async () => {
    const query = queryOf(await openTrail(Array.from({ length: 400 }, () => ({}))), {
      stepEntries: 10,
      mostEntries: 10,
    });
    const page = await query.page({ from: 100, to: 102 }, { limit: 5 });
    expect([page.entries.map(({ at }) => at), page.next]).toEqual([[102, 101, 100], null]);
  });
});

describe('where the clock was set back', () => {
  const rows = [0, 10, 20, 5, 15, 25].map((at) => ({ at }));

  test('a time is found on both sides of it', async () => {
    expect(await allOf(await openTrail(rows), { from: 10, to: 20 })).toEqual([5, 3, 2]);
  });

  test('this is seen also in what came since the last page', async () => {
    const store = await openTrail(rows.slice(0, 3));
    const query = queryOf(store);
    expect((await query.page({ from: 15 }, { limit: 9 })).entries).toHaveLength(1);
    await add(store, rows.slice(3));
    const { entries } = await query.page({ from: 15 }, { limit: 9 });
    expect(entries.map(({ seq }) => seq)).toEqual([6, 5, 3]);
  });
});

test('in a trail of the first version it is known where the clock was set back', async () => {
  const folder = temporaryFolder();
  const database = new Database(join(folder, STORE_FILE));
  const db = new Kysely<Pick<Tables, 'audit'>>({ dialect: new SqliteDialect({ database }) });
  await new Migrator({
    db,
    provider: { getMigrations: async () => ({ '001-spine': oldest }) },
  }).migrateToLatest();
  for (const at of [10, 20, 5, 15]) {
    const row = { at, action: 'sign-in', actor: 'host', door: 'host', detail: '{}' };
    await db.insertInto('audit').values(row).execute();
  }
  await db.destroy();
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  expect(await allOf(store, { from: 15 })).toEqual([4, 2]);
});

test.each([
  ['sign-in', 'succeeded'],
  ['sign-in-refused', 'refused'],
  ['refused-sign-in', 'succeeded'],
])('%s has %s', (action, outcome) => {
  expect(outcomeOf(action)).toBe(outcome);
});
