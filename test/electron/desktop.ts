/** A desktop under test, whichever Electron it runs in: how a test speaks to it, and what both kinds of start share. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type * as Electron from 'electron';
import type { Page } from 'playwright-core';

export const ROOT = join(import.meta.dirname, '..', '..');

const LIMIT_MS = 30_000;

export interface Desktop {
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
  /** Those of all its windows, shown or not. */
  pages(): Promise<Page[]>;
  /** The lines of the tray's menu, those that do nothing in parentheses; what a line opens stands after it. */
  trayLabels(): Promise<string[]>;
  clickTray(label: string): Promise<void>;
  /** Ends it at once, whatever it is doing. */
  end(): Promise<void>;
}

/** How a kind of Electron is started. */
export interface Starter {
  /** Resolves when a test can ask it, whether its host is ready or not. */
  open(given: readonly string[]): Promise<Desktop>;
  /** Nobody asks this one anything: a second start, or one that ends by itself. */
  launch(given: readonly string[]): Watched;
}

export type View = 'window' | 'bar' | 'status';

/** The page of a window, once it is there; `status` is what the full window shows where no host serves a page. */
export function pageOf(desktop: Desktop, view: View): Promise<Page> {
  return until(`the page of the ${view}`, async () =>
    (await desktop.pages()).find((page) => viewOf(page) === view),
  );
}

function viewOf(page: Page): View | null {
  const { protocol, pathname } = new URL(page.url());
  if (protocol === 'data:') return 'status';
  if (protocol !== 'https:') return null;
  return pathname === '/bar' ? 'bar' : 'window';
}

export interface WindowState {
  readonly isVisible: boolean;
  readonly isFocused: boolean;
  readonly isKiosk: boolean;
  readonly isOnTop: boolean;
  readonly bounds: Electron.Rectangle;
}

/** How a window stands on the screen; null for one that has not been made. */
export function stateOf(desktop: Desktop, view: 'window' | 'bar'): Promise<WindowState | null> {
  return desktop.inMain(({ BrowserWindow }, isBar) => {
    const windows = BrowserWindow.getAllWindows();
    const window = windows.find(({ webContents }) => webContents.getURL().endsWith('/bar') === isBar);
    if (window === undefined) return null;
    return {
      isVisible: window.isVisible(),
      isFocused: window.isFocused(),
      isKiosk: window.isKiosk(),
      isOnTop: window.isAlwaysOnTop(),
      bounds: window.getBounds(),
    };
  }, view === 'bar');
}

/** Waits until a window can be seen, or no longer. */
export async function shown(desktop: Desktop, view: 'window' | 'bar', isShown = true): Promise<void> {
  await until(`the ${view} is ${isShown ? '' : 'not '}shown`, async () => {
    return ((await stateOf(desktop, view))?.isVisible ?? false) === isShown;
  });
}

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

/** The address of its host, from the line that a ready one prints. */
export function readyUrl({ process: child, output }: Watched): Promise<string> {
  return until('the host is ready', () => {
    const hasFailed = child.exitCode !== null || /^keyswitch: /m.test(output());
    if (hasFailed) throw new Error(`its host did not start: ${output()}`);
    return /Keyswitch ready: (\S+)/.exec(output())?.[1];
  });
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
