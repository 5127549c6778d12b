/** Counted failures in memory: as many as there is room for, the oldest that bar nobody given up first. */

export type CounterKind = 'pair' | 'address' | 'account';

/** Times are on the monotonic clock; infinite: for ever. */
export interface Counter {
  readonly key: string;
  readonly kind: CounterKind;
  /** Whose it is; of a pair null while the name is nobody's. */
  userId: string | null;
  /** The place; null for an account. */
  readonly place: string | null;
  failures: number;
  /** When the first of them happened. */
  since: number;
  /** Until when nothing is tried; 0 where it may be. */
  barredUntil: number;
  /** The bar is a lock, not just a delay: when it ends, counting starts anew. */
  isLocked: boolean;
  /** The lock has been told to whoever records it. */
  isTold: boolean;
  /** Failures counted here that have not been asked to be put on disk. */
  unsaved: number;
}

export interface Counters {
  find(key: string): Counter | undefined;
  /** Puts it in as the youngest of its kind; answers whatever had to give way. */
  touch(counter: Counter): Counter | null;
  delete(key: string): void;
  all(): Iterable<Counter>;
  locked(): Iterable<Counter>;
}

/** Keeps at most `most` that are locked and as many that are not: nobody can flood the locks away with failures. */
export function createCounters(most: number): Counters {
  // A Map iterates in the order of insertion: its first is the oldest.
  const open = new Map<string, Counter>();
  const locked = new Map<string, Counter>();
  return {
    find: (key) => open.get(key) ?? locked.get(key),
    touch(counter) {
      open.delete(counter.key);
      locked.delete(counter.key);
      const kept = counter.isLocked ? locked : open;
      kept.set(counter.key, counter);
      if (kept.size <= most) return null;
      const [oldest] = kept.values();
      if (oldest === undefined) return null;
      kept.delete(oldest.key);
      return oldest;
    },
    delete(key) {
      open.delete(key);
      locked.delete(key);
    },
    all: () => [...open.values(), ...locked.values()],
    locked: () => locked.values(),
  };
}
