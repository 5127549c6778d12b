/** Records that would come without end if somebody wanted it: one in a while tells how many there were. */
import type { Clock } from '../ports/clock.ts';

export interface AtMost {
  /** Counts one more; answers how many there have been since the last that was recorded, or 0: record nothing now. */
  note(): number;
}

/** Lets one record through every `intervalMs`. */
export function atMost(clock: Pick<Clock, 'monotonic'>, intervalMs: number): AtMost {
  let count = 0;
  let recordedAt = -Infinity;
  return {
    note() {
      count += 1;
      const now = clock.monotonic();
      if (now - recordedAt < intervalMs) return 0;
      const noted = count;
      count = 0;
      recordedAt = now;
      return noted;
    },
  };
}
