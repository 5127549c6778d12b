/** Copies the database in a thread of its own: on a slow share it takes minutes, and no screen waits for them. */
import { renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { syncFolder } from '../config/data-folder.ts';
import { messageOf } from '../errors.ts';
import { copyDatabase } from './copy.ts';
import type { CopyAnswer, CopySettings } from './copy-thread.ts';

const { source, draft, target } = workerData as CopySettings;
const answer = (given: CopyAnswer): void => parentPort?.postMessage(given);

try {
  copyDatabase(source, draft);
  renameSync(draft, target);
  syncFolder(dirname(target));
  answer({ bytes: statSync(target).size });
} catch (error) {
  answer({ code: (error as { code?: string }).code ?? '', message: messageOf(error) });
}
