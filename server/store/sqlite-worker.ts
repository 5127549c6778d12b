/** Runs SQLite in a thread of its own, so that a disk flush never holds up the event loop that serves the screens. */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import type { Answer, Request, WorkerSettings } from './sqlite-protocol.ts';

const { file } = workerData as WorkerSettings;
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
    const result = probe.pragma('quick_check(1)', { simple: true });
    if (result !== 'ok') throw Object.assign(new Error(String(result)), { code: 'SQLITE_CORRUPT' });
  } finally {
    probe.close();
  }
}

function open(): Record<Request['connection'], Database.Database> {
  checkUntouched();
  const writer = new Database(file);
  writer.pragma('journal_mode = WAL');
  writer.pragma('synchronous = FULL');
  writer.pragma('foreign_keys = ON');
  writer.pragma('trusted_schema = OFF');
  const reader = new Database(file);
  reader.pragma('query_only = ON');
  return { writer, reader };
}

function createRunner(
  database: Database.Database,
): (sql: string, parameters: readonly unknown[]) => Answer['result'] {
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

function failure(error: unknown): NonNullable<Answer['error']> {
  const { message, code } = error as { message: string; code?: string };
  return { message, code: code ?? 'SQLITE_ERROR' };
}

try {
  const databases = open();
  const run = { writer: createRunner(databases.writer), reader: createRunner(databases.reader) };
  port.on('message', (request: Request | 'close') => {
    if (request === 'close') {
      databases.reader.close();
      databases.writer.pragma('wal_checkpoint(TRUNCATE)');
      databases.writer.close();
      port.close();
      return;
    }
    try {
      port.postMessage({ id: request.id, result: run[request.connection](request.sql, request.parameters) });
    } catch (error) {
      port.postMessage({ id: request.id, error: failure(error) });
    }
  });
  port.postMessage({ id: 0 } satisfies Answer);
} catch (error) {
  port.postMessage({ id: 0, error: failure(error) } satisfies Answer);
}
