/** `ipcMain`: where the preload script's calls arrive. */
import { EventEmitter } from 'node:events';
import type { Frame } from 'playwright-core';
import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import { modelled } from './modelled.ts';

type Handler = (event: IpcMainInvokeEvent, ...given: unknown[]) => unknown;

const handlers = new Map<string, Handler>();

class StandInIpcMain extends EventEmitter implements Pick<IpcMain, 'handle' | 'removeHandler'> {
  handle(channel: string, handler: Handler): void {
    if (handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    handlers.set(channel, handler);
  }

  removeHandler(channel: string): void {
    handlers.delete(channel);
  }
}

export const ipcMain = modelled('ipcMain', new StandInIpcMain());

export interface WebFrame {
  readonly url: string;
  readonly origin: string;
  readonly parent: WebFrame | null;
  readonly top: WebFrame;
  readonly detached: boolean;
  isDestroyed(): boolean;
}

const frames = new WeakMap<Frame, WebFrame>();

/** Shows a frame as Electron does; the same frame is the same object. */
export function webFrameOf(frame: Frame): WebFrame {
  const known = frames.get(frame) ?? modelled<WebFrame>('WebFrameMain', createFrame(frame));
  frames.set(frame, known);
  return known;
}

function createFrame(frame: Frame): WebFrame {
  return {
    get url() {
      return frame.url();
    },
    get origin() {
      return new URL(frame.url()).origin;
    },
    get parent() {
      const parent = frame.parentFrame();
      return parent === null ? null : webFrameOf(parent);
    },
    get top() {
      return webFrameOf(frame.page().mainFrame());
    },
    get detached() {
      return frame.isDetached();
    },
    isDestroyed: () => frame.isDetached(),
  };
}

/** Delivers a call from `frame` and gives its answer; one that nobody gives would leave the page hanging. */
export function sendSync(sender: object, frame: Frame, channel: string, given: unknown[]): unknown {
  const answers: unknown[] = [];
  const event = {
    sender,
    senderFrame: webFrameOf(frame),
    set returnValue(value: unknown) {
      answers.push(value);
    },
  };
  ipcMain.emit(channel, modelled('event', event), ...given);
  if (answers.length !== 1)
    throw new Error(`electron stand-in: ${channel} was answered ${answers.length} times`);
  return answers[0];
}

/** Delivers a call that waits for a promise; rejects where nobody handles the channel. */
export async function invoke(
  sender: object,
  frame: Frame,
  channel: string,
  given: unknown[],
): Promise<unknown> {
  const handler = handlers.get(channel);
  if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
  const event = modelled('event', { type: 'frame', sender, senderFrame: webFrameOf(frame) });
  return handler(event as unknown as IpcMainInvokeEvent, ...given);
}
