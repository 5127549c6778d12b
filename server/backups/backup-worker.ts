/** Makes backups in a thread of its own, so that nobody waits for a slow share. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { Answer } from './backup-thread.ts';
import { perform, type LookJob, type MakeJob } from './job.ts';

const answer = (given: Answer): void => parentPort?.postMessage(given);

try {
  answer({ outcome: perform(workerData as LookJob | MakeJob) });
} catch (error) {
  answer({ code: (error as { code?: string }).code ?? '', message: messageOf(error) });
}
