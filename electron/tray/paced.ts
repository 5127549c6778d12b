/** Work that many events ask for: done soon after the first, and not again before a pause is over. */
import type { Clock } from '../../server/ports/clock.ts';

/** Makes the function that asks for `work`; what happens until it is done is done with it. */
export function createPaced(clock: Clock, pauseMs: number, work: () => void): () => void {
  let isAsked = false;
  let earliest = -Infinity;
  return () => {
    if (isAsked) return;
    isAsked = true;
    clock.after(earliest - clock.monotonic(), () => {
      isAsked = false;
      earliest = clock.monotonic() + pauseMs;
      work();
    });
  };
}
