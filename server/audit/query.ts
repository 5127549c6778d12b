/** Looks entries of the trail up: filtered, newest first, page by page, each page in bounded time however rare a match is. */
import type { Clock } from '../ports/clock.ts';
import type { Reader, Store } from '../store/store.ts';
import type { AuditEntry } from './audit.ts';
import {
  selectActions,
  selectBounds,
  selectDensity,
  selectInstant,
  selectStep,
  type Drive,
  type Span,
} from './query-store.ts';
import { spansOfTime } from './timeline.ts';

export type Outcome = 'succeeded' | 'refused';

/** What an entry must be to be shown; what is left out does not matter. */
export interface AuditFilter {
  /** Not before, in milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Not after. */
  readonly to?: number | undefined;
  /** The user's name: who acted, or whom it was about. */
  readonly user?: string | undefined;
  readonly app?: string | undefined;
  readonly outcome?: Outcome | undefined;
  /** Stands somewhere in the entry, in capitals or not. */
  readonly text?: string | undefined;
}

export interface FoundEntry extends AuditEntry {
  readonly outcome: Outcome;
  /** Its hash in the chain, hex. */
  readonly hash: string;
}

export interface FoundPage {
  /** Newest first. */
  readonly entries: readonly FoundEntry[];
  /** Where the next page starts (`before`); null where there is nothing older. */
  readonly next: number | null;
  /** Entries older than this have not been looked at yet; null where all have. */
  readonly searchedBackTo: number | null;
}

export interface PageRequest {
  /** Only entries with a smaller number; null for the newest. */
  readonly before?: number | null;
  readonly limit: number;
}

export interface AuditQuery {
  page(filter: AuditFilter, request: PageRequest): Promise<FoundPage>;
  /** The entries there are: the numbers of the first and the last one; null where there are none. */
  bounds(): Promise<Span | null>;
}

export interface QueryOptions {
  /** Entries looked at in one query, at first; more where that is quick. */
  readonly stepEntries?: number;
  /** What a page may cost before it is answered with what was found. */
  readonly mostEntries?: number;
  readonly mostMs?: number;
}

/** So many entries of an index tell how densely it is filled here. */
const PROBE = 1000;
/** A query as quick as this may look at twice as much the next time: it has what it needs in memory. */
const QUICK_MS = 2;
const LARGEST_STEP = 8000;

/** Tells how what an entry records came out, from its action. */
export function outcomeOf(action: string): Outcome {
  return /-(refused|failed)$/.test(action) ? 'refused' : 'succeeded';
}

export function createAuditQuery(
  { store, clock }: { store: Pick<Store, 'aside'>; clock: Clock },
  { stepEntries = 1000, mostEntries = 100_000, mostMs = 15 }: QueryOptions = {},
): AuditQuery {
  const db = store.aside;

  async function page(filter: AuditFilter, { before = null, limit }: PageRequest): Promise<FoundPage> {
    const since = clock.monotonic();
    const spans = await spansOf(db, filter);
    const drives = await drivesOf(db, filter);
    const found: FoundEntry[] = [];
    let seen = 0;
    // Each page gets somewhere, whatever its first step cost.
    const isEnough = (): boolean => seen > 0 && (seen >= mostEntries || clock.monotonic() - since >= mostMs);
    for (const whole of spans) {
      let span: Span | null = below(whole, before);
      let size = stepEntries;
      let drive: Drive | null = null;
      while (span !== null) {
        if (isEnough()) return partialPage(found, span.high + 1);
        drive ??= await rarest(db, drives, span);
        const startedAt = clock.monotonic();
        const entries = Math.min(size, mostEntries - seen);
        const step = await selectStep(db, { drive, span, entries, filter, limit: limit + 1 - found.length });
        found.push(...step.rows.map(withOutcome));
        if (found.length > limit) return fullPage(found.slice(0, limit));
        seen += Math.max(1, step.seen);
        span = step.lowest === null ? null : below(span, step.lowest);
        if (clock.monotonic() - startedAt < QUICK_MS) size = Math.min(2 * size, LARGEST_STEP);
      }
    }
    return { ...NOTHING, entries: found };
  }

  /** What was found when the page had cost enough. */
  async function partialPage(entries: FoundEntry[], next: number): Promise<FoundPage> {
    return { entries, next, searchedBackTo: await selectInstant(db, next) };
  }

  return { page, bounds: () => selectBounds(db) };
}

const NOTHING: FoundPage = { entries: [], next: null, searchedBackTo: null };

function fullPage(entries: FoundEntry[]): FoundPage {
  const last = entries.at(-1);
  return { entries, next: last?.seq ?? null, searchedBackTo: last?.at ?? null };
}

/** What is left of `span` below `before`. */
function below(span: Span, before: number | null): Span | null {
  const high = before === null ? span.high : Math.min(span.high, before - 1);
  return high < span.low ? null : { low: span.low, high };
}

function withOutcome(entry: AuditEntry & { readonly hash: string }): FoundEntry {
  return { ...entry, outcome: outcomeOf(entry.action) };
}

/** Where entries of the time asked for can be, the newest first. */
async function spansOf(db: Reader, filter: AuditFilter): Promise<Span[]> {
  const bounds = await selectBounds(db);
  if (bounds === null) return [];
  const isTimed = filter.from !== undefined || filter.to !== undefined;
  return isTimed ? spansOfTime(db, bounds, filter) : [bounds];
}

/** The ways along which the entries asked for can be walked; never none. */
async function drivesOf(db: Reader, { user, app, outcome }: AuditFilter): Promise<Drive[]> {
  const drives: Drive[] = [];
  if (user !== undefined) drives.push({ by: 'user', user });
  if (app !== undefined) drives.push({ by: 'app', app });
  if (outcome !== undefined) {
    const actions = (await selectActions(db)).filter((action) => outcomeOf(action) === outcome);
    drives.push({ by: 'action', actions });
  }
  return drives.length === 0 ? [{ by: 'number' }] : drives;
}

/** Of several ways the one with the fewest entries, as far as a look at the newest of each can tell. */
async function rarest(db: Reader, drives: readonly Drive[], span: Span): Promise<Drive> {
  const [only = { by: 'number' }, ...others] = drives;
  if (others.length === 0) return only;
  const reaches = await Promise.all(
    drives.map(async (drive) => {
      const { count, lowest } = await selectDensity(db, drive, span, PROBE);
      // One that ends within the look is walked whole: the shorter the better, and better than any that goes on.
      return { drive, reach: count < PROBE ? span.high + 1 + PROBE - count : span.high - (lowest ?? 0) };
    }),
  );
  return reaches.reduce((best, one) => (one.reach > best.reach ? one : best)).drive;
}
