/** The store: committed reads beside one queue of writes that share transactions (group commit). */
import { join } from 'node:path';
import { Kysely, sql, type ControlledTransaction, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { KeyswitchError, messageOf } from '../errors.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Tables } from './schema.ts';
import { SqliteError, startSqliteThread, threadDialect } from './sqlite-thread.ts';

export type Reader = Kysely<Tables>;
export type Writer = Transaction<Tables>;

/** Takes what shall happen once the transaction is on disk; in the order of the commits, before `write` resolves. */
export type AfterCommit = (callback: () => void) => void;
export type WriteOperation<Result> = (writer: Writer, afterCommit: AfterCommit) => Promise<Result>;

export interface Store {
  /** Reads what is committed. */
  readonly read: Reader;
  /**
   * Runs `operation` alone, in its turn, and resolves when it is on disk. Operations that wait share one
   * transaction and so one disk flush; one that throws is undone without touching its neighbours.
   */
  write<Result>(operation: WriteOperation<Result>): Promise<Result>;
  /** Finishes what waits, checkpoints and closes. */
  close(): Promise<void>;
}

/** So many operations share a transaction at most: it bounds how long the first one waits for the last. */
const MOST_OPERATIONS_A_TRANSACTION = 128;

interface Queued {
  readonly operation: WriteOperation<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Opens the store in `folder`, migrating it to the present schema; refuses what is damaged or newer. */
export async function openStore(folder: string): Promise<Store> {
  const file = join(folder, 'keyswitch.db');
  const thread = await startSqliteThread(file).catch((error: unknown) => {
    throw refusal(file, error);
  });
  const read = new Kysely<Tables>({ dialect: threadDialect(thread, 'reader') });
  const writer = new Kysely<Tables>({ dialect: threadDialect(thread, 'writer') });
  try {
    await migrate(writer, file);
  } catch (error) {
    // A damaged file may not let itself be closed in order; what was wrong with it first is what counts.
    await thread.close().catch(() => {});
    throw refusal(file, error);
  }
  const queue = createWriteQueue(writer);
  return {
    read,
    write: queue.write,
    async close() {
      await queue.idle();
      await thread.close();
    },
  };
}

function refusal(file: string, error: unknown): unknown {
  if (!(error instanceof SqliteError)) return error;
  const damaged = /^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(error.code);
  return new KeyswitchError(
    damaged ? 'store-corrupt' : 'data-folder-unusable',
    damaged
      ? `${file} is damaged and was left untouched (${error.message}). Restore a backup.`
      : `${file} cannot be opened: ${error.message}.`,
    { cause: error },
  );
}

async function migrate(db: Kysely<Tables>, file: string): Promise<void> {
  const applied = await appliedMigrations(db);
  const unknown = applied.filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0) {
    throw new KeyswitchError(
      'store-newer',
      `${file} was written by a newer Keyswitch (it has ${unknown.join(', ')}). Install that version or restore a backup.`,
    );
  }
  if (applied.length === Object.keys(MIGRATIONS).length) return;
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => MIGRATIONS },
  }).migrateToLatest();
  if (error !== undefined) throw error;
}

async function appliedMigrations(db: Kysely<Tables>): Promise<string[]> {
  const tables = await sql<{ name: string }>`
    select name from sqlite_master where type = 'table' and name = 'kysely_migration'`.execute(db);
  if (tables.rows.length === 0) return [];
  const applied = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  return applied.rows.map((row) => row.name);
}

function createWriteQueue(db: Kysely<Tables>): { write: Store['write']; idle(): Promise<void> } {
  const waiting: Queued[] = [];
  let running: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (waiting.length > 0) await runGroup();
    running = null;
  }

  /** One transaction: takes operations as long as some wait, commits once, then tells every caller in order. */
  async function runGroup(): Promise<void> {
    const settled: (() => void)[] = [];
    const callbacks: (() => void)[] = [];
    const done: Queued[] = [];
    let transaction: ControlledTransaction<Tables> | null = null;
    try {
      transaction = await db.startTransaction().execute();
      while (waiting.length > 0 && done.length < MOST_OPERATIONS_A_TRANSACTION) {
        const queued = waiting.shift() as Queued;
        done.push(queued);
        settled.push(await runOne(transaction, queued, callbacks));
      }
      await transaction.commit().execute();
    } catch (error) {
      // The commit itself failed (a full disk, say): nothing of this group happened.
      await transaction
        ?.rollback()
        .execute()
        .catch(() => {});
      if (done.length === 0) done.push(...waiting.splice(0));
      for (const queued of done) queued.reject(error);
      return;
    }
    for (const callback of callbacks) callback();
    for (const settle of settled) settle();
  }

  async function runOne(
    transaction: ControlledTransaction<Tables>,
    { operation, resolve, reject }: Queued,
    callbacks: (() => void)[],
  ): Promise<() => void> {
    const mine: (() => void)[] = [];
    const inside = await transaction.savepoint('operation').execute();
    try {
      const result = await operation(inside, (callback) => mine.push(callback));
      await inside.releaseSavepoint('operation').execute();
      callbacks.push(...mine);
      return () => resolve(result);
    } catch (error) {
      await inside.rollbackToSavepoint('operation').execute();
      return () => reject(error);
    }
  }

  return {
    write<Result>(operation: WriteOperation<Result>): Promise<Result> {
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ operation, resolve: resolve as (result: unknown) => void, reject });
        running ??= drain();
      });
    },
    async idle() {
      while (running !== null) await running;
    },
  };
}

/** Tells whether `error` is a unique constraint that refused a second record of the same name. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof SqliteError && /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code);
}

/** The text of a failed write for a log line. */
export function storeFailure(error: unknown): string {
  return error instanceof SqliteError ? `${error.code}: ${error.message}` : messageOf(error);
}
