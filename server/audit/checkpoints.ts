/** Signed checkpoints: every so many rows, and at the end, the audit key vouches for the chain up to a row. */
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ChainHead } from '../store/chain.ts';
import type { Store } from '../store/store.ts';
import { insertCheckpoint } from './audit-store.ts';
import type { AuditKey } from './keys.ts';
import { checkpointText, type Checkpoint } from './signatures.ts';

export interface Checkpointer {
  /** The last one that is on disk, or as it was at the opening. */
  last(): Omit<Checkpoint, 'signature'> | null;
  /** Takes the new end of the chain; makes a checkpoint beside the work where it is time for one. */
  note(head: ChainHead): void;
  /** Makes one of the end, where there is none yet. */
  close(): Promise<void>;
}

export interface CheckpointerOptions {
  /** A checkpoint is made when so many rows have come since the last. */
  readonly rows: number;
  readonly head: ChainHead;
  readonly last: Omit<Checkpoint, 'signature'> | null;
}

export function createCheckpointer(
  { store, key, clock, log }: { store: Store; key: AuditKey; clock: Clock; log: Log },
  { rows, head: first, last: lastMade }: CheckpointerOptions,
): Checkpointer {
  let head = first;
  let last = lastMade;
  let due = (last?.seq ?? 0) + rows;
  let making: Promise<void> = Promise.resolve();

  async function make(end: ChainHead): Promise<void> {
    const at = clock.now();
    const signature = key.sign(checkpointText({ ...end, at }));
    const checkpoint: Checkpoint = { ...end, at, keyId: key.id, signature };
    await store.write((writer) => insertCheckpoint(writer, checkpoint));
    last = { ...end, at, keyId: key.id };
    log.info({ seq: end.seq, hash: end.hash }, 'audit checkpoint');
  }

  function start(end: ChainHead): void {
    due = end.seq + rows;
    making = making
      .then(() => make(end))
      .catch((err: unknown) => log.error({ err }, 'the audit checkpoint could not be made'));
  }

  return {
    last: () => last,
    note(end) {
      head = end;
      // Not now: what was committed is to be told first.
      if (end.seq >= due) start(end);
    },
    async close() {
      await making;
      if (head.seq > (last?.seq ?? 0)) start(head);
      await making;
    },
  };
}
