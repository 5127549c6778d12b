/** One Keyswitch a data folder: a lock that the operating system itself takes back when the process dies. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { KeyswitchError } from '../errors.ts';

export interface FolderLock {
  release(): void;
}

/**
 * Takes the folder or throws `data-folder-in-use`. The lock is SQLite's own file lock on an empty database:
 * unlike a file with a process id in it, it cannot be left behind by a crash.
 */
export function lockFolder(folder: string): FolderLock {
  const file = join(folder, 'keyswitch.lock');
  let database: Database.Database | undefined;
  try {
    const held = new Database(file, { timeout: 0 });
    database = held;
    held.pragma('locking_mode = EXCLUSIVE');
    held.exec('begin exclusive');
    return { release: () => void held.close() };
  } catch (error) {
    database?.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY') === true) {
      throw new KeyswitchError(
        'data-folder-in-use',
        `Another Keyswitch runs on ${folder}. Stop it, or choose another folder with --data.`,
        { cause: error },
      );
    }
    throw new KeyswitchError('data-folder-unusable', `${file} cannot be locked.`, { cause: error });
  }
}
