/** The house's end of the thread that copies the database. */
import { Worker } from 'node:worker_threads';

export interface CopySettings {
  readonly source: string;
  /** What the copy is called until it is whole; beside `target`, and not there yet. */
  readonly draft: string;
  readonly target: string;
}

export type CopyAnswer = { readonly bytes: number } | { readonly code: string; readonly message: string };

/** The copy was not made; `code` is that of SQLite (`SQLITE_FULL`) or of the system (`ENOENT`), empty for others. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The worker's file has the ending that this module has: `.ts` from the sources, `.js` when built. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './copy-worker.ts' : './copy-worker.js', import.meta.url);
}

/** Resolves with the size of `target` in bytes once it is on the disk; rejects with a CopyError, and nothing is left. */
export function copyInThread(settings: CopySettings): Promise<number> {
  const worker = new Worker(workerUrl(), {
    workerData: settings,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  return new Promise((resolve, reject) => {
    worker.on('message', (answer: CopyAnswer) => {
      if ('bytes' in answer) resolve(answer.bytes);
      else reject(new CopyError(answer.message, answer.code));
    });
    worker.on('error', reject);
    worker.on('exit', () => reject(new CopyError('the copying thread ended', '')));
  });
}
