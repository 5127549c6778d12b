/** Text that tells the host's time: rendered once for all who are told at about the same moment. */
import type { Clock } from '../ports/clock.ts';

/** A thousand subscribers are told within some milliseconds; a clock set by an older text would be wrong. */
const FRESH_MS = 50;

/** Renders what `make` makes at most every 50 ms; asked again within that time it answers the very same text. */
export function fresh(clock: Clock, make: () => string): () => string {
  let text = '';
  let madeAt = -Infinity;
  return () => {
    const now = clock.monotonic();
    if (now - madeAt >= FRESH_MS) {
      text = make();
      madeAt = now;
    }
    return text;
  };
}
