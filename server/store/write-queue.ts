/** The one queue of writes: operations one after the other, as many as wait in one transaction (group commit). */
import { setImmediate as turn } from 'node:timers/promises';
import {
  DefaultQueryExecutor,
  SqliteAdapter,
  SqliteQueryCompiler,
  Transaction,
  type ConnectionProvider,
  type KyselyProps,
} from 'kysely';
import { KeyswitchError } from '../errors.ts';
import type { ChainContent, ChainHead } from './chain.ts';
import type { Tables } from './schema.ts';
import {
  closedError,
  createConnection,
  SqliteError,
  threadDialect,
  type SqliteThread,
} from './sqlite-thread.ts';

export type Writer = Transaction<Tables>;

/** Takes what shall happen once the transaction is on disk; in the order of the commits, before `write` resolves. */
export type AfterCommit = (callback: () => void) => void;
export type WriteOperation<Result> = (writer: Writer, afterCommit: AfterCommit) => Promise<Result>;

export interface WriteQueue {
  write<Result>(operation: WriteOperation<Result>): Promise<Result>;
  /** Adds a row to the journal with what the operation of `writer` does. */
  append(writer: Writer, row: ChainContent): void;
  onAppended(listener: (head: ChainHead) => void): void;
  /** Tells whether the last thing that was to be written found no room; false again once something was written. */
  isFull(): boolean;
  /** Finishes what waits; what comes later is refused. */
  close(): Promise<void>;
}

/** So many operations share a transaction at most: it bounds how long the first one waits for the last. */
const MOST_OPERATIONS_A_TRANSACTION = 128;

interface Queued {
  readonly operation: WriteOperation<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** One transaction to be. */
interface Group {
  readonly operations: Queued[];
  /** Tells each caller, in order, what became of its operation, once the transaction is on disk. */
  readonly outcomes: (() => void)[];
  readonly callbacks: (() => void)[];
  readonly rows: ChainContent[];
  /** Whether SQLite has been asked for anything: without that, and without rows, there is nothing to commit. */
  isTouched: boolean;
}

/** What one operation works with, and what it has left behind. */
interface Scope {
  readonly writer: Writer;
  readonly rows: ChainContent[];
  readonly callbacks: (() => void)[];
  isTouched: boolean;
  isOver: boolean;
}

export function createWriteQueue(thread: SqliteThread): WriteQueue {
  const waiting: Queued[] = [];
  const scopes = new WeakMap<Writer, Scope>();
  const listeners: ((head: ChainHead) => void)[] = [];
  const openWriter = createWriterFactory(thread);
  let running: Promise<void> | null = null;
  let isClosed = false;
  let isFull = false;
  let lastOperation = 0;

  /**
   * While one group is on its way to the disk the next one runs already: the thread does what it is asked in order,
   * so what that group reads is what the former left, committed or rolled back. Its own commit is asked for when the
   * former is answered, so that whoever comes meanwhile shares it.
   */
  async function drain(): Promise<void> {
    await null; // nobody's operation runs within the call of `write`
    let former: Promise<() => void> | null = null;
    while (waiting.length > 0 || former !== null) {
      const group = createGroup();
      await collect(group);
      const tellFormer = await former;
      if (group.operations.length < MOST_OPERATIONS_A_TRANSACTION) {
        tellFormer?.();
        // Who has been told may write again at once, and shares this transaction.
        if (tellFormer !== undefined) await turn();
        await collect(group);
        former = commit(group);
      } else {
        former = commit(group);
        tellFormer?.();
      }
    }
    running = null;
  }

  /** Runs what waits, until nothing does or the group is full. */
  async function collect(group: Group): Promise<void> {
    while (group.operations.length < MOST_OPERATIONS_A_TRANSACTION) {
      const queued = waiting.shift();
      if (queued === undefined) return;
      group.operations.push(queued);
      await runOne(group, queued);
    }
  }

  async function runOne(group: Group, { operation, resolve, reject }: Queued): Promise<void> {
    const number = ++lastOperation;
    const scope = openScope(number);
    try {
      const result = await operation(scope.writer, (callback) => scope.callbacks.push(callback));
      group.outcomes.push(() => resolve(result));
      group.callbacks.push(...scope.callbacks);
      group.rows.push(...scope.rows);
    } catch (error) {
      group.outcomes.push(() => reject(error));
      if (scope.isTouched) thread.tell({ kind: 'undo', operation: number });
    } finally {
      scope.isOver = true;
      group.isTouched ||= scope.isTouched;
    }
  }

  function openScope(operation: number): Scope {
    const writer = openWriter(({ sql, parameters }) => {
      if (scope.isOver) throw new Error('a query came after its operation was over');
      scope.isTouched = true;
      return thread.ask({ kind: 'operate', operation, sql, parameters });
    });
    const scope: Scope = { writer, rows: [], callbacks: [], isTouched: false, isOver: false };
    scopes.set(writer, scope);
    return scope;
  }

  /** Asks for the commit at once; resolves with what then is to be told. Null where there was nothing at all. */
  function commit(group: Group): Promise<() => void> | null {
    const { operations, rows, isTouched } = group;
    if (operations.length === 0) return null;
    if (!isTouched && rows.length === 0) return Promise.resolve(() => succeed(group, undefined));
    return thread.ask({ kind: 'commit', rows }).then(
      ({ head }) => {
        isFull = false;
        return () => succeed(group, head);
      },
      // The commit itself failed (a full disk, say): nothing of this group happened.
      (error: unknown) => () => operations.forEach(({ reject }) => reject(error)),
    );
  }

  function succeed({ callbacks, outcomes }: Group, head: ChainHead | undefined): void {
    if (head !== undefined) for (const listener of listeners) listener(head);
    for (const callback of callbacks) callback();
    for (const tell of outcomes) tell();
  }

  return {
    write<Result>(operation: WriteOperation<Result>): Promise<Result> {
      return new Promise<Result>((resolve, reject) => {
        if (isClosed) {
          reject(closedError());
          return;
        }
        const refuse = (error: unknown): void => {
          const told = inOurWords(error);
          isFull ||= told !== error;
          reject(told);
        };
        waiting.push({ operation, resolve: resolve as (result: unknown) => void, reject: refuse });
        running ??= drain();
      });
    },
    append(writer, row) {
      const scope = scopes.get(writer);
      if (scope === undefined || scope.isOver) throw new Error('no operation is under way for this row');
      scope.rows.push(row);
    },
    onAppended: (listener) => void listeners.push(listener),
    isFull: () => isFull,
    async close() {
      while (running !== null) await running;
      isClosed = true;
    },
  };
}

/** A disk that is full, and one that fails to be written, are one thing to whoever asked: `storage-full`. */
function inOurWords(error: unknown): unknown {
  const isOfDisk = error instanceof SqliteError && /^SQLITE_(FULL|IOERR)/.test(error.code);
  return isOfDisk ? new KeyswitchError('storage-full', undefined, { cause: error }) : error;
}

function createGroup(): Group {
  return { operations: [], outcomes: [], callbacks: [], rows: [], isTouched: false };
}

type Send = Parameters<typeof createConnection>[0];

/** Makes the writers of operations: each is a Kysely that sends what it is asked by `send`. */
function createWriterFactory(thread: SqliteThread): (send: Send) => Writer {
  const dialect = threadDialect(thread, 'writer');
  const shared = { config: { dialect }, dialect, driver: dialect.createDriver() };
  const compiler = new SqliteQueryCompiler();
  const adapter = new SqliteAdapter();
  return (send) => {
    const connection = createConnection(send);
    const provider: ConnectionProvider = { provideConnection: (consumer) => consumer(connection) };
    const executor = new DefaultQueryExecutor(compiler, adapter, provider);
    return new Transaction<Tables>({ ...shared, executor } satisfies KyselyProps);
  };
}
