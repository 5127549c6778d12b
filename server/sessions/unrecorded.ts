/** What has happened although the disk took nothing: kept in memory, in order, and written as soon as it can be. */
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { storeFailure, type Store, type WriteOperation } from '../store/store.ts';

export interface Unrecorded {
  /** Writes `operation` after all that waits already. */
  later(operation: WriteOperation<unknown>): void;
  /** Tries once more, and then no more. */
  close(): Promise<void>;
}

const RETRY_MS = 5_000;

export function createUnrecorded(needs: { store: Store; clock: Clock; log: Log }): Unrecorded {
  const { store, clock, log } = needs;
  const waiting: WriteOperation<unknown>[] = [];
  let writing: Promise<void> | null = null;
  let cancel: CancelTimer = () => {};
  let isClosed = false;

  async function writeAll(): Promise<void> {
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      await store.write(next);
      waiting.shift();
    }
  }

  /** One at a time: of two each would write what the other does. */
  function tryOnce(): Promise<void> {
    return (writing ??= writeAll()
      .catch((err: unknown) => {
        log.error({ err: storeFailure(err), waiting: waiting.length }, 'the disk still takes nothing');
        retry();
      })
      .finally(() => (writing = null)));
  }

  function retry(): void {
    if (!isClosed) cancel = clock.after(RETRY_MS, () => void tryOnce());
  }

  return {
    later(operation) {
      waiting.push(operation);
      if (waiting.length === 1) retry();
    },
    async close() {
      isClosed = true;
      cancel();
      await writing;
      await tryOnce();
    },
  };
}
