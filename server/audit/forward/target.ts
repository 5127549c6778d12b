/** A place off this machine that the trail is copied to. */
import type { ForwardCheckpoint, ForwardEntry } from './forward-store.ts';

export interface Batch {
  /** In the order of the trail. */
  readonly entries: readonly ForwardEntry[];
  /** Of entries that the target has, or gets in this batch. */
  readonly checkpoints: readonly ForwardCheckpoint[];
}

export interface Target {
  readonly kind: 'syslog' | 'file';
  /** Names the very place: another place gets the trail from its beginning. */
  readonly place: string;
  /** Resolves when the place has all of it; rejects where that is not certain, and it will be sent once more. */
  deliver(batch: Batch): Promise<void>;
  /** Breaks off what is under way. */
  close(): void;
}
