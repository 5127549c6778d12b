/** What has happened although the disk took nothing: kept in memory, in order, and written as soon as it can be. */
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { storeFailure, type Store, type WriteOperation } from '../store/store.ts';

export interface Unrecorded {
  /** Writes `operation` after all that waits already. */
  later(operation: WriteOperation<unknown>): void;
  /** Tries no more. */
  close(): void;
}

const RETRY_MS = 5_000;

export function createUnrecorded(needs: { store: Store; clock: Clock; log: Log }): Unrecorded {
  const { store, clock, log } = needs;
  const waiting: WriteOperation<unknown>[] = [];
  let cancel: CancelTimer = () => {};
  let isClosed = false;

  async function writeAll(): Promise<void> {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      await store.write(next);
      waiting.shift();
    }
  }

  function retry(): void {
    if (isClosed) return;
    cancel = clock.after(RETRY_MS, () => {
      writeAll().catch((err: unknown) => {
        log.error({ err: storeFailure(err), waiting: waiting.length }, 'the disk still takes nothing');
        retry();
      });
    });
  }

  return {
    later(operation) {
      waiting.push(operation);
      if (waiting.length === 1) retry();
    },
    close() {
      isClosed = true;
      cancel();
    },
  };
}
