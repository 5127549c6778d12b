/** Starts the built desktop in the stand-in, with a channel to ask it through. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { ROOT, watch, type Desktop, type Starter, type Watched } from '../electron/desktop.ts';
import type { Answer, Question } from './control.ts';
import type { standIn } from './electron.ts';

/** What `inMain` finds in the module beside Electron's own. */
export interface StandInModule {
  readonly standIn: typeof standIn;
}

export const ELECTRON = join(import.meta.dirname, 'electron');

/** Debian's, or the one that CHROMIUM names; `chromium.ts` starts it. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What to start: the stand-in with the folder of the product, or the program of a packed one. */
export type Program = readonly [string, ...string[]];
const BUILT: Program = [ELECTRON, ROOT];

/** Starts it without waiting for its host. */
export function launchStandIn(given: readonly string[], program = BUILT): Watched {
  if (!existsSync(CHROMIUM)) {
    throw new Error('A browser is missing: apt-get install chromium, or set CHROMIUM to the path of one.');
  }
  const [command, ...before] = program;
  return watch(spawn(command, [...before, ...given], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
}

/** Starts it with a channel to ask it through. */
export function openStandIn(given: readonly string[], program = BUILT): Desktop {
  const running = launchStandIn(given, program);
  const { process: child } = running;
  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  let browser: Promise<Browser> | null = null;
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

  async function connect(): Promise<Browser> {
    const endpoint = await inMain(async (electron) => {
      const { endpoint: found } = await (electron as unknown as StandInModule).standIn.chromium;
      return found;
    });
    return chromium.connectOverCDP(endpoint, { noDefaults: true });
  }

  return {
    ...running,
    inMain,
    async pages() {
      browser ??= connect();
      return (await browser).contexts().flatMap((context) => context.pages());
    },
    trayLabels: () =>
      inMain((electron) => (electron as unknown as StandInModule).standIn.trays[0]?.labels() ?? []),
    clickTray: (label) =>
      inMain(
        (electron, text) => (electron as unknown as StandInModule).standIn.trays[0]?.clickItem(text),
        label,
      ),
    async end() {
      await (await browser)?.close();
      // Not a signal: it takes its browser along.
      if (child.connected) void inMain(() => process.exit());
      await running.ended;
    },
  };
}

export const inStandIn: Starter = {
  open: (given) => Promise.resolve(openStandIn(given)),
  launch: launchStandIn,
};

/** Runs in the stand-in with what only that one can show; else as `inMain`. */
export function inside<Result, Argument = undefined>(
  { inMain }: Desktop,
  work: (inside: typeof standIn, argument: Argument) => Result | Promise<Result>,
  argument?: Argument,
): Promise<Result> {
  return inMain(
    (electron, { source, given }) => {
      const run = (0, eval)(`(${source})`) as typeof work;
      return run((electron as unknown as StandInModule).standIn, given as Argument);
    },
    { source: work.toString(), given: argument },
  );
}
