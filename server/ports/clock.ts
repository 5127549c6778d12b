/** Time as the house sees it: the wall clock, a monotonic clock, and timers, so that tests decide when time passes. */

/** Cancels a timer; cancelling twice, or after it fired, does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01T00:00:00Z. May jump when an administrator sets the PC's clock. */
  now(): number;
  /** Monotonic clock in milliseconds, for durations; its zero has no meaning. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs` (any length; negative counts as 0). Never keeps the process alive. */
  after(delayMs: number, callback: () => void): CancelTimer;
}

/** The longest delay that Node's timers accept; longer ones are walked in steps of it. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Makes the clock of the machine. */
export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, callback) {
      let timeout: NodeJS.Timeout;
      const arm = (remainingMs: number): void => {
        const stepMs = Math.min(Math.max(remainingMs, 0), LONGEST_TIMEOUT_MS);
        timeout = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : callback()), stepMs);
        timeout.unref();
      };
      arm(delayMs);
      return () => clearTimeout(timeout);
    },
  };
}

/** Calls `callback` every `intervalMs`, the first time after one interval, until cancelled. */
export function every(clock: Clock, intervalMs: number, callback: () => void): CancelTimer {
  let cancel = clock.after(intervalMs, tick);
  function tick(): void {
    cancel = clock.after(intervalMs, tick);
    callback();
  }
  return () => cancel();
}

/** A clock that stands still until a test moves it. */
export interface FixedClock extends Clock {
  /** Moves both clocks on and fires what has fallen due, in order, settling promises after each timer. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock alone, as an administrator or a time server would. */
  setWallClock(ms: number): void;
}

/** Makes the fixed twin, standing at `startMs` (by default 2026-01-01T06:00:00Z). */
export function createFixedClock(startMs = Date.UTC(2026, 0, 1, 6)): FixedClock {
  let wall = startMs;
  let elapsed = 0;
  const timers = new Set<{ due: number; callback: () => void }>();
  const pass = (ms: number): void => {
    wall += ms;
    elapsed += ms;
  };
  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(delayMs, callback) {
      const timer = { due: elapsed + Math.max(delayMs, 0), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        const next = [...timers].filter((timer) => timer.due <= end).sort((a, b) => a.due - b.due)[0];
        if (next === undefined) break;
        timers.delete(next);
        pass(next.due - elapsed);
        next.callback();
        await new Promise((resolve) => setImmediate(resolve));
      }
      pass(end - elapsed);
    },
    setWallClock: (ms) => {
      wall = ms;
    },
  };
}
