/** The store: committed reads beside one queue of writes that share transactions (group commit). */
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { isKeyswitchError, KeyswitchError, messageOf } from '../errors.ts';
import type { ChainContent, ChainHead } from './chain.ts';
import { COPY_MARK } from './copy.ts';
import { STORE_FILE } from './file.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Tables } from './schema.ts';
import { createAsideThread, SqliteError, startSqliteThread, threadDialect } from './sqlite-thread.ts';
import { createWriteQueue, type WriteOperation, type Writer } from './write-queue.ts';

export { STORE_FILE } from './file.ts';
export type { AfterCommit, Writer, WriteOperation } from './write-queue.ts';
export type Reader = Kysely<Tables>;

export interface Store {
  /** Reads what is committed. */
  readonly read: Reader;
  /** Reads what is committed in a thread of its own: for what takes long, such as pages of the audit trail. */
  readonly aside: Reader;
  /**
   * Runs `operation` alone, in its turn, and resolves when it is on disk. Operations that wait share one
   * transaction and so one disk flush; one that throws is undone without touching its neighbours. Rejects with
   * `storage-full` where the disk takes nothing more.
   */
  write<Result>(operation: WriteOperation<Result>): Promise<Result>;
  /** Tells whether the last thing that was to be written found no room on the disk. */
  isFull(): boolean;
  /** It was opened as a copy: a backup that was put in the place of the database. */
  readonly isCopy: boolean;
  /** From this operation on it is a copy no more. */
  adopt(writer: Writer): Promise<void>;
  /** Rows that are chained by their hashes as they are committed (the audit trail). */
  readonly journal: Journal;
  /** Finishes what waits, checkpoints and closes. */
  close(): Promise<void>;
}

export interface Journal {
  /** Goes on from `head`, sealing the end with `key` from then on; nothing can be appended before. */
  start(head: ChainHead, key: Uint8Array): Promise<void>;
  /** Adds a row with what the operation of `writer` does: both are committed, or neither. */
  append(writer: Writer, row: ChainContent): void;
  /** Calls `listener` with the end of the chain after each commit that moved it, before anything that follows it. */
  onAppended(listener: (head: ChainHead) => void): void;
}

/** Opens the store in `folder`, migrating it to the present schema; refuses what is damaged or newer. */
export async function openStore(folder: string): Promise<Store> {
  const file = join(folder, STORE_FILE);
  const thread = await startSqliteThread(file).catch((error: unknown) => {
    throw refusal(file, error);
  });
  const read = new Kysely<Tables>({ dialect: threadDialect(thread, 'reader') });
  const writer = new Kysely<Tables>({ dialect: threadDialect(thread, 'writer') });
  const asideThread = createAsideThread(file);
  const aside = new Kysely<Tables>({ dialect: threadDialect(asideThread, 'reader') });
  try {
    await migrate(writer, file);
  } catch (error) {
    // A damaged file may not let itself be closed in order; what was wrong with it first is what counts.
    await thread.close().catch(() => {});
    throw refusal(file, error);
  }
  const queue = createWriteQueue(thread);
  const mark = await sql<{ user_version: number }>`pragma user_version`.execute(read);
  return {
    read,
    aside,
    isCopy: mark.rows[0]?.user_version === COPY_MARK,
    async adopt(writing) {
      await sql`pragma user_version = 0`.execute(writing);
    },
    write: queue.write,
    isFull: queue.isFull,
    journal: {
      async start(head, key) {
        await thread.ask({ kind: 'start-journal', head, key });
      },
      append: queue.append,
      onAppended: queue.onAppended,
    },
    async close() {
      await queue.close();
      // First: who closes the database last tidies up its write-ahead log.
      await asideThread.close();
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

/** Tells whether `error` is a unique constraint that refused a second record of the same name. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof SqliteError && /^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)$/.test(error.code);
}

/** The text of a failed write for a log line. */
export function storeFailure(error: unknown): string {
  const cause = isKeyswitchError(error, 'storage-full') ? error.cause : error;
  return cause instanceof SqliteError ? `${cause.code}: ${cause.message}` : messageOf(error);
}
