/** Chance that can be repeated: the same seed gives the same plan. */
import { createFixedRandom } from '../../server/ports/random.ts';

export interface Dice {
  /** A whole number from 0 up to but without `limit`. */
  below(limit: number): number;
  /** A number from `low` up to `high`. */
  between(low: number, high: number): number;
  /** True in so many of all cases, 0 to 1. */
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

export function createDice(seed: string): Dice {
  const random = createFixedRandom(seed);
  const share = (): number => random.bytes(4).readUInt32BE() / 2 ** 32;
  const below = (limit: number): number => Math.floor(share() * limit);
  return {
    below,
    between: (low, high) => low + share() * (high - low),
    chance: (wanted) => share() < wanted,
    pick: <Item>(items: readonly Item[]) => items[below(items.length)] as Item,
  };
}
