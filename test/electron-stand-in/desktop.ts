/** Starts the built desktop in the stand-in, with a channel to ask it through. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readyUrl, ROOT, watch, type Desktop, type Watched } from '../electron/desktop.ts';
import { CHROMIUM } from './chromium.ts';
import type { Answer, Question } from './control.ts';
import type { standIn } from './electron.ts';

/** What `inMain` finds in the module beside Electron's own. */
export interface StandInModule {
  readonly standIn: typeof standIn;
}

export const ELECTRON = join(import.meta.dirname, 'electron');

/** Starts it without waiting for its host; `app` is the folder of the product. */
export function launchStandIn(given: readonly string[], app = ROOT): Watched {
  if (!existsSync(CHROMIUM)) {
    throw new Error('A browser is missing: apt-get install chromium, or set CHROMIUM to the path of one.');
  }
  return watch(spawn(ELECTRON, [app, ...given], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
}

export async function startStandIn(given: readonly string[], app = ROOT): Promise<Desktop> {
  const running = launchStandIn(given, app);
  const { process: child } = running;
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });

  const inMain: Desktop['inMain'] = async (work, argument) => {
    const id = ++lastId;
    const answer = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    child.send({ id, source: work.toString(), argument } satisfies Question);
    const { value, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return value as never;
  };

  return {
    ...running,
    url: await readyUrl(running),
    inMain,
    inPage: (expression) =>
      inMain(async (electron, text) => {
        const [window] = (electron as unknown as StandInModule).standIn.windows;
        return (await window?.page)?.evaluate(text);
      }, expression),
    trayLabels: () =>
      inMain((electron) => {
        const items = (electron as unknown as StandInModule).standIn.trays[0]?.menu?.items ?? [];
        const labelled = items.filter(({ label }) => label !== undefined);
        return labelled.map(({ label = '', enabled = true }) => (enabled ? label : `(${label})`));
      }),
    clickTray: (label) =>
      inMain((electron, text) => {
        const { items = [] } = (electron as unknown as StandInModule).standIn.trays[0]?.menu ?? {};
        const item = items.find((candidate) => candidate.label === text);
        if (item?.enabled === false) throw new Error(`${text} cannot be clicked`);
        (item?.click as (() => void) | undefined)?.();
      }, label),
  };
}
