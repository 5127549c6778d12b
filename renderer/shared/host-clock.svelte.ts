/** The host's time: what is left is counted from its clock, so a PC whose clock is wrong shows the truth. */
import { createHostTime, type HostTime } from '../../clients/js/src/host-time.ts';
import type { Clock } from './ports.ts';

export class HostClock implements HostTime {
  /** Milliseconds since the epoch; moves at each full second. */
  now = $state(0);
  readonly #clock: Clock;
  readonly #time: HostTime;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#time = createHostTime(clock);
    this.#tick();
  }

  /** The exact time. */
  read(): number {
    return this.#time.read();
  }

  /** Takes over the time that the host has just told; tells whether that moved it. */
  set(serverTime: string): boolean {
    const hasMoved = this.#time.set(serverTime);
    if (hasMoved) this.now = this.read();
    return hasMoved;
  }

  #tick(): void {
    this.now = this.read();
    this.#clock.after(1000 - (this.now % 1000), () => this.#tick());
  }
}
