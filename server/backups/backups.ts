/** Backups: copies of the database in a folder elsewhere, made when the time has come, of which the last ones stay. */
import { HOST_ACTOR, type Actor, type Audit, type AuditRecord } from '../audit/audit.ts';
import { KeyswitchError, messageOf } from '../errors.ts';
import type { Bus } from '../events.ts';
import { every, type CancelTimer, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { storeFailure, type Store } from '../store/store.ts';
import { BackupError, startJob, type RunningJob } from './backup-thread.ts';
import type { Backup, LookJob, MakeJob, Outcome } from './job.ts';
import { prefixOf } from './names.ts';

export type { Backup } from './job.ts';

/** Why there is no backup, in words that stay the same; the sentence stands beside them. */
export type BackupFault = 'folder-missing' | 'no-rights' | 'no-room' | 'damaged' | 'too-slow' | 'other';

export interface BackupStatus {
  /** Null where none are made. */
  readonly folder: string | null;
  /** The newest one in the folder; null where there is none, or the folder was not read yet. */
  readonly last: Backup | null;
  /** Why the last try did not succeed, or still does not. */
  readonly failure: { readonly at: number; readonly fault: BackupFault; readonly message: string } | null;
  /** One should have been made by now: there is none, or the newest is older than it may be. */
  readonly isOverdue: boolean;
}

export interface Backups {
  readonly status: BackupStatus;
  /** Looks into the folder, for two seconds at most. */
  look(): Promise<BackupStatus>;
  /** From now on they are made by the clock, the first in a minute. */
  start(): void;
  /** Makes one now; who asks while one is being made is given that. `backup-failed`. */
  make(actor: Actor): Promise<Backup>;
  /** Stops the one that is being made, and what waits for a share that hangs. */
  close(): Promise<void>;
}

export interface BackupsNeeds {
  readonly store: Pick<Store, 'write'>;
  readonly audit: Pick<Audit, 'append'>;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Does it in a thread where it is left out. */
  readonly work?: (job: LookJob | MakeJob) => RunningJob;
}

export interface BackupsOptions extends Pick<MakeJob, 'dataFolder' | 'folder' | 'keep' | 'reserveMiB'> {
  readonly everyHours: number;
  /** For the names of the files. */
  readonly station: string;
  /** Tells stations apart that share a folder and a name. */
  readonly id: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RETRY_MS = HOUR_MS;
/** A share that hangs does not say so. */
const LONGEST_MS = HOUR_MS;
/** After its time a backup may take so long, a second try included. */
const GRACE_MS = 2 * HOUR_MS;
const LOOK_MS = 2000;
const STOP_MS = 10_000;

/** Opens them; the folder, empty for none, is not touched before it is asked for. */
export function createBackups(needs: BackupsNeeds, options: BackupsOptions): Backups {
  const { store, audit, bus, clock, log, work = startJob } = needs;
  const { dataFolder, folder, keep, reserveMiB } = options;
  const prefix = prefixOf(options.station, options.id);
  const everyMs = options.everyHours * HOUR_MS;
  const jobs = new Set<RunningJob>();
  let last: Backup | null = null;
  let failure: BackupStatus['failure'] = null;
  let making: Promise<Backup> | null = null;
  /** The one that makes a backup, although whoever asked for it may have been told that it does not end. */
  let maker: RunningJob | null = null;
  let retryAt = -Infinity;
  let isClosing = false;
  let cancel: CancelTimer = () => {};

  function status(): BackupStatus {
    const isOverdue = isOlderThan(everyMs + GRACE_MS);
    return { folder: folder === '' ? null : folder, last, failure, isOverdue };
  }

  function begin(job: LookJob | MakeJob): RunningJob {
    const running = work(job);
    jobs.add(running);
    running.done.catch(() => {}); // told to whoever waits for it
    void running.ended.then(() => jobs.delete(running));
    return running;
  }

  async function look(): Promise<BackupStatus> {
    if (folder === '' || maker !== null) return status();
    let hidden: BackupStatus['failure'] = null;
    const known = begin({ kind: 'look', folder, prefix }).done.then(
      ({ backup }) => void (last = backup),
      // Of this look alone: the next try to make one says so on record.
      (error: unknown) => void (hidden = failureOf(error)),
    );
    await atMost(LOOK_MS, known);
    return { ...status(), failure: failure ?? hidden };
  }

  function failureOf(error: unknown): NonNullable<BackupStatus['failure']> {
    return { at: clock.now(), fault: faultOf(error), message: messageOf(error) };
  }

  async function record(actor: Actor, row: Pick<AuditRecord, 'action' | 'reason' | 'detail'>): Promise<void> {
    await store
      .write((writer) => audit.append(writer, { actor, ...row }))
      .catch((err: unknown) => log.error({ err: storeFailure(err) }, 'a backup could not be recorded'));
  }

  async function succeed(actor: Actor, { backup, notDeleted }: Outcome): Promise<Backup> {
    if (backup === null) throw new Error('a backup was made that is not there');
    [last, failure] = [backup, null];
    const { file, bytes } = backup;
    await record(actor, { action: 'backup-made', detail: { folder, file, bytes } });
    log.info({ folder, ...backup }, 'a backup was made');
    if (notDeleted !== null) log.warn({ folder, reason: notDeleted }, 'old backups could not be deleted');
    bus.publish('BackupChanged', status());
    return backup;
  }

  async function fail(actor: Actor, error: unknown): Promise<KeyswitchError> {
    const { fault, message } = (failure = failureOf(error));
    retryAt = clock.monotonic() + RETRY_MS;
    log.error({ folder, fault, reason: message }, 'no backup could be made');
    await record(actor, { action: 'backup-failed', reason: fault, detail: { folder, message } });
    bus.publish('BackupChanged', status());
    return new KeyswitchError('backup-failed', `${SENTENCES[fault](folder)} (${message}).`, { cause: error });
  }

  async function attempt(actor: Actor): Promise<Backup> {
    const at = clock.now();
    const running = begin({ kind: 'make', dataFolder, folder, prefix, at, keep, reserveMiB });
    maker = running;
    const late = Promise.withResolvers<never>();
    const cancelLate = clock.after(LONGEST_MS, () =>
      late.reject(new BackupError('it is not done after an hour', 'ETIMEDOUT')),
    );
    // Late is better than never: it counts all the same.
    const done = running.done
      .finally(() => {
        maker = null;
      })
      .then((outcome) => succeed(actor, outcome));
    done.catch(() => {});
    try {
      return await Promise.race([done, late.promise]);
    } catch (error) {
      throw isClosing ? error : await fail(actor, error);
    } finally {
      cancelLate();
    }
  }

  async function make(actor: Actor): Promise<Backup> {
    if (folder === '') {
      const text = 'There is no folder for backups. Set backups.folder, and start the host again.';
      throw new KeyswitchError('backup-failed', text);
    }
    if (making === null && maker !== null) {
      throw new KeyswitchError('backup-failed', `${SENTENCES['too-slow'](folder)}.`);
    }
    making ??= attempt(actor).finally(() => {
      making = null;
    });
    return making;
  }

  /** Also where the clock was set back since: one of the near future is as good as one of the near past. */
  function isOlderThan(ms: number): boolean {
    return last === null || Math.abs(clock.now() - last.at) >= ms;
  }

  async function tick(): Promise<void> {
    if (maker !== null || clock.monotonic() < retryAt) return;
    // The share may have come after the start.
    if (last === null) await look();
    if (!isClosing && isOlderThan(everyMs)) await make(HOST_ACTOR).catch(() => {}); // told already
  }

  async function atMost(ms: number, done: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancelLate = clock.after(ms, late.resolve);
    await Promise.race([done, late.promise]).finally(cancelLate);
  }

  return {
    get status() {
      return status();
    },
    look,
    start() {
      if (folder === '') return;
      void look();
      cancel = every(clock, MINUTE_MS, () => void tick());
    },
    make,
    async close() {
      isClosing = true;
      cancel();
      for (const job of jobs) job.stop();
      if (jobs.size > 0) await atMost(STOP_MS, Promise.all([...jobs].map(({ ended }) => ended)));
      for (const job of jobs) job.abandon();
      if (jobs.size > 0) log.error({ folder }, 'the folder of backups hangs: the process ends without it');
    },
  };
}

function faultOf(error: unknown): BackupFault {
  const { code = '' } = error as { code?: string };
  if (/^(ETIMEDOUT|ECONNRESET|EHOSTDOWN|EHOSTUNREACH|ENETUNREACH)$/.test(code)) return 'too-slow';
  if (/^(ENOENT|ENOTDIR|ENOTCONN|ESTALE)$/.test(code)) return 'folder-missing';
  if (/^(EACCES|EPERM|EROFS)$/.test(code)) return 'no-rights';
  if (/^(ENOSPC|EDQUOT|SQLITE_FULL)/.test(code)) return 'no-room';
  return /^SQLITE_(CORRUPT|NOTADB)/.test(code) ? 'damaged' : 'other';
}

const SENTENCES: Readonly<Record<BackupFault, (folder: string) => string>> = {
  'folder-missing': (folder) => `${folder} is not there`,
  'no-rights': (folder) => `This account may not write in ${folder}`,
  'no-room': () => 'There is not enough room',
  damaged: () => 'The database, or its copy, is damaged',
  'too-slow': (folder) => `${folder} does not answer`,
  other: (folder) => `No backup could be written to ${folder}`,
};
