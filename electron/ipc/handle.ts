/** The one way in for the pages: from the main frame of a page of our host, in a window of ours, with arguments that were checked. */
import { ipcMain, type WebContents, type WebFrameMain } from 'electron';
import type { z } from 'zod';
import type { Log } from '../../server/ports/log.ts';
import type { Channel, Contract, Told, Tidings, View } from './contract.ts';

export interface IpcNeeds {
  /** The host's own: `https://127.0.0.1:8443`. */
  readonly origin: string;
  /** Which window of ours a page is in; null for none of them. */
  viewOf(contents: WebContents): View | null;
  readonly log: Log;
}

/** What answers a channel: it is given the window that the call came from, then what the page has given. */
type Answer<Name extends Channel> = (
  view: View,
  ...given: Parameters<Contract[Name]>
) => ReturnType<Contract[Name]>;

type Register = <Name extends Channel>(
  channel: Name,
  argumentsSchema: z.ZodType<Parameters<Contract[Name]>>,
  answer: Answer<Name>,
) => void;

export interface Ipc {
  /** Answers while the page waits; a call that is not in order is answered with null, and logged. */
  readonly handle: Register;
  /** Answers a page that does not wait; a call that is not in order is rejected without saying why, and logged. */
  readonly handleInvoke: Register;
}

interface Caller {
  readonly sender: WebContents;
  readonly senderFrame: WebFrameMain | null;
}

export function createIpc({ origin, viewOf, log }: IpcNeeds): Ipc {
  /** Electron's security list, item 17: our origin, its main frame rather than a frame within it, and our window. */
  function viewOfCaller({ sender, senderFrame }: Caller): View {
    const isOurPage = senderFrame !== null && senderFrame.parent === null && senderFrame.origin === origin;
    const view = isOurPage ? viewOf(sender) : null;
    if (view === null) throw new Error('the caller is not a page of this host in a window of ours');
    return view;
  }

  return {
    handle(channel, argumentsSchema, answer) {
      ipcMain.on(channel, (event, ...given: unknown[]) => {
        let reply = null;
        try {
          reply = answer(viewOfCaller(event), ...argumentsSchema.parse(given));
        } catch (err) {
          log.warn({ err, channel }, 'a call from a page was refused');
        }
        // Assigning it is what answers the waiting page: once, whatever happens.
        event.returnValue = reply;
      });
    },
    handleInvoke(channel, argumentsSchema, answer) {
      ipcMain.handle(channel, (event, ...given: unknown[]) => {
        try {
          return answer(viewOfCaller(event), ...argumentsSchema.parse(given));
        } catch (err) {
          log.warn({ err, channel }, 'a call from a page was refused');
          return Promise.reject(new Error('refused'));
        }
      });
    },
  };
}

/** Tells a page something that it has not asked for. */
export function tell<Name extends Tidings>(contents: WebContents, channel: Name, ...told: Told[Name]): void {
  if (!contents.isDestroyed()) contents.send(channel, ...told);
}
