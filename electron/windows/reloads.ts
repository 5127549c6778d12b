/** When a page that could not be shown is tried again: soon, and ever later while it keeps failing. */
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';

export interface Reloads {
  /** The page has failed: it is loaded again after a while. */
  later(): void;
  /** Loads it now, instead of later. */
  now(): void;
  /** The page is there. */
  succeeded(): void;
  /** Something else is shown: nothing is to be loaded. */
  cancel(): void;
}

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/** A page that lasts this long starts anew; one that fails at once each time must not be loaded every second. */
const HEALTHY_AFTER_MS = 60_000;

export function createReloads(clock: Clock, load: () => void): Reloads {
  let failures = 0;
  let succeededAt = Infinity;
  let cancelTimer: CancelTimer = () => {};

  return {
    later() {
      if (clock.monotonic() - succeededAt >= HEALTHY_AFTER_MS) failures = 0;
      succeededAt = Infinity;
      cancelTimer();
      cancelTimer = clock.after(Math.min(FIRST_MS * 2 ** failures, LONGEST_MS), load);
      failures += 1;
    },
    now() {
      cancelTimer();
      load();
    },
    succeeded() {
      succeededAt = clock.monotonic();
    },
    cancel() {
      cancelTimer();
    },
  };
}
