/** What passes between the house and the thread that runs SQLite. */
import type { ChainContent, ChainHead } from './chain.ts';

export interface WorkerSettings {
  readonly file: string;
  /** `aside`: only reads, in a thread of its own, so that a long query holds up nobody. */
  readonly role: 'main' | 'aside';
}

/** One connection writes; the other reads beside it and sees only what is committed. */
export type ConnectionName = 'writer' | 'reader';

/** What the thread is asked for; it answers in the order in which it was asked. */
export type Demand =
  | {
      readonly kind: 'query';
      readonly connection: ConnectionName;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  /** A query within the present transaction, which begins with its first; undone with the rest of its operation. */
  | {
      readonly kind: 'operate';
      readonly operation: number;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  /** Undoes what an operation has done so far; not answered: where it fails, so does the commit. */
  | { readonly kind: 'undo'; readonly operation: number }
  /** Appends the rows to the journal and ends the transaction: all of it is on disk, or nothing. */
  | { readonly kind: 'commit'; readonly rows: readonly ChainContent[] }
  /** Tells the journal where its chain stands, and the key that seals the end of it. */
  | { readonly kind: 'start-journal'; readonly head: ChainHead; readonly key: Uint8Array };

export type Request = Demand & { readonly id: number };

export interface Result {
  readonly rows: unknown[];
  readonly changes: number;
  /** After a commit that appended to the journal: its new end. */
  readonly head?: ChainHead;
}

/** `id` 0 answers the opening; the closing is answered by the end of the thread. */
export interface Answer {
  readonly id: number;
  readonly result?: Result;
  readonly error?: { readonly message: string; readonly code: string };
}
