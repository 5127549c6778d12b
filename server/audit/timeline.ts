/**
 * Finds when in the trail a time was. Numbers rise for ever, but an administrator, a time server or a dead battery can
 * set the clock back: the trail is a row of stretches in each of which time only goes on, and each is searched by halving.
 */
import type { Reader } from '../store/store.ts';
import type { Span } from './query-store.ts';
import { findFirstAt, selectSeams, type Seam } from './timeline-store.ts';

/** A stretch in which time only goes on, and the times of its first and last entry, as far as a seam tells them. */
interface Stretch extends Span {
  readonly begin: number;
  readonly end: number;
}

/** Where within `bounds` the entries from `from` to `to` are (milliseconds, both included), the newest span first. */
export async function spansOfTime(
  db: Reader,
  bounds: Span,
  {
    from = -Infinity,
    to = Infinity,
  }: { readonly from?: number | undefined; readonly to?: number | undefined },
): Promise<Span[]> {
  const found: Span[] = [];
  for (const stretch of stretchesOf(bounds, await selectSeams(db, bounds))) {
    const span = await within(db, stretch, from, to);
    if (span === null) continue;
    const newer = found.at(-1);
    if (newer?.low === span.high + 1) found[found.length - 1] = { low: span.low, high: newer.high };
    else found.push(span);
  }
  return found;
}

/** The stretches of `bounds`, the newest first. */
function stretchesOf({ low, high }: Span, seams: readonly Seam[]): Stretch[] {
  return [null, ...seams]
    .map((seam, i) => ({
      low: seam?.seq ?? low,
      begin: seam?.at ?? -Infinity,
      high: (seams[i]?.seq ?? high + 1) - 1,
      end: seams[i]?.before ?? Infinity,
    }))
    .reverse();
}

async function within(
  db: Reader,
  { low, high, begin, end }: Stretch,
  from: number,
  to: number,
): Promise<Span | null> {
  if (end < from || begin > to) return null;
  const first = begin >= from ? low : await findFirstAt(db, { low, high }, from);
  const afterLast = end <= to ? high + 1 : await findFirstAt(db, { low, high }, to + 1);
  return first < afterLast ? { low: first, high: afterLast - 1 } : null;
}
