/** Verifies the trail in a thread of its own: millions of rows take seconds, and no screen waits for them. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.ts';
import type { VerifyMessage, VerifySettings } from './verify-protocol.ts';
import { runVerification } from './verify-run.ts';

const send = (message: VerifyMessage): void => parentPort?.postMessage(message);

try {
  const verdict = runVerification(workerData as VerifySettings, (checked, total) =>
    send({ kind: 'progress', checked, total }),
  );
  send({ kind: 'verdict', verdict });
} catch (error) {
  send({ kind: 'failure', message: messageOf(error) });
}
