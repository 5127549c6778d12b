/** The house's end of the thread that verifies the trail. */
import { Worker } from 'node:worker_threads';
import type { VerifyMessage, VerifySettings } from './verify-protocol.ts';
import type { Verdict } from './verify.ts';

export interface Verification {
  /** Rejects where the trail cannot be read, or the verification was stopped. */
  readonly verdict: Promise<Verdict>;
  stop(): Promise<void>;
}

/** The worker's file has the ending that this module has: `.ts` from the sources, `.js` when built. */
function workerUrl(): URL {
  return new URL(
    import.meta.url.endsWith('.ts') ? './verify-worker.ts' : './verify-worker.js',
    import.meta.url,
  );
}

/** Starts it; `onProgress` is called now and then. */
export function startVerification(
  settings: VerifySettings,
  onProgress: (checked: number, total: number) => void = () => {},
): Verification {
  const worker = new Worker(workerUrl(), { workerData: settings });
  const { promise: verdict, resolve, reject } = Promise.withResolvers<Verdict>();
  verdict.catch(() => {}); // told to whoever waits for it, if anyone does
  worker.on('message', (message: VerifyMessage) => {
    if (message.kind === 'progress') onProgress(message.checked, message.total);
    else if (message.kind === 'verdict') resolve(message.verdict);
    else reject(new Error(message.message));
  });
  worker.on('error', reject);
  worker.on('exit', () => reject(new Error('the verification was stopped')));
  return {
    verdict,
    async stop() {
      await worker.terminate();
    },
  };
}
