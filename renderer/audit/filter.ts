/** What the audit page shows: as it stands in the address, as the host is asked, and as chips. */

export const PRESETS = ['today', '24h', '7d', '30d'] as const;
export type Preset = (typeof PRESETS)[number];
export const OUTCOMES = ['succeeded', 'refused'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Empty texts and nulls ask for nothing. */
export interface Filter {
  /** A time that moves with the clock; the fixed one below is for where there is none. */
  readonly preset: Preset | null;
  /** Milliseconds since the epoch. */
  readonly from: number | null;
  readonly to: number | null;
  readonly user: string;
  readonly app: string;
  readonly outcome: Outcome | null;
  readonly text: string;
}

export const EVERYTHING: Filter = {
  preset: null,
  from: null,
  to: null,
  user: '',
  app: '',
  outcome: null,
  text: '',
};

const HOUR_MS = 3_600_000;
const SPANS_MS = { '24h': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS, '30d': 30 * 24 * HOUR_MS } as const;

/** `app` in the address of a page is where it signs in. */
const NAMES = {
  preset: 'range',
  from: 'from',
  to: 'to',
  user: 'user',
  app: 'at',
  outcome: 'outcome',
  text: 'text',
};

/** Reads the query of a page's address; what makes no sense asks for nothing. */
export function filterFromAddress(search: string): Filter {
  const query = new URLSearchParams(search);
  const preset = PRESETS.find((name) => name === query.get(NAMES.preset)) ?? null;
  return {
    preset,
    from: preset === null ? instantOf(query.get(NAMES.from)) : null,
    to: preset === null ? instantOf(query.get(NAMES.to)) : null,
    user: query.get(NAMES.user) ?? '',
    app: query.get(NAMES.app) ?? '',
    outcome: OUTCOMES.find((name) => name === query.get(NAMES.outcome)) ?? null,
    text: query.get(NAMES.text) ?? '',
  };
}

/** Writes the filter into the query of an address, beside what else stands there. */
export function filterToAddress(search: string, filter: Filter): string {
  const query = new URLSearchParams(search);
  const fields = Object.keys(NAMES) as (keyof Filter)[];
  // First all of them go: one view has one address, however it came about.
  for (const field of fields) query.delete(NAMES[field]);
  for (const field of fields) {
    const value = filter[field];
    const text = typeof value === 'number' ? new Date(value).toISOString() : (value ?? '').trim();
    if (text !== '') query.set(NAMES[field], text);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** The filter as the host takes it; presets are counted from `now`, and so stand still from then on. */
export function filterToQuery(filter: Filter, now: number): string {
  const { from, to } = timesOf(filter, now);
  const query = new URLSearchParams();
  if (from !== null) query.set('from', new Date(from).toISOString());
  if (to !== null) query.set('to', new Date(to).toISOString());
  for (const field of ['user', 'app', 'text'] as const) {
    const text = filter[field].trim();
    if (text !== '') query.set(field, text);
  }
  if (filter.outcome !== null) query.set('outcome', filter.outcome);
  return query.toString();
}

/** The same for one page of it: at most `limit` entries older than number `before`. */
export function pageQuery(query: string, limit: number, before: number | null): string {
  const page = new URLSearchParams(query);
  page.set('limit', String(limit));
  if (before !== null) page.set('before', String(before));
  return page.toString();
}

/** The same for what is no older than `since`. */
export function newerQuery(query: string, limit: number, since: number): string {
  const newer = new URLSearchParams(pageQuery(query, limit, null));
  const asked = instantOf(newer.get('from')) ?? 0;
  newer.set('from', new Date(Math.max(asked, since)).toISOString());
  return newer.toString();
}

/** Whether the filter asks for anything. */
export function isFiltered(filter: Filter): boolean {
  return filterToAddress('', filter) !== '';
}

/** Whether the times are in order: what begins after its end asks for nothing that there can be. */
export function isInOrder({ from, to }: Filter): boolean {
  return from === null || to === null || from <= to;
}

/** `2026-11-24T14:02`, as the browser's own field for a time has it, in the time of this PC. */
export function toLocalField(ms: number | null): string {
  if (ms === null) return '';
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What that field says; null while it is empty. */
export function fromLocalField(text: string): number | null {
  return instantOf(text);
}

function timesOf({ preset, from, to }: Filter, now: number): { from: number | null; to: number | null } {
  if (preset === null) return { from, to };
  if (preset === 'today') return { from: new Date(now).setHours(0, 0, 0, 0), to: null };
  return { from: now - SPANS_MS[preset], to: null };
}

function instantOf(text: string | null): number | null {
  const ms = Date.parse(text ?? '');
  // Beyond these no year has four digits, and the host takes no other.
  return Number.isNaN(ms) || ms < 0 || ms > Date.UTC(9999, 11, 31) ? null : ms;
}
