/** A copy of the database while others write to it: whole, checked, and marked as one. Synchronous: for a thread of its own, or a command. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';

/** `user_version` of a database that is a copy: whoever opens it where it is to be used ends the sessions in it. */
export const COPY_MARK = 1;

/** Writes what is committed in `source` to `target`, which must not be there; nothing is left of one that failed. */
export function copyDatabase(source: string, target: string): void {
  // SQLite fills an empty file; one that it makes itself everybody may read.
  closeSync(openSync(target, 'wx', 0o600));
  try {
    withDatabase(source, { readonly: true }, (database) => database.prepare('vacuum into ?').run(target));
    finish(target);
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

/** `vacuum into` neither reads again what it wrote, nor waits until it is on the disk (SQLite, "VACUUM"). */
function finish(target: string): void {
  withDatabase(target, { readonly: false }, (copy) => {
    refuseDamaged(copy);
    copy.pragma(`user_version = ${COPY_MARK}`);
  });
  syncFile(target);
}

/** Has what was written to `file` survive a power cut. */
export function syncFile(file: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens `file`, which has to be there, for the time of `work`. */
export function withDatabase<Result>(
  file: string,
  { readonly }: { readonly readonly: boolean },
  work: (database: Database.Database) => Result,
): Result {
  const database = new Database(file, { readonly, fileMustExist: true });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Throws `SQLITE_CORRUPT` where SQLite finds a fault in it. */
export function refuseDamaged(database: Database.Database): void {
  const result = database.pragma('quick_check(1)', { simple: true });
  if (result !== 'ok') throw Object.assign(new Error(String(result)), { code: 'SQLITE_CORRUPT' });
}
