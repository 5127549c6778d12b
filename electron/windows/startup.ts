/** Starts the host, says on the screen how that goes, and tries again when somebody asks. */
import { app } from 'electron';
import { reportFailure } from '../../server/cli/output.ts';
import type { Host } from '../../server/host.ts';
import { startFailed, starting } from './status.ts';
import type { Ways } from './pane.ts';
import type { Action } from './status-page.ts';
import { text } from '../text.ts';
import type { Frame } from './views.ts';

export interface Startup<Started> {
  /** Never rejects: it resolves once a start has succeeded. */
  readonly started: Promise<Started>;
  /** What came after the start has failed: says so, and closes the host again. What was set up then needs a new process. */
  giveUp(error: unknown, restart: () => void): Promise<void>;
  /** Closes the host in order, one that is still starting too; gives the exit code of the process. */
  close(): Promise<number>;
}

export interface StartupNeeds<Started> {
  readonly views: Pick<Frame, 'say' | 'isKiosk'>;
  readonly start: () => Promise<Started>;
  /** Another way to try again than to call `start` once more. */
  readonly restart?: () => void;
}

export function startUp<Started extends { readonly host: Pick<Host, 'close'> }>({
  views,
  start,
  restart,
}: StartupNeeds<Started>): Startup<Started> {
  const { promise: started, resolve } = Promise.withResolvers<Started>();
  let exitCode = 0;
  let isEnding = false;
  let running: Promise<Started | null> = Promise.resolve(null);

  function attempt(): void {
    exitCode = 0;
    views.say(starting(text()));
    running = start().catch((error: unknown) => fail(error, restart ?? attempt));
    // Nothing is set up on a host that closes.
    void running.then((made) => made !== null && !isEnding && resolve(made));
  }

  function fail(error: unknown, tryAgain: () => void): null {
    exitCode = reportFailure(error);
    if (isEnding) return null;
    // Nobody can prove who they are without a host: a full screen offers no way out.
    const ways: Ways = { 'try-again': tryAgain, ...(!views.isKiosk() && { quit: () => app.quit() }) };
    views.say(startFailed(error, text(), Object.keys(ways) as Action[]), ways);
    return null;
  }

  attempt();
  return {
    started,
    async giveUp(error, restartProcess) {
      fail(error, restartProcess);
      await (await running)?.host.close();
    },
    async close() {
      isEnding = true;
      await (await running)?.host.close();
      return exitCode;
    },
  };
}
