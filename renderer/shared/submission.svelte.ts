/** One thing a person asks of the host: on its way, refused, or to be tried again after a while. */
import { Problem } from './api.ts';
import type { Clock } from './ports.ts';

export class Submission {
  sending = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Seconds until a busy host may be asked again. */
  waitSec = $state(0);
  readonly ready = $derived(!this.sending && this.waitSec === 0);
  readonly #clock: Clock;
  #cancelCount = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `work` unless it runs already or has to wait; what it throws becomes the problem. */
  async run(work: () => Promise<void>): Promise<void> {
    if (!this.ready) return;
    this.sending = true;
    this.problem = null;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      this.#countDown(error.retryAfterSec);
    } finally {
      this.sending = false;
    }
  }

  /** Forgets how the last try ended, and with it the wait. */
  forget(): void {
    this.problem = null;
    this.#countDown(0);
  }

  #countDown(seconds: number): void {
    this.#cancelCount();
    this.waitSec = seconds;
    if (seconds > 0) this.#cancelCount = this.#clock.after(1000, () => this.#countDown(seconds - 1));
  }
}
