/** A backup in the place of the database, while no host runs: the former one stays beside it. */
import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderUnusable, prepareDataFolder, syncFolder } from '../config/data-folder.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import { copyDatabase, refuseDamaged, withDatabase } from './copy.ts';
import { lockFolder } from './folder-lock.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { STORE_FILE } from './store.ts';

export interface Restored {
  /** When the last thing in it happened, milliseconds since the epoch; null for a trail without an entry. */
  readonly until: number | null;
  /** The name under which the former database stays in the folder; null where there was none. */
  readonly former: string | null;
}

/**
 * Puts `backup` in the place of the database of `folder`. A crash leaves the former one or the backup, whole.
 * `data-folder-in-use`, `data-folder-unusable`, `backup-unusable`, `store-newer`; then nothing has changed.
 */
export function restoreDatabase(folder: string, backup: string, now: number): Restored {
  const until = inspect(backup);
  prepareDataFolder(folder);
  const lock = lockFolder(folder);
  try {
    const file = join(folder, STORE_FILE);
    const draft = `${file}.new`;
    rmSync(draft, { force: true });
    copyDatabase(backup, draft);
    const former = keepFormer(folder, now);
    renameSync(draft, file);
    syncFolder(folder);
    return { until, former };
  } catch (error) {
    // Most of all a full disk.
    throw error instanceof KeyswitchError ? error : dataFolderUnusable(folder, error);
  } finally {
    lock.release();
  }
}

/** Tells how far it reaches; refuses what is no whole database of this or an earlier version. */
function inspect(backup: string): number | null {
  try {
    return withDatabase(backup, { readonly: true }, (database) => {
      refuseDamaged(database);
      const names = database.prepare('select name from kysely_migration').pluck().all() as string[];
      const unknown = names.filter((name) => !(name in MIGRATIONS));
      if (unknown.length > 0) {
        const text = `${backup} was written by a newer Keyswitch (it has ${unknown.join(', ')}). Install that version.`;
        throw new KeyswitchError('store-newer', text);
      }
      return database.prepare('select max(at) from audit').pluck().get() as number | null;
    });
  } catch (error) {
    if (error instanceof KeyswitchError) throw error;
    const text = `${backup} is no whole backup of Keyswitch (${messageOf(error)}). Take another one.`;
    throw new KeyswitchError('backup-unusable', text, { cause: error });
  }
}

/** Gives the present database a second name, with what its write-ahead log still holds, which belongs to no other one. */
function keepFormer(folder: string, now: number): string | null {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) return null;
  const former = `${STORE_FILE}.before-${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}`;
  settle(file);
  link(file, join(folder, former));
  if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, join(folder, `${former}-wal`));
  rmSync(`${file}-shm`, { force: true });
  return former;
}

/** Moves the write-ahead log into the database; what is damaged stays as it was found. */
function settle(file: string): void {
  try {
    withDatabase(file, { readonly: true }, refuseDamaged);
    withDatabase(file, { readonly: false }, (database) => database.pragma('wal_checkpoint(TRUNCATE)'));
  } catch {
    // for whoever looks into it
  }
}

function link(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    // Not every file system knows links.
    copyFileSync(file, name);
  }
}
