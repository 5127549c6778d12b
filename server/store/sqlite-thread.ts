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
import type { Answer, ConnectionName, Demand, Request, Result, WorkerSettings } from './sqlite-protocol.ts';

/** SQLite refused; `code` is its extended result code (`SQLITE_CONSTRAINT_UNIQUE`). */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

type Waiting = { resolve(result: Result): void; reject(error: Error): void };

export interface SqliteThread {
  ask(demand: Demand): Promise<Result>;
  /** Asks for what is not answered. */
  tell(demand: Demand): void;
  /** Checkpoints the write-ahead log into the database and ends the thread. */
  close(): Promise<void>;
}

export function closedError(): SqliteError {
  return new SqliteError('the store is closed', 'SQLITE_MISUSE');
}

/** The worker's file has the ending that this module has: `.ts` from the sources, `.js` when built. */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js',
    import.meta.url,
  );
}

/** Starts the thread on `file`; rejects with a SqliteError where the file cannot be used. */
export async function startSqliteThread(
  file: string,
  role: WorkerSettings['role'] = 'main',
): Promise<SqliteThread> {
  const worker = new Worker(workerUrl(), {
    workerData: { file, role } satisfies WorkerSettings,
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
    fail(closedError());
  });
  try {
    await opened.promise;
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  return {
    ask(demand) {
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        if (gone !== null) {
          reject(gone);
          return;
        }
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, ...demand } satisfies Request);
      });
    },
    tell(demand) {
      if (gone === null) worker.postMessage({ id: ++lastId, ...demand } satisfies Request);
    },
    async close() {
      if (gone !== null) return;
      worker.postMessage('close');
      await closed.promise;
    },
  };
}

/** A thread that only reads, started when it is first asked: most hosts never need it at all. */
export function createAsideThread(file: string): Pick<SqliteThread, 'ask' | 'close'> {
  let started: Promise<SqliteThread> | null = null;
  let isClosed = false;
  return {
    async ask(demand) {
      if (isClosed) throw closedError();
      started ??= startSqliteThread(file, 'aside').catch((error: unknown) => {
        started = null; // what was in the way may be gone at the next try
        throw error;
      });
      return (await started).ask(demand);
    },
    async close() {
      isClosed = true;
      const thread = await started?.catch(() => null);
      await thread?.close();
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
export function threadDialect(thread: Pick<SqliteThread, 'ask'>, connection: ConnectionName): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => createDriver(thread, connection),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/** Makes what Kysely sends its queries to, of whatever sends one to the thread. */
export function createConnection(send: (query: CompiledQuery) => Promise<Result>): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, changes } = await send(query);
      return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
    },
    streamQuery: () => {
      throw new Error('read in pages: the SQLite thread does not stream');
    },
  };
}

function createDriver(thread: Pick<SqliteThread, 'ask'>, name: ConnectionName): Driver {
  const query = (sql: string, parameters: readonly unknown[]): Promise<Result> =>
    thread.ask({ kind: 'query', connection: name, sql, parameters });
  const connection = createConnection(({ sql, parameters }) => query(sql, parameters));
  const run = async (sql: string): Promise<void> => {
    await query(sql, []);
  };
  // One transaction at a time on the one connection. Store.write lines its callers up by itself; this keeps the
  // transactions of the migrations from mixing.
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
    releaseConnection: async () => {
      if (name === 'writer') yieldTurn();
    },
    destroy: async () => {},
  };
}
