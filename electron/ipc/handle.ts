/** The one way in for the window's preload script: from our own page only, with arguments that were checked. */
import { ipcMain, type WebFrameMain } from 'electron';
import type { z } from 'zod';
import type { Log } from '../../server/ports/log.ts';
import type { Channel, Contract } from './contract.ts';

export interface HandleNeeds {
  /** The host's own: `https://127.0.0.1:8443`. */
  readonly origin: string;
  readonly log: Log;
}

export type Handle = <Name extends Channel>(
  channel: Name,
  argumentsSchema: z.ZodType<Parameters<Contract[Name]>>,
  call: (...given: Parameters<Contract[Name]>) => ReturnType<Contract[Name]>,
) => void;

/** Makes the function that answers a channel. A call that is not in order is answered with null, and logged. */
export function createHandle({ origin, log }: HandleNeeds): Handle {
  return (channel, argumentsSchema, call) => {
    ipcMain.on(channel, (event, ...given: unknown[]) => {
      // Assigning it is what answers the waiting page: once, whatever happens.
      event.returnValue = answer(event.senderFrame, given);
    });

    function answer(frame: WebFrameMain | null, given: unknown[]): unknown {
      try {
        if (!isOurPage(frame, origin)) throw new Error('the caller is not the page of this host');
        return call(...argumentsSchema.parse(given));
      } catch (err) {
        log.warn({ err, channel }, 'a call from the window was refused');
        return null;
      }
    }
  };
}

/** Electron's security list, item 17: our origin, and its main frame rather than a frame within it. */
function isOurPage(frame: WebFrameMain | null, origin: string): boolean {
  return frame !== null && frame.parent === null && frame.origin === origin;
}
