import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { Kysely, sql, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describe, expect, onTestFinished, test } from 'vitest';
import { moduleUrl, startChild } from '../../test/child.ts';
import { temporaryFolder } from '../../test/house.ts';
import { CHAIN_START, chainHash, type ChainContent, type ChainHead } from './chain.ts';
import * as oldest from './migrations/001-spine.ts';
import type { UsersTable } from './schema.ts';
import { SqliteError } from './sqlite-thread.ts';
import { isDuplicate, openStore, storeFailure, type Store, type Writer } from './store.ts';

const fileIn = (folder: string): string => join(folder, 'keyswitch.db');

/** Opens a store that is closed after the test. */
async function open(folder = temporaryFolder()): Promise<{ folder: string; store: Store }> {
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  return { folder, store };
}

/** Opens the database beside the store, as another program would, for the length of `look`. */
function beside<Result>(folder: string, look: (database: Database.Database) => Result): Result {
  const database = new Database(fileIn(folder));
  try {
    return look(database);
  } finally {
    database.close();
  }
}

function user(name: string): UsersTable {
  const common = { display_name: name, type: 'Active', enabled: 1, logout_time_in_min: null };
  return { id: `id of ${name}`, name, ...common, created_at: 1, changed_at: 1 };
}

async function addUser(writer: Writer, name: string): Promise<string> {
  await writer.insertInto('users').values(user(name)).execute();
  return name;
}

const namesIn = async (store: Store): Promise<string[]> =>
  (await store.read.selectFrom('users').select('name').orderBy('created_at').orderBy('name').execute()).map(
    ({ name }) => name,
  );

const schemaOf = (folder: string): unknown[] =>
  beside(folder, (database) =>
    database.prepare('select type, name, tbl_name, sql from sqlite_master order by type, name').all(),
  );

/** A database as the first version of Keyswitch left it, with a user in it. */
async function makeOldest(folder: string): Promise<void> {
  const db = new Kysely<{ users: UsersTable }>({
    dialect: new SqliteDialect({ database: new Database(fileIn(folder)) }),
  });
  const provider = { getMigrations: async () => ({ '001-spine': oldest }) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
  await db.insertInto('users').values(user('from the first version')).execute();
  await db.destroy();
}

describe('opening', () => {
  test('reaches the same schema from nothing and from the oldest database, whose records stay', async () => {
    const fresh = await open();
    const folder = temporaryFolder();
    await makeOldest(folder);
    const old = await open(folder);
    expect(schemaOf(folder)).toEqual(schemaOf(fresh.folder));
    expect(await namesIn(old.store)).toEqual(['from the first version']);
  });

  test('changes nothing in a database of this version', async () => {
    const folder = temporaryFolder();
    await (await openStore(folder)).close();
    const before = readFileSync(fileIn(folder));
    await (await openStore(folder)).close();
    expect(readFileSync(fileIn(folder)).equals(before)).toBe(true);
  });

  test('a migration that fails leaves nothing of itself behind', async () => {
    const folder = temporaryFolder();
    beside(folder, (database) => database.exec('create table links (stands_in_the_way)'));
    const tablesBefore = tablesIn(folder);
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'data-folder-unusable' });
    expect(tablesIn(folder)).toEqual(tablesBefore);
    beside(folder, (database) => database.exec('drop table links'));
    const { store } = await open(folder);
    expect(await namesIn(store)).toEqual([]);
  });

  /** The tables but those in which the migrations keep count. */
  function tablesIn(folder: string): unknown[] {
    return beside(folder, (database) =>
      database
        .prepare(`select name from sqlite_master where type = 'table' and name not like 'kysely%'`)
        .pluck()
        .all(),
    );
  }

  test('a folder that is not there is refused', async () => {
    const folder = join(temporaryFolder(), 'missing');
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'data-folder-unusable' });
  });

  test.each([
    ['foreign_keys', 1],
    ['journal_mode', 'wal'],
    ['synchronous', 2], // FULL
    ['trusted_schema', 0],
  ])('the connection that writes has %s = %s', async (pragma, expected) => {
    const { store } = await open();
    const { rows } = await store.write((writer) => sql`pragma ${sql.raw(pragma)}`.execute(writer));
    expect(rows).toEqual([{ [pragma]: expected }]);
  });

  test('the connection that reads cannot write', async () => {
    const { store } = await open();
    await expect(store.read.insertInto('users').values(user('operator')).execute()).rejects.toMatchObject({
      code: 'SQLITE_READONLY',
    });
  });
});

describe('a database that is', () => {
  const DAMAGE: [string, (file: string) => void][] = [
    ['no database at all', (file) => writeFileSync(file, 'Dear diary,\n'.repeat(1000))],
    ['overwritten at its beginning', (file) => overwrite(file, 0)],
    ['overwritten in its schema', (file) => overwrite(file, 100)],
    ['overwritten in a table', (file) => overwrite(file, 4096)],
    ['overwritten in its last page', (file) => overwrite(file, readFileSync(file).length - 4096)],
    ['cut in half', (file) => truncateSync(file, 8 * 4096)],
  ];

  /** Puts bytes that mean nothing in the place of 64 of the file's. */
  function overwrite(file: string, offset: number): void {
    const bytes = readFileSync(file);
    bytes.fill(0xa5, offset, offset + 64);
    writeFileSync(file, bytes);
  }

  test.each(DAMAGE)('%s is refused, and not a byte of it is changed', async (_name, damage) => {
    const folder = temporaryFolder();
    await (await openStore(folder)).close();
    damage(fileIn(folder));
    const before = readFileSync(fileIn(folder));
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(readFileSync(fileIn(folder)).equals(before)).toBe(true);
  });

  test('damaged where a crash left a write-ahead log is refused, and neither file is changed', async () => {
    const folder = temporaryFolder();
    await (await openStore(folder)).close();
    await crashAfterAdding('operator', folder);
    overwrite(fileIn(folder), 0);
    const before = [fileIn(folder), `${fileIn(folder)}-wal`].map((file) => readFileSync(file));
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store-corrupt' });
    const after = [fileIn(folder), `${fileIn(folder)}-wal`].map((file) => readFileSync(file));
    expect(after.map((bytes, i) => bytes.equals(before[i] as Buffer))).toEqual([true, true]);
  });

  test('written by a newer Keyswitch is refused, and not a byte of it is changed', async () => {
    const folder = temporaryFolder();
    await (await openStore(folder)).close();
    beside(folder, (database) => {
      database.prepare('insert into kysely_migration values (?, ?)').run('999-from-the-future', '2040-01-01');
    });
    const before = readFileSync(fileIn(folder));
    await expect(openStore(folder)).rejects.toMatchObject({ code: 'store-newer' });
    expect(readFileSync(fileIn(folder)).equals(before)).toBe(true);
  });
});

/** Lets a process of its own add a user and die of SIGKILL as soon as that was answered. */
async function crashAfterAdding(name: string, folder: string): Promise<void> {
  const script = `
    import { openStore } from ${JSON.stringify(moduleUrl('server/store/store.ts'))};
    const [, folder, row] = process.argv;
    const store = await openStore(folder);
    await store.write((writer) => writer.insertInto('users').values(JSON.parse(row)).execute());
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const child = await startChild(script, folder, JSON.stringify(user(name)));
  await child.kill();
}

test('what was answered is there after the process was killed', async () => {
  const folder = temporaryFolder();
  await crashAfterAdding('operator', folder);
  const { store } = await open(folder);
  expect(await namesIn(store)).toEqual(['operator']);
});

describe('the thread aside', () => {
  test('reads what is committed while the other thread is in the middle of a transaction', async () => {
    const { store } = await open();
    await store.write((writer) => addUser(writer, 'operator'));
    const seen = await store.write(async (writer) => {
      await addUser(writer, 'supervisor');
      return store.aside.selectFrom('users').select('name').execute();
    });
    expect(seen).toEqual([{ name: 'operator' }]);
    expect(await store.aside.selectFrom('users').select('name').execute()).toHaveLength(2);
  });

  test('cannot write', async () => {
    const { store } = await open();
    await expect(store.aside.insertInto('users').values(user('operator')).execute()).rejects.toMatchObject({
      code: 'SQLITE_READONLY',
    });
  });

  test('does not hold up a read beside it', async () => {
    const { store } = await open();
    const order: string[] = [];
    const count = sql.raw(
      `with recursive n(i) as (values(1) union all select i + 1 from n where i < 1000000) select count(*) from n`,
    );
    await store.aside.selectFrom('users').select('id').execute();
    const long = count.execute(store.aside).then(() => order.push('long'));
    const short = namesIn(store).then(() => order.push('short'));
    await Promise.all([long, short]);
    expect(order).toEqual(['short', 'long']);
  });

  test('is not there any more when the store is closed, used or not, and leaves one file', async () => {
    for (const isUsed of [true, false]) {
      const folder = temporaryFolder();
      const store = await openStore(folder);
      const read = () => store.aside.selectFrom('users').select('name').execute();
      if (isUsed) await read();
      await store.close();
      await expect(read()).rejects.toMatchObject({ code: 'SQLITE_MISUSE' });
      expect(readdirSync(folder)).toEqual(['keyswitch.db']);
    }
  });
});

describe('the database itself', () => {
  test('refuses a record that names a user who is not there', async () => {
    const { store } = await open();
    const row = { user_id: 'nobody', hash: 'x', must_change: 0, changed_at: 1 };
    await expect(
      store.write((writer) => writer.insertInto('passwords').values(row).execute()),
    ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
  });

  test.each(['update audit set actor = ?', 'delete from audit where actor <> ?'])(
    'refuses to change the audit trail: %s',
    async (statement) => {
      const { folder, store } = await open();
      const entry = { at: 1, action: 'sign-in', actor: 'operator', door: 'api', detail: '{}' };
      await store.write((writer) => writer.insertInto('audit').values(entry).execute());
      const [before, after] = [statement.replace('?', `'somebody else'`), statement];
      await expect(store.write((writer) => sql.raw(before).execute(writer))).rejects.toMatchObject({
        code: 'SQLITE_CONSTRAINT_TRIGGER',
      });
      expect(() => beside(folder, (db) => db.prepare(after).run('somebody else'))).toThrow(
        expect.objectContaining({ code: 'SQLITE_CONSTRAINT_TRIGGER' }),
      );
      expect(await store.read.selectFrom('audit').select('actor').execute()).toEqual([{ actor: 'operator' }]);
    },
  );

  test('holds one live session an app, and any number that have ended', async () => {
    const { store } = await open();
    const session = (id: string, endedAt: number | null) => ({
      ...{ id, kind: 'app', user_id: 'id of operator', app_id: 'app', role: '5', door: 'api', address: null },
      ...{
        opened_at: 1,
        expires_at: 2,
        idle_timeout_ms: null,
        active_at: 1,
        cookie_hash: null,
        refresh_id: null,
      },
      ...{ ended_at: endedAt, end_reason: endedAt === null ? null : 'signed-out' },
    });
    const add = (id: string, endedAt: number | null) =>
      store.write((writer) => writer.insertInto('sessions').values(session(id, endedAt)).execute());
    await store.write(async (writer) => {
      await addUser(writer, 'operator');
      const app = { id: 'app', name: 'HMI', key_hash: '', logout_time_in_min: 10, station: 0, created_at: 1 };
      await writer.insertInto('apps').values(app).execute();
    });
    await add('first', 2);
    await add('second', 2);
    await add('live', null);
    await expect(add('intruder', null)).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
  });
});

/**
 * The transactions in the write-ahead log: a frame that ends one tells the size of the database after it
 * (SQLite file format, section 4.1). Frames with another salt are left over from before a checkpoint.
 */
function commitsIn(folder: string): number {
  const log = readFileSync(`${fileIn(folder)}-wal`);
  const frameSize = 24 + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  let commits = 0;
  for (let at = 32; at + frameSize <= log.length; at += frameSize) {
    if (log.subarray(at + 8, at + 16).equals(salt) && log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}

describe('writing', () => {
  test.each([
    ['one alone', 1, 1],
    ['a hundred that wait', 100, 1],
    ['as many as share one at most', 128, 1],
    ['one more than that', 129, 2],
    ['three hundred', 300, 3],
  ])('%s: %d operations take %d transactions', async (_name, operations, transactions) => {
    const { folder, store } = await open();
    const before = commitsIn(folder);
    const names = Array.from({ length: operations }, (_, i) => `user ${i}`);
    await Promise.all(names.map((name) => store.write((writer) => addUser(writer, name))));
    expect(commitsIn(folder) - before).toBe(transactions);
    expect((await namesIn(store)).toSorted()).toEqual(names.toSorted());
  });

  test('those that come one after the other take a transaction each', async () => {
    const { folder, store } = await open();
    const before = commitsIn(folder);
    for (const name of ['a', 'b', 'c']) await store.write((writer) => addUser(writer, name));
    expect(commitsIn(folder) - before).toBe(3);
  });

  test('gives each caller the result of its own operation', async () => {
    const { store } = await open();
    const names = Array.from({ length: 20 }, (_, i) => `user ${i}`);
    const results = await Promise.all(names.map((name) => store.write((writer) => addUser(writer, name))));
    expect(results).toEqual(names);
  });

  test('an operation that fails is undone, its neighbours in the same transaction are not', async () => {
    const { folder, store } = await open();
    const before = commitsIn(folder);
    const called: string[] = [];
    const add = (name: string, fails: boolean): Promise<string> =>
      store.write(async (writer, afterCommit) => {
        afterCommit(() => called.push(name));
        await addUser(writer, name);
        if (fails) throw new Error(`${name} changed their mind`);
        return name;
      });
    const outcomes = await Promise.allSettled([add('a', false), add('b', true), add('c', false)]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: { message: 'b changed their mind' } },
      { status: 'fulfilled', value: 'c' },
    ]);
    expect(await namesIn(store)).toEqual(['a', 'c']);
    expect(called).toEqual(['a', 'c']);
    expect(commitsIn(folder) - before).toBe(1);
  });

  test('an operation that the database refuses is undone whole', async () => {
    const { store } = await open();
    await store.write((writer) => addUser(writer, 'operator'));
    const twice = store.write(async (writer) => {
      await addUser(writer, 'supervisor');
      await addUser(writer, 'operator');
    });
    await expect(twice).rejects.toSatisfy(isDuplicate);
    expect(await namesIn(store)).toEqual(['operator']);
  });

  test('an operation sees what those before it in its transaction did, and nobody else does', async () => {
    const { folder, store } = await open();
    const first = store.write((writer) => addUser(writer, 'operator'));
    const seen = await store.write(async (writer) => ({
      inside: (await writer.selectFrom('users').selectAll().execute()).length,
      reading: (await namesIn(store)).length,
      beside: beside(folder, (db) => db.prepare('select count(*) from users').pluck().get()),
    }));
    await first;
    expect(seen).toEqual({ inside: 1, reading: 0, beside: 0 });
    expect(await namesIn(store)).toEqual(['operator']);
  });

  test('what shall happen after the commit finds it on disk, and happens in order before any caller is answered', async () => {
    const { folder, store } = await open();
    const steps: string[] = [];
    const add = async (name: string): Promise<void> => {
      await store.write(async (writer, afterCommit) => {
        afterCommit(() => {
          const names = beside(folder, (db) =>
            db.prepare('select name from users order by name').pluck().all(),
          );
          steps.push(`after ${name}: ${names.join()}`);
        });
        await addUser(writer, name);
        afterCommit(() => steps.push(`once more ${name}`));
      });
      steps.push(`answered ${name}`);
    };
    await Promise.all([add('a'), add('b')]);
    expect(steps).toEqual([
      'after a: a,b',
      'once more a',
      'after b: a,b',
      'once more b',
      'answered a',
      'answered b',
    ]);
  });

  test('a write that is asked for after a commit waits for the next transaction', async () => {
    const { folder, store } = await open();
    const before = commitsIn(folder);
    let second: Promise<string> | undefined;
    await store.write(async (writer, afterCommit) => {
      await addUser(writer, 'a');
      afterCommit(() => (second = store.write((next) => addUser(next, 'b'))));
    });
    await second;
    expect(await namesIn(store)).toEqual(['a', 'b']);
    expect(commitsIn(folder) - before).toBe(2);
  });

  test('a commit that fails undoes all that shared it, tells every caller, and holds up nobody after it', async () => {
    const { store } = await open();
    const called: string[] = [];
    const add = (name: string): Promise<string> =>
      store.write((writer, afterCommit) => {
        afterCommit(() => called.push(name));
        return addUser(writer, name);
      });
    const orphan = store.write(async (writer) => {
      // Checked when the transaction is committed, no sooner: the operation itself succeeds.
      await sql`pragma defer_foreign_keys = on`.execute(writer);
      const row = { user_id: 'nobody', hash: 'x', must_change: 0, changed_at: 1 };
      await writer.insertInto('passwords').values(row).execute();
    });
    const outcomes = await Promise.allSettled([add('a'), orphan, add('b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(called).toEqual([]);
    expect(await namesIn(store)).toEqual([]);
    await add('c');
    expect(await namesIn(store)).toEqual(['c']);
    expect(called).toEqual(['c']);
  });

  test('whatever fails and whatever comes at once, what is on disk is what was answered', async () => {
    const { store } = await open();
    let serial = 0;
    const answered: string[] = [];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { maxLength: 12 }), { maxLength: 6 }),
        async (batches) => {
          for (const batch of batches) {
            const outcomes = batch.map((fails) => {
              const name = `user ${String((serial += 1)).padStart(6, '0')}`;
              return store.write(async (writer) => {
                await addUser(writer, name);
                if (fails) throw new Error('undo this');
                return name;
              });
            });
            for (const outcome of await Promise.allSettled(outcomes)) {
              if (outcome.status === 'fulfilled') answered.push(outcome.value);
            }
          }
          expect(await namesIn(store)).toEqual(answered);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('operations that ask the database for nothing', () => {
  test('cost no transaction, and are answered after those before them', async () => {
    const { folder, store } = await open();
    const before = commitsIn(folder);
    const order: string[] = [];
    const first = store.write((writer) => addUser(writer, 'a')).then(() => order.push('first'));
    const second = store.write(async () => order.push('runs')).then(() => order.push('second'));
    await Promise.all([first, second]);
    await Promise.all([store.write(async () => 1), store.write(async () => 2)]);
    expect(commitsIn(folder) - before).toBe(1);
    expect(order).toEqual(['runs', 'first', 'second']);
  });

  test('run while a transaction is on its way to the disk, and are told after it', async () => {
    const { store } = await open();
    const order: string[] = [];
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 300; i++) {
      writes.push(
        store.write(async (writer, afterCommit) => {
          afterCommit(() => order.push(`after ${i}`));
          if (i % 2 === 0) await addUser(writer, `user ${i}`);
        }),
      );
    }
    await Promise.all(writes);
    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => `after ${i}`));
  });
});

test('a query that comes after its operation is over is refused, and is no part of another', async () => {
  const { store } = await open();
  let late: Writer | undefined;
  await store.write(async (writer) => {
    late = writer;
    await addUser(writer, 'a');
  });
  await expect(addUser(late as Writer, 'b')).rejects.toThrow('after its operation was over');
  await store.write((writer) => addUser(writer, 'c'));
  expect(await namesIn(store)).toEqual(['a', 'c']);
});

describe('the journal', () => {
  const content = (actor: string): ChainContent => ({
    ...{ at: 1, action: 'sign-in', actor, subject: null, app: null, door: 'api' },
    ...{ address: null, reason: null, detail: '{}' },
  });

  async function openJournal() {
    const opened = await open();
    const heads: ChainHead[] = [];
    await opened.store.journal.start({ seq: 0, hash: CHAIN_START }, new Uint8Array(32));
    opened.store.journal.onAppended((head) => void heads.push(head));
    const rows = (): Promise<{ seq: number; actor: string }[]> =>
      opened.store.read.selectFrom('audit').select(['seq', 'actor']).orderBy('seq').execute();
    return { ...opened, heads, rows };
  }

  test('numbers and chains the rows in the order of the operations, without a gap where one failed', async () => {
    const { store, heads, rows } = await openJournal();
    const write = (actor: string, fails = false): Promise<void> =>
      store.write(async (writer) => {
        store.journal.append(writer, content(actor));
        if (fails) throw new Error('undo this');
      });
    await Promise.allSettled([write('a'), write('b', true), write('c')]);
    await write('d');
    expect(await rows()).toEqual([
      { seq: 1, actor: 'a' },
      { seq: 2, actor: 'c' },
      { seq: 3, actor: 'd' },
    ]);
    const hashes = [content('a'), content('c'), content('d')].reduce<string[]>(
      (before, row, i) => [...before, chainHash(before.at(-1) ?? CHAIN_START, { seq: i + 1, ...row })],
      [],
    );
    expect(heads).toEqual([
      { seq: 2, hash: hashes[1] },
      { seq: 3, hash: hashes[2] },
    ]);
  });

  test('does not move where the commit fails, and goes on from there', async () => {
    const { store, heads, rows } = await openJournal();
    const orphan = store.write(async (writer) => {
      store.journal.append(writer, content('lost'));
      await sql`pragma defer_foreign_keys = on`.execute(writer);
      const row = { user_id: 'nobody', hash: 'x', must_change: 0, changed_at: 1 };
      await writer.insertInto('passwords').values(row).execute();
    });
    await expect(orphan).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    await store.write(async (writer) => store.journal.append(writer, content('kept')));
    expect(await rows()).toEqual([{ seq: 1, actor: 'kept' }]);
    expect(heads.map(({ seq }) => seq)).toEqual([1]);
  });

  test('refuses a row before it is started, and one of an operation that is over', async () => {
    const { store } = await open();
    await expect(
      store.write(async (writer) => store.journal.append(writer, content('early'))),
    ).rejects.toThrow('has not been started');
    let late: Writer | undefined;
    await store.write(async (writer) => void (late = writer));
    expect(() => store.journal.append(late as Writer, content('late'))).toThrow('no operation is under way');
  });
});

test('the rows of the first version are chained as they are', async () => {
  const folder = temporaryFolder();
  await makeOldest(folder);
  beside(folder, (database) => {
    const insert = database.prepare(
      `insert into audit (at, action, actor, subject, door, detail) values (?, 'sign-in', ?, 'Zoë', 'api', '{"a":1}')`,
    );
    for (let i = 1; i <= 1203; i++) insert.run(i, `operator ${i}`);
  });
  const { store } = await open(folder);
  const rows = await store.read.selectFrom('audit').selectAll().orderBy('seq').execute();
  expect(rows).toHaveLength(1203);
  let previous = CHAIN_START;
  for (const { hash, ...row } of rows) {
    previous = chainHash(previous, row);
    expect(Buffer.from(hash ?? []).toString('hex')).toBe(previous);
  }
  const heads = await store.read.selectFrom('audit_head').selectAll().execute();
  expect(heads.map(({ seq, hash }) => [seq, Buffer.from(hash).toString('hex')])).toEqual([[1203, previous]]);
});

describe('closing', () => {
  test('finishes what waits, and leaves one file', async () => {
    const folder = temporaryFolder();
    const store = await openStore(folder);
    const names = Array.from({ length: 200 }, (_, i) => `user ${i}`);
    const writes = names.map((name) => store.write((writer) => addUser(writer, name)));
    await store.close();
    expect(await Promise.all(writes)).toEqual(names);
    expect(readdirSync(folder)).toEqual(['keyswitch.db']);
    const again = await open(folder);
    expect(await namesIn(again.store)).toHaveLength(names.length);
  });

  test('afterwards a read and a write fail, and closing again does nothing', async () => {
    const folder = temporaryFolder();
    const store = await openStore(folder);
    await store.close();
    await expect(namesIn(store)).rejects.toMatchObject({ code: 'SQLITE_MISUSE' });
    await expect(store.write((writer) => addUser(writer, 'late'))).rejects.toMatchObject({
      code: 'SQLITE_MISUSE',
    });
    await store.close();
  });
});

test.each([
  ['a second record of a name', new SqliteError('', 'SQLITE_CONSTRAINT_UNIQUE'), true],
  ['a second record of an id', new SqliteError('', 'SQLITE_CONSTRAINT_PRIMARYKEY'), true],
  ['a record that names nobody', new SqliteError('', 'SQLITE_CONSTRAINT_FOREIGNKEY'), false],
  ['a full disk', new SqliteError('', 'SQLITE_FULL'), false],
  ['an error of another kind', Object.assign(new Error(), { code: 'SQLITE_CONSTRAINT_UNIQUE' }), false],
])('%s is told from a duplicate', (_name, error, expected) => {
  expect(isDuplicate(error)).toBe(expected);
});

test('the log is told the code of a failed write', () => {
  expect(storeFailure(new SqliteError('database or disk is full', 'SQLITE_FULL'))).toBe(
    'SQLITE_FULL: database or disk is full',
  );
  expect(storeFailure(new Error('a defect'))).toBe('a defect');
});
