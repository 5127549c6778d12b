/** Backups: copies of the database in a folder elsewhere, made when the time has come, of which the last ones stay. */
import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_ACTOR, type Actor, type Audit, type AuditRecord } from '../audit/audit.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import type { Bus } from '../events.ts';
import { every, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { CopyError } from '../store/copy-thread.ts';
import { storeFailure, type Store } from '../store/store.ts';

/** Why there is no backup, in words that stay the same; the sentence stands beside them. */
export type BackupFault = 'folder-missing' | 'no-rights' | 'no-room' | 'damaged' | 'too-slow' | 'other';

export interface Backup {
  /** Its name in the folder. */
  readonly file: string;
  /** When it was begun, milliseconds since the epoch; nothing later is in it for sure. */
  readonly at: number;
  readonly bytes: number;
}

export interface BackupStatus {
  /** Null where none are made. */
  readonly folder: string | null;
  /** The newest one in the folder. */
  readonly last: Backup | null;
  /** Why the last try did not succeed, or still does not. */
  readonly failure: { readonly at: number; readonly fault: BackupFault; readonly message: string } | null;
}

export interface Backups {
  readonly status: BackupStatus;
  /** Makes one now; who asks while one is being made is given that. `backup-failed`. */
  make(actor: Actor): Promise<Backup>;
  /** Waits for the one that is being made, but not for ever. */
  close(): Promise<void>;
}

export interface BackupsNeeds {
  readonly store: Pick<Store, 'copy' | 'write' | 'size'>;
  readonly audit: Pick<Audit, 'append'>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
}

export interface BackupsOptions {
  /** Empty: none are made. */
  readonly folder: string;
  readonly everyHours: number;
  /** How many stay. */
  readonly keep: number;
  /** What the files are named after, for several stations may share a folder. */
  readonly station: string;
  /** On the disk of the data folder a backup leaves so much free, in MiB: below it nobody could sign in. */
  readonly reserveMiB: number;
}

const LOOK_MS = 60_000;
const HOUR_MS = 3_600_000;
/** After a failure. */
const RETRY_MS = HOUR_MS;
/** A share that hangs does not say so. */
const LONGEST_MS = HOUR_MS;
/** A share that hangs keeps the host neither from starting nor from stopping: so long each waits for it. */
const START_MS = 2000;
const STOP_MS = 10_000;
const MIB = 1_048_576;

/** Looks what is in the folder, and makes the first backup a minute later where it is time. */
export async function openBackups(needs: BackupsNeeds, options: BackupsOptions): Promise<Backups> {
  const { store, audit, bus, clock, log } = needs;
  const { folder, keep, reserveMiB } = options;
  const names = namesOf(options.station);
  let status: BackupStatus = { folder: folder === '' ? null : folder, last: null, failure: null };
  let working: Promise<Backup> | null = null;
  let retryAt = -Infinity;

  function tell(change: Partial<BackupStatus>): void {
    status = { ...status, ...change };
    bus.publish('BackupChanged', status);
  }

  /** Those of this station, newest first. */
  async function list(): Promise<string[]> {
    return (await readdir(folder))
      .filter((file) => names.timeOf(file) !== null)
      .sort()
      .reverse();
  }

  async function newest(): Promise<Backup | null> {
    const [file] = await list();
    if (file === undefined) return null;
    return { file, at: names.timeOf(file) ?? 0, bytes: (await stat(join(folder, file))).size };
  }

  async function copy(at: number): Promise<Backup> {
    const { bavail, bsize } = await statfs(folder);
    const wanted = (await store.size()) + reserveMiB * MIB;
    if (bavail * bsize < wanted) throw new CopyError(`${Math.ceil(wanted / MIB)} MiB are needed`, 'ENOSPC');
    // What a power cut has left is never looked at again.
    for (const file of await readdir(folder)) {
      if (names.isDraft(file)) await rm(join(folder, file), { force: true });
    }
    const file = names.fileOf(at);
    const bytes = await store.copy({ draft: join(folder, names.draftOf(at)), target: join(folder, file) });
    return { file, at, bytes };
  }

  /** What is later than the one just made is left: the clock was wrong then, and it may be the better one. */
  async function removeOlderThan(at: number): Promise<void> {
    const older = (await list()).filter((file) => (names.timeOf(file) ?? at) < at);
    for (const file of older.slice(keep - 1)) await rm(join(folder, file), { force: true });
  }

  function record(actor: Actor, record: Pick<AuditRecord, 'action' | 'reason' | 'detail'>): Promise<void> {
    return store
      .write((writer) => audit.append(writer, { actor, ...record }))
      .catch((err: unknown) => log.error({ err: storeFailure(err) }, 'a backup could not be recorded'));
  }

  async function fail(actor: Actor, fault: BackupFault, message: string): Promise<void> {
    retryAt = clock.monotonic() + RETRY_MS;
    log.error({ folder, fault, reason: message }, 'no backup could be made');
    await record(actor, { action: 'backup-failed', reason: fault, detail: { folder, message } });
    tell({ failure: { at: clock.now(), fault, message } });
  }

  async function attempt(actor: Actor): Promise<Backup> {
    const at = clock.now();
    const late = clock.after(LONGEST_MS, () => void fail(actor, 'too-slow', 'it is not done after an hour'));
    try {
      const last = await copy(at);
      await record(actor, { action: 'backup-made', detail: { folder, file: last.file, bytes: last.bytes } });
      log.info({ folder, ...last }, 'a backup was made');
      await removeOlderThan(at).catch((err: unknown) =>
        log.warn({ err, folder }, 'old backups could not be removed'),
      );
      tell({ last, failure: null });
      return last;
    } catch (error) {
      const fault = faultOf(error);
      await fail(actor, fault, messageOf(error));
      throw new KeyswitchError('backup-failed', `${SENTENCES[fault](folder)} (${messageOf(error)}).`, {
        cause: error,
      });
    } finally {
      late();
    }
  }

  function make(actor: Actor): Promise<Backup> {
    if (folder === '') {
      const text = 'There is no folder for backups. Set backups.folder, and start the host again.';
      return Promise.reject(new KeyswitchError('backup-failed', text));
    }
    working ??= attempt(actor).finally(() => {
      working = null;
    });
    return working;
  }

  function look(): void {
    const { last } = status;
    // Also where the clock was set back since: an hour in the future is no reason to wait for it.
    const isDue = last === null || Math.abs(clock.now() - last.at) >= options.everyHours * HOUR_MS;
    if (isDue && clock.monotonic() >= retryAt) make(HOST_ACTOR).catch(() => {}); // told already
  }

  if (folder === '') return { status, make, close: async () => {} };
  const known = newest().then(
    (last) => void (status = { ...status, last: status.last ?? last }),
    // The first backup says so on record.
    (error: unknown) => {
      const failure = { at: clock.now(), fault: faultOf(error), message: messageOf(error) };
      status = { ...status, failure: status.failure ?? failure };
    },
  );
  await atMost(START_MS, known);
  const cancel = every(clock, LOOK_MS, look);
  return {
    get status() {
      return status;
    },
    make,
    async close() {
      cancel();
      if (working !== null)
        await atMost(
          STOP_MS,
          working.catch(() => {}),
        );
    },
  };

  async function atMost(ms: number, done: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancelLate = clock.after(ms, late.resolve);
    await Promise.race([done, late.promise]).finally(cancelLate);
  }
}

/** `keyswitch-<station>-20261122T143000123Z.db`, in UTC, so that the names sort by time. */
function namesOf(station: string) {
  const start = `keyswitch-${station.replaceAll(/[^A-Za-z0-9]+/g, '-')}-`;
  const stampOf = (at: number): string => new Date(at).toISOString().replaceAll(/[-:.]/g, '');
  const stamp = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z(\.db(?:\.new)?)$/;
  const read = (file: string): RegExpExecArray | null =>
    file.startsWith(start) ? stamp.exec(file.slice(start.length)) : null;
  return {
    fileOf: (at: number): string => `${start}${stampOf(at)}.db`,
    draftOf: (at: number): string => `${start}${stampOf(at)}.db.new`,
    isDraft: (file: string): boolean => read(file)?.[8] === '.db.new',
    /** Null for a file that is no backup of this station. */
    timeOf(file: string): number | null {
      const [, year, month, day, hour, minute, second, ms, ending] = read(file) ?? [];
      if (ending !== '.db') return null;
      return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
    },
  };
}

function faultOf(error: unknown): BackupFault {
  const { code = '' } = error as { code?: string };
  if (/^(ENOENT|ENOTDIR|EHOSTDOWN|EHOSTUNREACH|ENETUNREACH|ENOTCONN|ESTALE)$/.test(code))
    return 'folder-missing';
  if (/^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN)/.test(code)) return 'no-rights';
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) return 'no-room';
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code) ? 'damaged' : 'other';
}

const SENTENCES: Readonly<Record<BackupFault, (folder: string) => string>> = {
  'folder-missing': (folder) => `${folder} is not there`,
  'no-rights': (folder) => `This account may not write in ${folder}`,
  'no-room': (folder) => `There is no room in ${folder}`,
  damaged: () => 'The database, or its copy, is damaged',
  'too-slow': (folder) => `${folder} does not answer`,
  other: (folder) => `No backup could be written to ${folder}`,
};
