/** A desktop under test, whichever Electron it runs in: how a test speaks to it, and what both kinds of start share. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type * as Electron from 'electron';

export const ROOT = join(import.meta.dirname, '..', '..');

const LIMIT_MS = 30_000;

export interface Desktop {
  /** Where its host is. */
  readonly url: string;
  readonly process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  /** Runs `work` in the main process; it sees nothing of what surrounds it here. */
  inMain<Result, Argument = undefined>(
    work: (electron: typeof Electron, argument: Argument) => Result | Promise<Result>,
    argument?: Argument,
  ): Promise<Result>;
  /** Evaluates in the window's page. */
  inPage(expression: string): Promise<unknown>;
  /** The labels of the tray's menu, those that cannot be clicked in parentheses. */
  trayLabels(): Promise<string[]>;
  clickTray(label: string): Promise<void>;
}

/** Starts the built desktop with these arguments and resolves when its host is ready. */
export type StartDesktop = (given: readonly string[]) => Promise<Desktop>;

export interface Watched {
  readonly process: ChildProcess;
  output(): string;
  readonly ended: Promise<number | null>;
}

/** Collects what `child` prints, and notes how it ends. */
export function watch(child: ChildProcess): Watched {
  let text = '';
  const collect = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  return {
    process: child,
    output: () => text,
    ended: once(child, 'close').then(([exitCode]) => exitCode as number | null),
  };
}

/** The address from the line that a ready host prints. */
export async function readyUrl({ process: child, output }: Watched): Promise<string> {
  const url = await until('the host is ready', () => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output()}`);
    return /Keyswitch ready: (\S+)/.exec(output())?.[1];
  });
  return url;
}

/** Waits until `look` gives something. */
export async function until<Found>(
  what: string,
  look: () => Found | undefined | false | Promise<Found | undefined | false>,
): Promise<Found> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
