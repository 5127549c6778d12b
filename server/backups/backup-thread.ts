/** The house's end of the thread that makes backups. */
import { Worker } from 'node:worker_threads';
import type { LookJob, MakeJob, Outcome } from './job.ts';

export type Answer = { readonly outcome: Outcome } | { readonly code: string; readonly message: string };

/** A job has failed; `code` is that of the system (`ENOENT`) or of SQLite (`SQLITE_CORRUPT`), empty for others. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export interface RunningJob {
  /** Rejects with a `BackupError`. */
  readonly done: Promise<Outcome>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<void>;
  /** Ends the thread as soon as it does not wait for the system. */
  stop(): void;
  /** Lets the process come to its end although the thread waits for the system, for a share that hangs. */
  abandon(): void;
}

/** The worker's file has the ending that this module has: `.ts` from the sources, `.js` when built. */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './backup-worker.ts' : './backup-worker.js',
    import.meta.url,
  );
}

export function startJob(job: LookJob | MakeJob): RunningJob {
  const worker = new Worker(workerUrl(), {
    workerData: job,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const done = Promise.withResolvers<Outcome>();
  const ended = Promise.withResolvers<void>();
  worker.on('message', (answer: Answer) => {
    if ('outcome' in answer) done.resolve(answer.outcome);
    else done.reject(new BackupError(answer.message, answer.code));
  });
  worker.on('error', (error) => done.reject(new BackupError(String(error), '')));
  worker.on('exit', () => {
    done.reject(new BackupError('the thread was ended', ''));
    ended.resolve();
  });
  return {
    done: done.promise,
    ended: ended.promise,
    stop: () => void worker.terminate(),
    abandon() {
      worker.unref();
      // Node itself would wait for the thread. Whatever matters is on the disk by then.
      process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
    },
  };
}
