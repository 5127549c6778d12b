/** Listeners by key, so that an event walks those whom it concerns and no others. */
export interface Listeners<Event> {
  /** Listens until the returned function is called. */
  add(key: string, listener: (event: Event) => void): () => void;
  has(key: string): boolean;
  call(key: string, event: Event): void;
}

export function createListeners<Event>(): Listeners<Event> {
  const sets = new Map<string, Set<(event: Event) => void>>();
  return {
    add(key, listener) {
      const set = sets.get(key) ?? new Set();
      sets.set(key, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0 && sets.get(key) === set) sets.delete(key);
      };
    },
    has: (key) => sets.has(key),
    call(key, event) {
      for (const listener of [...(sets.get(key) ?? [])]) listener(event);
    },
  };
}
