/** `ipcMain`: where the preload script's calls arrive. */
import { EventEmitter } from 'node:events';
import type { Frame } from 'playwright-core';
import { modelled } from './modelled.ts';

export const ipcMain = modelled('ipcMain', new EventEmitter());

/** Delivers a call from `frame` and gives its answer; one that nobody gives would leave the page hanging. */
export function sendSync(frame: Frame, channel: string, given: unknown[]): unknown {
  const answers: unknown[] = [];
  const event = {
    senderFrame: modelled('senderFrame', {
      url: frame.url(),
      origin: new URL(frame.url()).origin,
      parent: frame.parentFrame(),
    }),
    set returnValue(value: unknown) {
      answers.push(value);
    },
  };
  ipcMain.emit(channel, modelled('event', event), ...given);
  if (answers.length !== 1)
    throw new Error(`electron stand-in: ${channel} was answered ${answers.length} times`);
  return answers[0];
}
