/** From where each user has signed in lately: there nobody elsewhere can lock them out. */

export interface KnownPlace {
  readonly userId: string;
  readonly place: string;
  /** The pair of the name they typed and the place. */
  readonly pair: string;
  /** The last sign-in, on the monotonic clock. */
  seen: number;
  /** The last sign-in that is on disk. */
  saved: number;
}

export interface KnownPlaces {
  has(userId: string, place: string): boolean;
  /** Whether someone who types that name there is known there. */
  hasPair(pair: string): boolean;
  /** Notes a sign-in; answers what is to be put on disk, and what is known no longer. */
  note(userId: string, place: string, pair: string): { save: KnownPlace | null; dropped: KnownPlace | null };
  restore(known: KnownPlace): void;
  /** Forgets, and answers, where nobody has been for too long. */
  expire(): KnownPlace[];
}

/** More than any operator has screens: whoever has so many networks at hand cannot push out anyone else's. */
const MOST_A_USER = 100;
/** The disk hears of a sign-in once a day: so much shorter a place may be known after a restart. */
const SAVE_AFTER_MS = 86_400_000;

export function createKnownPlaces(monotonic: () => number, knownMs: number): KnownPlaces {
  // The one that signed in longest ago is the first.
  const users = new Map<string, Map<string, KnownPlace>>();
  const pairs = new Map<string, KnownPlace>();

  const isFresh = (known: KnownPlace | undefined): boolean =>
    known !== undefined && monotonic() - known.seen < knownMs;

  function add(known: KnownPlace): Map<string, KnownPlace> {
    const places = users.get(known.userId) ?? new Map<string, KnownPlace>();
    users.set(known.userId, places);
    places.delete(known.place);
    places.set(known.place, known);
    pairs.set(known.pair, known);
    return places;
  }

  function drop(known: KnownPlace): void {
    const places = users.get(known.userId);
    places?.delete(known.place);
    if (places?.size === 0) users.delete(known.userId);
    if (pairs.get(known.pair) === known) pairs.delete(known.pair);
  }

  return {
    has: (userId, place) => isFresh(users.get(userId)?.get(place)),
    hasPair: (pair) => isFresh(pairs.get(pair)),
    note(userId, place, pair) {
      if (knownMs === 0) return { save: null, dropped: null };
      const now = monotonic();
      const before = users.get(userId)?.get(place);
      if (before !== undefined && before.pair !== pair) drop(before);
      const saved = before?.pair === pair ? before.saved : -Infinity;
      const known = { userId, place, pair, seen: now, saved };
      const places = add(known);
      const [oldest] = places.values();
      const dropped = places.size > MOST_A_USER && oldest !== undefined ? oldest : null;
      if (dropped !== null) drop(dropped);
      if (now - saved < SAVE_AFTER_MS) return { save: null, dropped };
      known.saved = now;
      return { save: known, dropped };
    },
    restore: (known) => void add(known),
    expire() {
      const old = [...users.values()].flatMap((places) =>
        [...places.values()].filter((known) => !isFresh(known)),
      );
      for (const known of old) drop(known);
      return old;
    },
  };
}
