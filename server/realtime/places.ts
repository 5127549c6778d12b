/** How many connections are held open, in all and from one address: a limit that all transports share. */
import { placeOf } from '../lockout/place.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

export interface Places {
  /** Takes a place; a refusal takes none, and says which of the two limits it is. */
  take(address: string | null): 'taken' | 'full' | 'full-for-address';
  /** Gives back what was taken for the same address. */
  giveBack(address: string | null): void;
}

export interface PlacesOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** A flood of refusals is one line a minute. */
const WARN_EVERY_MS = 60_000;

export function createPlaces(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  { maxConnections, maxConnectionsPerAddress }: PlacesOptions,
): Places {
  const perAddress = new Map<string, number>();
  let total = 0;
  let warnedAt = -Infinity;

  function warn(fields: object, message: string): void {
    if (clock.monotonic() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = clock.monotonic();
    log.warn(fields, message);
  }

  return {
    take(address) {
      if (total >= maxConnections) {
        warn({ maxConnections }, 'a subscriber was turned away: realtime.maxConnections are connected');
        return 'full';
      }
      const place = placeOf(address);
      const held = perAddress.get(place) ?? 0;
      if (held >= maxConnectionsPerAddress) {
        const fields = { address, maxConnectionsPerAddress };
        warn(fields, 'a subscriber was turned away: its address has realtime.maxConnectionsPerAddress');
        return 'full-for-address';
      }
      total += 1;
      perAddress.set(place, held + 1);
      return 'taken';
    },
    giveBack(address) {
      const place = placeOf(address);
      const held = perAddress.get(place) ?? 0;
      total -= 1;
      if (held > 1) perAddress.set(place, held - 1);
      else perAddress.delete(place);
    },
  };
}
