/** Deadlines of many connections by one timer, for all of them wait equally long. */
import type { CancelTimer, Clock } from '../ports/clock.ts';

export interface Deadlines<Item> {
  /** Counts from now; an item that is there already keeps its time. */
  add(item: Item): void;
  /** What was waited for has come. */
  delete(item: Item): void;
  close(): void;
}

/** Calls `onDue` with each item that was not deleted within `delayMs`. */
export function createDeadlines<Item>(
  clock: Clock,
  delayMs: number,
  onDue: (item: Item) => void,
): Deadlines<Item> {
  /** In the order in which they fall due. */
  const dueAt = new Map<Item, number>();
  let cancel: CancelTimer | null = null;

  function arm(): void {
    const [first] = dueAt.values();
    if (cancel !== null || first === undefined) return;
    cancel = clock.after(first - clock.monotonic(), () => {
      cancel = null;
      for (const [item, due] of dueAt) {
        if (due > clock.monotonic()) break;
        dueAt.delete(item);
        onDue(item);
      }
      arm();
    });
  }

  return {
    add(item) {
      if (dueAt.has(item)) return;
      dueAt.set(item, clock.monotonic() + delayMs);
      arm();
    },
    delete: (item) => void dueAt.delete(item),
    close() {
      cancel?.();
      dueAt.clear();
    },
  };
}
