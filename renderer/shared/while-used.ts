/** Work that repeats while somebody uses the page, and rests while nobody does. */
import type { Clock } from './ports.ts';

/** So long after the last key or touch somebody is taken to be looking still. */
const USED_MS = 60_000;

/**
 * Every request moves the idle limit of the session: a page that asked on by itself would keep somebody
 * signed in who has gone home.
 */
export class WhileUsed {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #work: () => unknown;
  #usedAt: number;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, everyMs: number, work: () => unknown) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#work = work;
    this.#usedAt = clock.monotonic();
  }

  start(): void {
    this.#usedAt = this.#clock.monotonic();
    this.#cancel?.();
    this.#wait();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Somebody is there: what rested goes on at once. */
  note(): void {
    const rested = this.#rests();
    this.#usedAt = this.#clock.monotonic();
    if (rested && this.#cancel !== null) void this.#work();
  }

  #rests(): boolean {
    return this.#clock.monotonic() - this.#usedAt > USED_MS;
  }

  #wait(): void {
    this.#cancel = this.#clock.after(this.#everyMs, () => {
      this.#wait();
      if (!this.#rests()) void this.#work();
    });
  }
}
