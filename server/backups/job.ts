/** What is done in the folder of backups. Synchronous, for a thread of its own: a share may take as long as it likes. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '../config/data-folder.ts';
import { messageOf } from '../errors.ts';
import { copyDatabase } from '../store/copy.ts';
import { STORE_FILE } from '../store/file.ts';
import { namesOf } from './names.ts';

export interface Backup {
  /** Its name in the folder. */
  readonly file: string;
  /** When it was begun, milliseconds since the epoch; nothing later is in it for sure. */
  readonly at: number;
  readonly bytes: number;
}

export interface LookJob {
  readonly kind: 'look';
  readonly folder: string;
  /** That of the names (`names.ts`). */
  readonly prefix: string;
}

export interface MakeJob extends Omit<LookJob, 'kind'> {
  readonly kind: 'make';
  readonly dataFolder: string;
  /** Now, milliseconds since the epoch. */
  readonly at: number;
  /** How many stay. */
  readonly keep: number;
  /** So much stays free on the disk of the data folder, in MiB. */
  readonly reserveMiB: number;
}

export interface Outcome {
  /** The one that was made, or that was found as the newest; null where there is none. */
  readonly backup: Backup | null;
  /** Why old ones could not be deleted. */
  readonly notDeleted: string | null;
}

const MIB = 1_048_576;
const CHUNK_BYTES = MIB;

export function perform(job: LookJob | MakeJob): Outcome {
  if (job.kind === 'look') return { backup: newestIn(job), notDeleted: null };
  return { backup: make(job), notDeleted: deleteOld(job) };
}

/** Those of this installation, newest first. */
function list({ folder, prefix }: Pick<LookJob, 'folder' | 'prefix'>): string[] {
  const names = namesOf(prefix);
  return readdirSync(folder)
    .filter((file) => names.timeOf(file) !== null)
    .sort()
    .reverse();
}

function newestIn(job: Pick<LookJob, 'folder' | 'prefix'>): Backup | null {
  const [file] = list(job);
  if (file === undefined) return null;
  return { file, at: namesOf(job.prefix).timeOf(file) ?? 0, bytes: statSync(join(job.folder, file)).size };
}

/**
 * The copy is made beside the database and then carried over: SQLite locks what it writes, which not every share can,
 * and its log could not be begun anew for as long as a slow share takes.
 */
function make(job: MakeJob): Backup {
  const { dataFolder, folder, at, prefix } = job;
  const names = namesOf(prefix);
  const database = join(dataFolder, STORE_FILE);
  const local = `${database}.copy`;
  // What a power cut has left is of no use to anybody.
  rmSync(local, { force: true });
  for (const file of readdirSync(folder)) {
    if (names.isDraft(file)) rmSync(join(folder, file), { force: true });
  }
  requireRoom(job, sizeOf(database) + sizeOf(`${database}-wal`));
  const file = names.fileOf(at);
  const target = join(folder, file);
  const draft = join(folder, names.draftOf(file));
  try {
    copyDatabase(database, local);
    carry(local, draft);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    rmSync(local, { force: true });
  }
  syncIfItCan(folder);
  return { file, at, bytes: statSync(target).size };
}

/** Copies piece by piece, so that the thread can be ended in between. */
function carry(from: string, to: string): void {
  const source = openSync(from, 'r');
  const target = openSync(to, 'wx', 0o600);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let read = readSync(source, chunk); read > 0; read = readSync(source, chunk)) {
      for (let done = 0; done < read;) done += writeSync(target, chunk, done, read - done);
    }
    fsyncSync(target);
  } finally {
    closeSync(target);
    closeSync(source);
  }
}

/** Throws `ENOSPC` before anything is written: on a full disk nobody could sign in. */
function requireRoom({ dataFolder, folder, reserveMiB }: MakeJob, bytes: number): void {
  const here = bytes + reserveMiB * MIB;
  const isOneDisk = statSync(dataFolder).dev === statSync(folder).dev;
  for (const [path, wanted] of [
    [dataFolder, here],
    [folder, isOneDisk ? here + bytes : bytes],
  ] as const) {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize >= wanted) continue;
    const text = `${Math.ceil(wanted / MIB)} MiB are needed in ${path}`;
    throw Object.assign(new Error(text), { code: 'ENOSPC' });
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Not every share can; the file itself is on the disk. */
function syncIfItCan(folder: string): void {
  try {
    syncFolder(folder);
  } catch {
    // nothing more can be done
  }
}

/** What is later than the one just made is left: the clock was wrong then, and it may be the better one. */
function deleteOld(job: MakeJob): string | null {
  const names = namesOf(job.prefix);
  try {
    const older = list(job).filter((file) => (names.timeOf(file) ?? job.at) < job.at);
    for (const file of older.slice(job.keep - 1)) rmSync(join(job.folder, file), { force: true });
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
