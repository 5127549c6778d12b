/** The house's end of the SQLite thread: starts it, sends queries, and gives Kysely a dialect over it. */
import { Worker } from 'node:worker_threads';
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
} from 'kysely';
import type { Answer, Request, WorkerSettings } from './sqlite-protocol.ts';

/** SQLite refused; `code` is its extended result code (`SQLITE_CONSTRAINT_UNIQUE`). */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

type Connection = Request['connection'];
type Waiting = { resolve(result: NonNullable<Answer['result']>): void; reject(error: Error): void };

export interface SqliteThread {
  query(
    connection: Connection,
    sql: string,
    parameters: readonly unknown[],
  ): Promise<NonNullable<Answer['result']>>;
  /** Checkpoints the write-ahead log into the database and ends the thread. */
  close(): Promise<void>;
}

/** The worker's file has the ending that this module has: `.ts` from the sources, `.js` when built. */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js',
    import.meta.url,
  );
}

/** Starts the thread on `file`; rejects with a SqliteError where the file cannot be used. */
export async function startSqliteThread(file: string): Promise<SqliteThread> {
  const worker = new Worker(workerUrl(), {
    workerData: { file } satisfies WorkerSettings,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const waiting = new Map<number, Waiting>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  closed.promise.catch(() => {}); // told to whoever closes, if anyone does
  let lastId = 0;
  /** Why no query can be answered any more; null while the thread runs. */
  let gone: Error | null = null;

  function fail(error: Error): void {
    gone ??= error;
    opened.reject(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }
  worker.on('message', ({ id, result, error }: Answer) => {
    if (id === 0) {
      if (error === undefined) opened.resolve();
      else opened.reject(new SqliteError(error.message, error.code));
      return;
    }
    const caller = waiting.get(id);
    waiting.delete(id);
    if (result !== undefined) caller?.resolve(result);
    else caller?.reject(new SqliteError(error?.message ?? 'no answer', error?.code ?? 'SQLITE_ERROR'));
  });
  worker.on('error', (error) => {
    closed.reject(error);
    fail(error instanceof Error ? error : new Error(String(error)));
  });
  worker.on('exit', () => {
    closed.resolve();
    fail(new SqliteError('the store is closed', 'SQLITE_MISUSE'));
  });
  try {
    await opened.promise;
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  return {
    query(connection, sql, parameters) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (gone !== null) {
          reject(gone);
          return;
        }
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, connection, sql, parameters } satisfies Request);
      });
    },
    async close() {
      if (gone !== null) return;
      worker.postMessage('close');
      await closed.promise;
    },
  };
}

/** SQLite undoes what a transaction did to the schema (SQLite, "Atomic Commit"): a migration happens whole or not at all. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Makes the Kysely dialect of one of the thread's two connections. */
export function threadDialect(thread: SqliteThread, connection: Connection): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => createDriver(thread, connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createDriver(thread: SqliteThread, name: Connection): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, changes } = await thread.query(name, sql, parameters);
      return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
    },
    streamQuery: () => {
      throw new Error('read in pages: the SQLite thread does not stream');
    },
  };
  const run = async (sql: string): Promise<void> => {
    await thread.query(name, sql, []);
  };
  // One transaction at a time on the one connection. Store.write lines its callers up already; this keeps
  // migrations and anything else that opens a transaction by itself from mixing into another's.
  let turn: Promise<void> = Promise.resolve();
  let yieldTurn: () => void = () => {};
  return {
    init: async () => {},
    async acquireConnection() {
      if (name === 'reader') return connection;
      const before = turn;
      const mine = Promise.withResolvers<void>();
      turn = mine.promise;
      await before;
      yieldTurn = mine.resolve;
      return connection;
    },
    beginTransaction: () => run('begin immediate'),
    commitTransaction: () => run('commit'),
    rollbackTransaction: () => run('rollback'),
    savepoint: (_connection, savepointName) => run(`savepoint "${savepointName}"`),
    rollbackToSavepoint: (_connection, savepointName) => run(`rollback to "${savepointName}"`),
    releaseSavepoint: (_connection, savepointName) => run(`release "${savepointName}"`),
    releaseConnection: async () => {
      if (name === 'writer') yieldTurn();
    },
    destroy: async () => {},
  };
}
