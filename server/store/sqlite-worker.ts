/** Runs SQLite in a thread of its own, so that a disk flush never holds up the event loop that serves the screens. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { refuseDamaged } from './copy.ts';
import { createJournal, type Journal } from './journal.ts';
import type { Answer, Demand, Request, Result, WorkerSettings } from './sqlite-protocol.ts';
import { createTransactions, type Transactions } from './sqlite-transactions.ts';

const { file, role } = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error('sqlite-worker runs as a worker thread only');

/** Statements are few and long-lived; this bounds what generated SQL could pile up. */
const MOST_STATEMENTS = 300;

/** Looks at the file before anything may write to it: what is damaged stays exactly as it was found. */
function checkUntouched(): void {
  let probe: Database.Database;
  try {
    probe = new Database(file, { readonly: true, fileMustExist: true });
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_CANTOPEN') return;
    throw error;
  }
  try {
    refuseDamaged(probe);
  } finally {
    probe.close();
  }
}

type Runner = (sql: string, parameters: readonly unknown[]) => Result;

/** What the thread that only reads does not have. */
interface Writing {
  readonly database: Database.Database;
  readonly run: Runner;
  readonly transactions: Transactions;
  readonly journal: Journal;
}

interface Opened {
  readonly reader: Database.Database;
  readonly read: Runner;
  readonly writing: Writing | null;
}

function open(): Opened {
  if (role === 'aside') {
    const reader = new Database(file, { readonly: true, fileMustExist: true });
    return { reader, read: createRunner(reader), writing: null };
  }
  checkUntouched();
  const writer = new Database(file);
  writer.pragma('journal_mode = WAL');
  writer.pragma('synchronous = FULL');
  // 16 MiB: most pages are written again and again, and so once into the database where it was several times.
  writer.pragma('wal_autocheckpoint = 4000');
  writer.pragma('foreign_keys = ON');
  writer.pragma('trusted_schema = OFF');
  const reader = new Database(file);
  reader.pragma('query_only = ON');
  const journal = createJournal(writer);
  const transactions = createTransactions(writer, journal);
  const writing = { database: writer, run: createRunner(writer), transactions, journal };
  return { reader, read: createRunner(reader), writing };
}

function createRunner(database: Database.Database): Runner {
  const statements = new Map<string, Database.Statement>();
  return (sql, parameters) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      if (statements.size >= MOST_STATEMENTS) statements.delete(statements.keys().next().value as string);
      statements.set(sql, statement);
    }
    if (statement.reader) return { rows: statement.all(...parameters), changes: 0 };
    return { rows: [], changes: statement.run(...parameters).changes };
  };
}

const NOTHING: Result = { rows: [], changes: 0 };

/** Does what was asked; null where nobody waits for an answer. */
function fulfil(demand: Demand, { read, writing }: Opened): Result | null {
  if (demand.kind === 'query' && demand.connection === 'reader') return read(demand.sql, demand.parameters);
  if (writing === null) throw new Error('this thread only reads');
  const { run, transactions, journal } = writing;
  switch (demand.kind) {
    case 'query':
      return run(demand.sql, demand.parameters);
    case 'operate':
      return transactions.operate(demand.operation, () => run(demand.sql, demand.parameters));
    case 'undo':
      undoQuietly(transactions, demand.operation);
      return null;
    case 'commit': {
      const head = transactions.commit(demand.rows);
      return head === undefined ? NOTHING : { ...NOTHING, head };
    }
    case 'start-journal':
      journal.start(demand.head, demand.key);
      return NOTHING;
  }
}

/** The operation has failed and its caller is told why; that it could not be undone makes the commit fail. */
function undoQuietly(transactions: Transactions, operation: number): void {
  try {
    transactions.undo(operation);
  } catch {
    // remembered by the transaction
  }
}

function failure(error: unknown): NonNullable<Answer['error']> {
  const { message, code } = error as { message: string; code?: string };
  return { message, code: code ?? 'SQLITE_ERROR' };
}

function close({ reader, writing }: Opened): void {
  reader.close();
  writing?.database.pragma('wal_checkpoint(TRUNCATE)');
  writing?.database.close();
}

try {
  const opened = open();
  port.on('message', (request: Request | 'close') => {
    if (request === 'close') {
      close(opened);
      port.close();
      return;
    }
    try {
      const result = fulfil(request, opened);
      if (result !== null) port.postMessage({ id: request.id, result } satisfies Answer);
    } catch (error) {
      port.postMessage({ id: request.id, error: failure(error) } satisfies Answer);
    }
  });
  port.postMessage({ id: 0 } satisfies Answer);
} catch (error) {
  port.postMessage({ id: 0, error: failure(error) } satisfies Answer);
}
