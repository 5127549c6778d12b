import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../test/house.ts';
import { copyDatabase } from './copy.ts';
import { lockFolder } from './folder-lock.ts';
import { restoreDatabase } from './restore.ts';
import { openStore, STORE_FILE, type Store } from './store.ts';

const NOW = Date.UTC(2026, 10, 22, 14, 30);

interface Site {
  readonly folder: string;
  /** Where the copies go. */
  readonly share: string;
}

function newSite(): Site {
  const folder = temporaryFolder();
  const share = join(folder, 'share');
  mkdirSync(share);
  return { folder, share };
}

async function open(folder: string): Promise<Store> {
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  return store;
}

const addUser = (store: Store, name: string): Promise<unknown> =>
  store.write((writer) =>
    writer
      .insertInto('users')
      .values({
        ...{ id: `id of ${name}`, name, display_name: name, type: 'Active', enabled: 1 },
        ...{ logout_time_in_min: null, created_at: 1, changed_at: 1 },
      })
      .execute(),
  );

const namesIn = async (store: Store): Promise<string[]> =>
  (await store.read.selectFrom('users').select('name').orderBy('name').execute()).map(({ name }) => name);

/** In the data folder, or on the share. */
const copyTo = ({ folder, share }: Site, name = 'copy.db'): void =>
  copyDatabase(join(folder, STORE_FILE), join(share, name));

function look<Result>(file: string, work: (database: Database.Database) => Result): Result {
  const database = new Database(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** A site with a copy on its share that has `anna`; `ben` came later. */
async function openCopied(): Promise<Site & { readonly copy: string }> {
  const site = newSite();
  const store = await openStore(site.folder);
  await addUser(store, 'anna');
  copyTo(site);
  await addUser(store, 'ben');
  await store.close();
  return { ...site, copy: join(site.share, 'copy.db') };
}

describe('a copy', () => {
  test('is whole, with what is in the write-ahead log only, in a file that its owner alone may read', async () => {
    const site = newSite();
    const store = await open(site.folder);
    await addUser(store, 'anna');
    copyTo(site);
    const file = join(site.share, 'copy.db');
    expect(look(file, (it) => it.prepare('select name from users').pluck().all())).toEqual(['anna']);
    expect(readdirSync(site.share)).toEqual(['copy.db']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await addUser(store, 'ben');
    expect(await namesIn(store)).toEqual(['anna', 'ben']);
  });

  test('is known as one when it is opened, the database itself is not', async () => {
    const { folder, copy } = await openCopied();
    expect((await open(folder)).isCopy).toBe(false);
    const other = temporaryFolder();
    writeFileSync(join(other, STORE_FILE), readFileSync(copy));
    const store = await openStore(other);
    expect(store.isCopy).toBe(true);
    await store.write((writer) => store.adopt(writer));
    await store.close();
    expect((await open(other)).isCopy).toBe(false);
  });

  test('is no more adopted than the operation with it is committed', async () => {
    const { copy } = await openCopied();
    const folder = temporaryFolder();
    writeFileSync(join(folder, STORE_FILE), readFileSync(copy));
    const store = await openStore(folder);
    const undone = store.write(async (writer) => {
      await store.adopt(writer);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await store.close();
    expect((await open(folder)).isCopy).toBe(true);
  });

  test.each([
    ['the folder is not there', 'missing/copy.db', 'ENOENT'],
    ['something else is called so', 'taken.db', 'EEXIST'],
  ])('fails where %s, with its code, and leaves what was there', async (_, name, code) => {
    const site = newSite();
    await open(site.folder);
    writeFileSync(join(site.share, 'taken.db'), 'mine');
    expect(() => copyTo(site, name)).toThrow(expect.objectContaining({ code }) as Error);
    expect(readdirSync(site.share)).toEqual(['taken.db']);
    expect(readFileSync(join(site.share, 'taken.db'), 'utf8')).toBe('mine');
  });

  test('of a database that has been damaged is none, and nothing is left', async () => {
    const site = newSite();
    const store = await open(site.folder);
    for (let i = 0; i < 200; i += 1) await addUser(store, `a user with a long name, number ${i}`);
    await store.write(async () => {});
    const file = join(site.folder, STORE_FILE);
    look(file, (it) => it.pragma('wal_checkpoint(TRUNCATE)'));
    const bytes = readFileSync(file);
    // Zeros in the middle of a table, page by page, behind the back of SQLite.
    bytes.fill(0, 4096 * 4, bytes.length);
    writeFileSync(file, bytes);
    const code = expect.stringMatching(/^SQLITE_/) as string;
    expect(() => copyTo(site)).toThrow(expect.objectContaining({ code }) as Error);
    expect(readdirSync(site.share)).toEqual([]);
  });
});

describe('a backup that is put back', () => {
  test('stands in the place of the database, which stays beside it as it was', async () => {
    const { folder, copy } = await openCopied();
    const { former, until } = restoreDatabase(folder, copy, NOW);
    expect(former).toBe('keyswitch.db.before-20261122T143000000Z');
    expect(until).toBeNull();
    const restored = await open(folder);
    expect(await namesIn(restored)).toEqual(['anna']);
    expect(restored.isCopy).toBe(true);
    const names = look(join(folder, former ?? ''), (it) =>
      it.prepare('select name from users').pluck().all(),
    );
    expect(names).toEqual(['anna', 'ben']);
  });

  test('takes nothing over from the write-ahead log of a host that was killed, which goes with the former one', async () => {
    const site = newSite();
    const store = await openStore(site.folder);
    await addUser(store, 'anna');
    copyTo(site);
    await addUser(store, 'ben');
    // As a kill leaves it: the log has what the database has not.
    const killed = temporaryFolder();
    for (const ending of ['', '-wal']) {
      writeFileSync(
        join(killed, `${STORE_FILE}${ending}`),
        readFileSync(join(site.folder, `${STORE_FILE}${ending}`)),
      );
    }
    await store.close();
    const { former } = restoreDatabase(killed, join(site.share, 'copy.db'), NOW);
    expect(await namesIn(await open(killed))).toEqual(['anna']);
    const names = look(join(killed, former ?? ''), (it) =>
      it.prepare('select name from users').pluck().all(),
    );
    expect(names).toEqual(['anna', 'ben']);
  });

  test('also goes where there is no database, and over what a restoring that was cut off has left', async () => {
    const { copy } = await openCopied();
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${STORE_FILE}.new`), 'half of a copy');
    expect(restoreDatabase(folder, copy, NOW).former).toBeNull();
    expect(await namesIn(await open(folder))).toEqual(['anna']);
    expect(existsSync(join(folder, `${STORE_FILE}.new`))).toBe(false);
  });

  test('goes in the place of a damaged one, which stays as it was found', async () => {
    const { folder, copy } = await openCopied();
    const file = join(folder, STORE_FILE);
    truncateSync(file, 5000);
    const damaged = readFileSync(file);
    writeFileSync(`${file}-wal`, 'what was not in it yet');
    const { former } = restoreDatabase(folder, copy, NOW);
    expect(readFileSync(join(folder, former ?? ''))).toEqual(damaged);
    expect(readFileSync(join(folder, `${former}-wal`), 'utf8')).toBe('what was not in it yet');
    expect(await namesIn(await open(folder))).toEqual(['anna']);
  });

  test.each<[string, string, (file: string) => void]>([
    ['is no database', 'backup-unusable', (file) => writeFileSync(file, 'a letter')],
    ['is empty', 'backup-unusable', (file) => truncateSync(file)],
    ['is cut off', 'backup-unusable', (file) => truncateSync(file, 20_000)],
    [
      'is a database of something else',
      'backup-unusable',
      (file) => look(file, (it) => it.exec('drop table audit')),
    ],
    [
      'is of a newer version',
      'store-newer',
      (file) => look(file, (it) => it.exec("insert into kysely_migration values ('999-later', 'now')")),
    ],
  ])('is refused where it %s: %s, and nothing changes', async (_, code, spoil) => {
    const { folder, copy } = await openCopied();
    spoil(copy);
    const before = readdirSync(folder);
    expect(() => restoreDatabase(folder, copy, NOW)).toThrow(expect.objectContaining({ code }) as Error);
    expect(readdirSync(folder).filter((name) => !before.includes(name) && name !== 'keyswitch.lock')).toEqual(
      [],
    );
    expect(await namesIn(await open(folder))).toEqual(['anna', 'ben']);
  });

  test('is refused while another program reads the database, whose log cannot be settled then', async () => {
    const { folder, copy } = await openCopied();
    const file = join(folder, STORE_FILE);
    const reader = new Database(file, { readonly: true });
    const writer = new Database(file);
    onTestFinished(() => [reader, writer].forEach((it) => it.close()));
    const reading = reader.prepare('select name from users').iterate();
    reading.next();
    writer.exec("update users set display_name = 'Ben' where name = 'ben'");
    expect(() => restoreDatabase(folder, copy, NOW)).toThrow(
      expect.objectContaining({ code: 'data-folder-in-use' }) as Error,
    );
    reading.return?.();
    expect(readdirSync(folder).filter((name) => /new|before/.test(name))).toEqual([]);
  });

  test('that cannot take the place of the database leaves everything as it was', async () => {
    const { folder, copy } = await openCopied();
    const file = join(folder, STORE_FILE);
    const before = readFileSync(file);
    const { renameSync } = process.getBuiltinModule('node:fs');
    // As Windows answers while a scanner reads the file.
    vi.spyOn(process.getBuiltinModule('node:fs'), 'renameSync').mockImplementation((from, to) => {
      if (to === file) throw Object.assign(new Error('busy'), { code: 'EPERM' });
      renameSync(from, to);
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      vi.restoreAllMocks();
      syncBuiltinESMExports();
    });
    expect(() => restoreDatabase(folder, copy, NOW)).toThrow(
      expect.objectContaining({ code: 'data-folder-unusable' }) as Error,
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder).filter((name) => /new|before/.test(name))).toEqual([]);
  });

  test('is refused while a host has the folder', async () => {
    const { folder, copy } = await openCopied();
    const lock = lockFolder(folder);
    onTestFinished(() => lock.release());
    expect(() => restoreDatabase(folder, copy, NOW)).toThrow(
      expect.objectContaining({ code: 'data-folder-in-use' }) as Error,
    );
  });
});
