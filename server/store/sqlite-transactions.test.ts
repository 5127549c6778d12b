import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../test/house.ts';
import { CHAIN_START, chainHash, type ChainContent, type ChainHead } from './chain.ts';
import type { Journal } from './journal.ts';
import { createTransactions } from './sqlite-transactions.ts';

const ROW: ChainContent = {
  at: 1,
  action: 'sign-in',
  actor: 'operator',
  subject: null,
  app: null,
  door: 'api',
  address: null,
  reason: null,
  detail: '{}',
};

/** Transactions over a table of names; the journal notes what it is told, and fails when it is asked to. */
function open() {
  const file = join(temporaryFolder(), 'test.db');
  const database = new Database(file, { timeout: 0 });
  onTestFinished(() => void database.close());
  database.pragma('journal_mode = WAL');
  database.exec('create table names (name text primary key)');
  const journal = { fails: false, accepted: [] as ChainHead[] };
  const stub: Journal = {
    start() {},
    append(rows) {
      if (journal.fails) throw new Error('no more rows');
      for (const { actor } of rows) database.prepare('insert into names values (?)').run(`row of ${actor}`);
      return { seq: rows.length, hash: '' };
    },
    accept: (head) => void journal.accepted.push(head),
  };
  const transactions = createTransactions(database, stub);
  const add = (operation: number, name: string): void =>
    void transactions.operate(operation, () => database.prepare('insert into names values (?)').run(name));
  const names = (): unknown[] => database.prepare('select name from names order by name').pluck().all();
  return { file, database, journal, transactions, add, names };
}

describe('a transaction', () => {
  test('begins with the first query, and a commit without any costs none', () => {
    const { database, transactions, add } = open();
    transactions.commit([]);
    expect(database.inTransaction).toBe(false);
    add(1, 'a');
    expect(database.inTransaction).toBe(true);
    transactions.commit([]);
    expect(database.inTransaction).toBe(false);
  });

  test('that cannot begin lets nothing through, and what follows may succeed', () => {
    const { file, transactions, add, names } = open();
    const other = new Database(file);
    other.exec('begin immediate');
    expect(() => add(1, 'a')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
    expect(() => add(1, 'b')).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }));
    transactions.undo(1);
    other.exec('rollback');
    other.close();
    add(2, 'c');
    transactions.commit([]);
    expect(names()).toEqual(['c']);
  });

  test('undoes one operation without its neighbours, as often as that is asked for', () => {
    const { transactions, add, names } = open();
    add(1, 'a');
    add(2, 'b');
    add(2, 'c');
    transactions.undo(2);
    transactions.undo(2);
    transactions.undo(1); // over already: it can no longer be undone on its own
    add(3, 'd');
    transactions.commit([ROW]);
    expect(names()).toEqual(['a', 'd', 'row of operator']);
  });

  test('that SQLite itself has ended takes nothing more, fails as a whole, and holds up nobody after it', () => {
    const { database, transactions, add, names } = open();
    add(1, 'a');
    // As SQLite does when the disk is full (SQLite, "Response To Errors Within A Transaction").
    expect(() =>
      transactions.operate(2, () => {
        database.exec('rollback');
        throw new Error('the disk is full');
      }),
    ).toThrow('the disk is full');
    transactions.undo(2);
    expect(() => add(3, 'b')).toThrow('the disk is full');
    expect(() => transactions.commit([ROW])).toThrow('the disk is full');
    expect(names()).toEqual([]);
    add(4, 'c');
    transactions.commit([]);
    expect(names()).toEqual(['c']);
  });

  test('whose journal fails is undone whole, and the journal stays where it was', () => {
    const { journal, transactions, add, names } = open();
    journal.fails = true;
    add(1, 'a');
    expect(() => transactions.commit([ROW])).toThrow('no more rows');
    expect([names(), journal.accepted]).toEqual([[], []]);
    journal.fails = false;
    expect(transactions.commit([ROW])).toEqual({ seq: 1, hash: '' });
    expect([names(), journal.accepted]).toEqual([['row of operator'], [{ seq: 1, hash: '' }]]);
  });
});

test('the hash of a row is the one that sha256sum gives for what the documentation says', () => {
  const row = { seq: 1, ...ROW, actor: 'Zoë "Z"', at: 1_767_247_200_000 };
  // printf '%064d\n%s' 0 '[1,1767247200000,"sign-in","Zoë \"Z\"",null,null,"api",null,null,"{}"]' | sha256sum
  expect(chainHash(CHAIN_START, row)).toBe(
    '47c9df5ec358536c557874b998fe5aa9a95a1008974d8f4937d3b5f5ed940153',
  );
});
