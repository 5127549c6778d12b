/** When in the trail it was: where the clock was set back (the journal notes it), and times found by halving. */
import { sql } from 'kysely';
import type { Reader } from '../store/store.ts';
import type { Span } from './query-store.ts';

/** An entry whose time is before that of the entry before it. */
export interface Seam {
  readonly seq: number;
  readonly at: number;
  /** The time of the entry before it. */
  readonly before: number;
}

/** The seams within a span, in the order of their numbers. */
export async function selectSeams(db: Reader, { low, high }: Span): Promise<Seam[]> {
  return db
    .selectFrom('audit_seams')
    .select(['seq', 'at', 'at_before as before'])
    .where('seq', '>', low)
    .where('seq', '<=', high)
    .orderBy('seq')
    .execute();
}

/** The first entry of a stretch, in which time only goes on, that is not before `at`; one past its end where none is. */
export async function findFirstAt(db: Reader, { low, high }: Span, at: number): Promise<number> {
  const { rows } = await sql<{ found: number }>`
    with recursive halves(low, high) as (
      values (cast(${low} as integer), cast(${high + 1} as integer))
      union all
      select
        iif((select at from audit where seq >= (low + high) / 2 order by seq limit 1) < ${at},
          (low + high) / 2 + 1, low),
        iif((select at from audit where seq >= (low + high) / 2 order by seq limit 1) < ${at},
          high, (low + high) / 2)
      from halves where low < high
    ) select low as found from halves where low = high`.execute(db);
  return rows[0]?.found ?? high + 1;
}
