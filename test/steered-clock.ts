/** The machine's clock with a lever: time passes by itself, and a test can make hours of it pass at once. */
import { createSystemClock, type CancelTimer, type Clock } from '../server/ports/clock.ts';

export interface SteeredClock extends Clock {
  /** Moves both clocks on by `ms`; what has fallen due fires at once. */
  skip(ms: number): void;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  cancel: CancelTimer;
}

export function createSteeredClock(): SteeredClock {
  const system = createSystemClock();
  const timers = new Set<Timer>();
  let skipped = 0;
  const monotonic = (): number => system.monotonic() + skipped;

  function arm(timer: Timer): void {
    timer.cancel = system.after(timer.due - monotonic(), () => {
      timers.delete(timer);
      timer.callback();
    });
  }

  return {
    now: () => system.now() + skipped,
    monotonic,
    after(delayMs, callback) {
      const timer: Timer = { due: monotonic() + delayMs, callback, cancel: () => {} };
      timers.add(timer);
      arm(timer);
      return () => {
        timers.delete(timer);
        timer.cancel();
      };
    },
    skip(ms) {
      skipped += ms;
      for (const timer of timers) {
        timer.cancel();
        arm(timer);
      }
    },
  };
}
