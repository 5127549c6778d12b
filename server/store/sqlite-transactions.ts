/** The transactions of the connection that writes: begun when first needed, undone by the operation, whole or not at all. */
import type Database from 'better-sqlite3';
import type { ChainContent, ChainHead } from './chain.ts';
import type { Journal } from './journal.ts';

export interface Transactions {
  /** Runs `work` as a part of `operation`, whose savepoint and transaction are opened first where they are not. */
  operate<Value>(operation: number, work: () => Value): Value;
  /** Undoes what the operation did. */
  undo(operation: number): void;
  /** Appends the rows and commits; tells where the journal ends where rows were appended. Whatever fails undoes all. */
  commit(rows: readonly ChainContent[]): ChainHead | undefined;
}

export function createTransactions(database: Database.Database, journal: Journal): Transactions {
  const run = {
    begin: database.prepare('begin immediate'),
    commit: database.prepare('commit'),
    rollback: database.prepare('rollback'),
    savepoint: database.prepare('savepoint operation'),
    undo: database.prepare('rollback to operation'),
    release: database.prepare('release operation'),
  };
  /** The operation whose savepoint is open. */
  let current: number | null = null;
  /**
   * Why the present transaction can only fail. SQLite ends one by itself when the disk is full, say: what its
   * operations do from then on must not become a transaction of its own, without what went before.
   */
  let lost: unknown = null;

  function loseWhere<Value>(isLost: () => boolean, work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      if (isLost()) lost ??= error;
      throw error;
    }
  }

  function enter(operation: number): void {
    if (lost !== null) throw lost;
    // A begin that fails leaves nothing open, so nothing is lost: the next one may succeed.
    if (!database.inTransaction) run.begin.run();
    if (current === operation) return;
    loseWhere(
      () => true,
      () => {
        leave();
        run.savepoint.run();
      },
    );
    current = operation;
  }

  /** Keeps what the operation before did: it can no longer be undone on its own. */
  function leave(): void {
    if (current !== null) run.release.run();
    current = null;
  }

  return {
    operate(operation, work) {
      enter(operation);
      return loseWhere(() => !database.inTransaction, work);
    },
    undo(operation) {
      if (lost !== null || current !== operation) return;
      loseWhere(
        () => true,
        () => {
          run.undo.run();
          leave();
        },
      );
    },
    commit(rows) {
      try {
        if (lost !== null) throw lost;
        if (rows.length > 0 && !database.inTransaction) run.begin.run();
        const head = rows.length > 0 ? journal.append(rows) : undefined;
        if (database.inTransaction) run.commit.run();
        if (head !== undefined) journal.accept(head);
        return head;
      } catch (error) {
        lost ??= error;
        if (database.inTransaction) run.rollback.run();
        throw error;
      } finally {
        current = null;
        // One that cannot even be rolled back must not be joined by the next.
        if (!database.inTransaction) lost = null;
      }
    },
  };
}
