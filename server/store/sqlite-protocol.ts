/** What passes between the house and the thread that runs SQLite. */

export interface WorkerSettings {
  readonly file: string;
}

export interface Request {
  readonly id: number;
  /** One connection writes; the other reads beside it and sees only what is committed. */
  readonly connection: 'writer' | 'reader';
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** `id` 0 answers the opening; the closing is answered by the end of the thread. */
export interface Answer {
  readonly id: number;
  readonly result?: { readonly rows: unknown[]; readonly changes: number };
  readonly error?: { readonly message: string; readonly code: string };
}
