/** Tries a link out: connects beside whatever runs, reads each of its items once, and tells whom the word means. */
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { PlcDoor } from './door.ts';
import { KeyswitchError } from '../errors.ts';
import { ITEM_FIELDS, type CheckedLink, type LinkItems } from './link-definition.ts';
import { formatItem, type Item } from './items.ts';
import { adviceOn, probe, type Advice, type ProbeResult } from './probe.ts';

export interface FoundItem {
  readonly field: keyof LinkItems;
  readonly address: string;
  /** A moment in milliseconds since the epoch, UTC, NaN for none; null where it was not read. */
  readonly value: number | string | null;
  /** Why it was not read; null where it was, or nothing was tried. */
  readonly problem: Advice | null;
}

export interface LinkTest extends Omit<ProbeResult, 'readings'> {
  /** One for each item that the link has. */
  readonly found: readonly FoundItem[];
  /** Whom the word means at the app; null for nobody, and for several. */
  readonly user: string | null;
}

export interface LinkTestPorts {
  readonly door: PlcDoor;
  readonly clock: Clock;
  readonly log: Log;
}

export async function testLink(
  { link, endpoint, items }: CheckedLink,
  { door, clock, log }: LinkTestPorts,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<LinkTest> {
  const wanted = ITEM_FIELDS.flatMap((field) => {
    const item = items[field] as Item<unknown> | null;
    return item === null ? [] : [{ field, item }];
  });
  const { readings, ...result } = await probe(
    { ...endpoint, timeoutMs },
    wanted.map(({ item }) => item),
    { clock, log },
  );
  const word = readings.get(items.address.name);
  return {
    ...result,
    found: wanted.map(({ field, item }) => {
      const reading = readings.get(item.name) ?? null;
      const problem = reading instanceof KeyswitchError ? adviceOn(reading) : null;
      const value = typeof reading === 'number' || typeof reading === 'string' ? reading : null;
      return { field, address: formatItem(item), value, problem };
    }),
    user: typeof word === 'number' ? await door.findName(link.appId.toLowerCase(), word) : null,
  };
}
