/** A heartbeat for many connections by one timer, each in its turn, so that no beat holds up what there is to tell. */
import { every, type CancelTimer, type Clock } from '../ports/clock.ts';

export interface Heartbeat<Item> {
  add(item: Item): void;
  delete(item: Item): void;
  close(): void;
}

/** Into so many groups the connections are divided; thousands of pings at once would be a pause for everybody. */
const GROUPS = 16;

/** Calls `beat` with each item every `intervalMs`, the first time within one interval. */
export function createHeartbeat<Item>(
  clock: Clock,
  intervalMs: number,
  beat: (item: Item) => void,
): Heartbeat<Item> {
  const groups = Array.from({ length: GROUPS }, () => new Set<Item>());
  let added = 0;
  let count = 0;
  let turn = 0;
  let stop: CancelTimer | null = null;

  function next(): void {
    turn = (turn + 1) % GROUPS;
    for (const item of groups[turn] ?? []) beat(item);
  }

  function rest(): void {
    stop?.();
    stop = null;
  }

  return {
    add(item) {
      groups[added % GROUPS]?.add(item);
      added += 1;
      count += 1;
      // Without anybody to ask there is no timer either.
      stop ??= every(clock, intervalMs / GROUPS, next);
    },
    delete(item) {
      if (!groups.some((group) => group.delete(item))) return;
      count -= 1;
      if (count === 0) rest();
    },
    close: rest,
  };
}
