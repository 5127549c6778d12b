/** The host's time: what is left is counted from its clock, so a machine whose clock is wrong shows the truth. */
import type { Clock } from './ports.ts';

/** Less than this is the network's doing, and following it would make the seconds stumble. */
const TOLERANCE_MS = 500;

export interface HostTime {
  /** Milliseconds since the epoch; the machine's own time until the host has told its. */
  read(): number;
  /** Takes over the time that the host has just told; tells whether that moved it. */
  set(serverTime: string): boolean;
}

export function createHostTime(clock: Pick<Clock, 'now' | 'monotonic'>): HostTime {
  let atZero = clock.now() - clock.monotonic();
  return {
    read: () => atZero + clock.monotonic(),
    set(serverTime) {
      const told = Date.parse(serverTime) - clock.monotonic();
      // Not a time: NaN compares as false.
      if (!(Math.abs(told - atZero) >= TOLERANCE_MS)) return false;
      atZero = told;
      return true;
    },
  };
}
