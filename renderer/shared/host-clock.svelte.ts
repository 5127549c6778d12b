/** The host's time: what is left is counted from its clock, so a PC whose clock is wrong shows the truth. */
import type { Clock } from './ports.ts';

/** Less than this is the network's doing, and following it would make the seconds stumble. */
const TOLERANCE_MS = 500;

export class HostClock {
  /** Milliseconds since the epoch; moves at each full second. */
  now = $state(0);
  readonly #clock: Clock;
  #atZero: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#atZero = clock.now() - clock.monotonic();
    this.#tick();
  }

  /** The exact time. */
  read(): number {
    return this.#atZero + this.#clock.monotonic();
  }

  /** Takes over the time that the host has just told. */
  set(serverTime: string): void {
    const atZero = Date.parse(serverTime) - this.#clock.monotonic();
    if (Math.abs(atZero - this.#atZero) < TOLERANCE_MS) return;
    this.#atZero = atZero;
    this.now = this.read();
  }

  #tick(): void {
    this.now = this.read();
    this.#clock.after(1000 - (this.now % 1000), () => this.#tick());
  }
}
