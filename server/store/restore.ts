/** A backup in the place of the database, while no host runs: the former one stays beside it. */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolderUnusable, prepareDataFolder, syncFolder } from '../config/data-folder.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import { copyDatabase, refuseDamaged, syncFile, withDatabase } from './copy.ts';
import { lockFolder } from './folder-lock.ts';
import { MIGRATIONS } from './migrations/index.ts';
import { STORE_FILE } from './file.ts';

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
  const draft = join(folder, `${STORE_FILE}.new`);
  try {
    rmSync(draft, { force: true });
    copyDatabase(backup, draft);
    try {
      return { until, former: exchange(folder, draft, now) };
    } finally {
      rmSync(draft, { force: true });
    }
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

/** Puts `draft` in the place of the database, which stays under another name: that is returned. */
function exchange(folder: string, draft: string, now: number): string | null {
  const file = join(folder, STORE_FILE);
  if (!existsSync(file)) {
    renameSync(draft, file);
    syncFolder(folder);
    return null;
  }
  settle(file);
  const name = `${STORE_FILE}.before-${new Date(now).toISOString().replaceAll(/[-:.]/g, '')}`;
  const former = join(folder, name);
  try {
    copyFileSync(file, former);
    moveLog(file, former);
    syncFile(former);
    syncFolder(folder);
    renameSync(draft, file);
  } catch (error) {
    moveLog(former, file);
    rmSync(former, { force: true });
    throw error;
  }
  syncFolder(folder);
  return name;
}

/** Moves the write-ahead log into the database; what is damaged stays as it was found, with its log. */
function settle(file: string): void {
  if (isDamaged(file)) return;
  const [outcome] = withDatabase(file, { readonly: false }, (database) =>
    database.pragma('wal_checkpoint(TRUNCATE)'),
  ) as { busy: number }[];
  if (outcome?.busy !== 0) {
    throw new KeyswitchError('data-folder-in-use', `Another program reads ${file}. End it, and try again.`);
  }
}

function isDamaged(file: string): boolean {
  try {
    withDatabase(file, { readonly: true }, refuseDamaged);
    return false;
  } catch {
    return true;
  }
}

/** The log of one database belongs to no other one. */
function moveLog(from: string, to: string): void {
  if (existsSync(`${from}-wal`)) renameSync(`${from}-wal`, `${to}-wal`);
  rmSync(`${from}-shm`, { force: true });
}
