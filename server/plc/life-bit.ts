/** Toggles a bit of a PLC while the host lives, so that its program notices when the host does not. */
import { isKeyswitchError } from '../errors.ts';
import { every, type Clock } from '../ports/clock.ts';
import type { PlcConnection } from './connection.ts';
import type { Item } from './items.ts';
import { isLost, type TellFault } from './mirror.ts';

/** A program that sees no change for four times as long can be sure. */
export const LIFE_BIT_MS = 500;

/** Toggles every 500 ms, whatever the bit was: its changes count, not its value. Answers with what stops it. */
export function startLifeBit(
  connection: PlcConnection,
  item: Item,
  { clock, tellFault }: { readonly clock: Clock; readonly tellFault: TellFault },
): () => void {
  let next = 1;
  let isWriting = false;

  async function toggle(): Promise<void> {
    // A slow PLC gets the next change when it has taken this one.
    if (isWriting) return;
    isWriting = true;
    try {
      await connection.write(item, next, { verify: false });
      next = 1 - next;
      tellFault(null);
    } catch (error) {
      if (isKeyswitchError(error) && !isLost(error)) tellFault(error);
    } finally {
      isWriting = false;
    }
  }

  return every(clock, LIFE_BIT_MS, () => {
    const { state } = connection.status;
    if (state === 'online' || state === 'degraded') void toggle();
  });
}
