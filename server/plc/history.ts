/** What a connection or a link was like lately, in bounded memory: the slowest read of each second, and how many errors. */
import type { Clock } from '../ports/clock.ts';

export interface History {
  /** The slowest read of each of the last 120 seconds in milliseconds, oldest first; null: none was answered. */
  roundTripsMs(): (number | null)[];
  errorsLastHour(): number;
}

export interface HistoryKeeper extends History {
  noteRoundTrip(tookMs: number): void;
  noteError(): void;
}

const SECONDS = 120;
const MINUTES = 60;

export type ErrorCount = Pick<HistoryKeeper, 'errorsLastHour' | 'noteError'>;

/** Makes an empty history. */
export function createHistory(clock: Clock): HistoryKeeper {
  const slowest = createRing<number>(clock, 1000, SECONDS);
  return {
    ...createErrorCount(clock),
    roundTripsMs: () => slowest.all(),
    noteRoundTrip: (tookMs) => slowest.change((known) => Math.max(known ?? 0, tookMs)),
  };
}

export function createErrorCount(clock: Clock): ErrorCount {
  const errors = createRing<number>(clock, 60_000, MINUTES);
  return {
    errorsLastHour: () => errors.all().reduce<number>((sum, count) => sum + (count ?? 0), 0),
    noteError: () => errors.change((known) => (known ?? 0) + 1),
  };
}

/** A value for each of the last `count` spans of time; the monotonic clock decides, so that setting a PC's clock forgets nothing. */
function createRing<Value>(clock: Clock, spanMs: number, count: number) {
  const kept = new Array<Value | null>(count).fill(null);
  let newest = spanNow();

  function spanNow(): number {
    return Math.floor(clock.monotonic() / spanMs);
  }

  function turn(): void {
    const now = spanNow();
    for (let passed = Math.min(now - newest, count); passed > 0; passed--) {
      kept.shift();
      kept.push(null);
    }
    newest = now;
  }

  return {
    all(): (Value | null)[] {
      turn();
      return [...kept];
    },
    change(update: (known: Value | null) => Value): void {
      turn();
      kept[count - 1] = update(kept[count - 1] ?? null);
    },
  };
}
