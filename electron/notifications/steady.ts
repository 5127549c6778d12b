/** Trouble that lasts: begun once it has lasted for a while, over once it has been away as long; what flickers is neither. */

/** What is known of each thing, by its id. */
export type Known = ReadonlyMap<string, Standing>;

interface Standing {
  /** As it was told last. */
  readonly isTroubled: boolean;
  /** Since when it is otherwise, on the monotonic clock; null where it is not. */
  readonly otherwiseSince: number | null;
}

export interface Settled {
  readonly known: Known;
  readonly begun: readonly string[];
  readonly over: readonly string[];
}

/** Those that changed so much later than one that is due go with it: a switch that fails takes many with it. */
const COMPANY_MS = 2000;

/** Looks at what is troubled at present; what is not there any more is forgotten, and what is new was well before. */
export function settle(
  known: Known,
  present: ReadonlyMap<string, boolean>,
  monotonicMs: number,
  holdMs: number,
): Settled {
  const standings = [...present].map(([id, isTroubled]) => {
    const before = known.get(id) ?? { isTroubled: false, otherwiseSince: null };
    const isOtherwise = isTroubled !== before.isTroubled;
    const otherwiseSince = isOtherwise ? (before.otherwiseSince ?? monotonicMs) : null;
    return { id, isTroubled: before.isTroubled, otherwiseSince };
  });
  const lasted = ({ otherwiseSince }: Standing, enoughMs: number): boolean =>
    otherwiseSince !== null && monotonicMs - otherwiseSince >= enoughMs;
  const isDue = [false, true].filter((was) =>
    standings.some((standing) => standing.isTroubled === was && lasted(standing, holdMs)),
  );
  const turned = standings.filter(
    (standing) => isDue.includes(standing.isTroubled) && lasted(standing, Math.max(0, holdMs - COMPANY_MS)),
  );
  const idsOf = (was: boolean): string[] =>
    turned.filter(({ isTroubled }) => isTroubled === was).map(({ id }) => id);
  const next = standings.map(({ id, ...standing }): [string, Standing] => {
    const hasTurned = turned.some((other) => other.id === id);
    return [id, hasTurned ? { isTroubled: !standing.isTroubled, otherwiseSince: null } : standing];
  });
  return { known: new Map(next), begun: idsOf(false), over: idsOf(true) };
}
