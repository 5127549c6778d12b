/** A window of ours: it shows a page of the host or a status page, and is never white. */
import { join } from 'node:path';
import { BrowserWindow, nativeTheme, type BrowserWindowConstructorOptions } from 'electron';
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';
import { PRODUCT_ROOT } from '../../server/product.ts';
import { groundOf } from './colours.ts';
import { createReloads } from './reloads.ts';
import { pageFailed } from './status.ts';
import { actionOf, addressOf, type Action, type StatusPage } from './status-page.ts';
import { text } from '../text.ts';

const PRELOAD = join(PRODUCT_ROOT, 'dist', 'electron', 'preload.cjs');
const ICON = join(PRODUCT_ROOT, 'electron', 'icons', 'icon.png');

/** Chromium's, for a load that another one has overtaken. */
const ERR_ABORTED = -3;

/** How long a page may answer nothing before it is given up. */
const PATIENCE_MS = 10_000;

/** What the links of a status page do. */
export type Ways = Partial<Record<Action, () => void>>;

export interface Pane {
  readonly window: BrowserWindow;
  /** Shows a status page in the place of any other. */
  say(page: StatusPage, ways?: Ways): void;
  /** Shows a page of the host, and again after each failure. */
  load(url: string): void;
}

/** Makes the window, hidden and without a page. */
export function createPane(options: BrowserWindowConstructorOptions, clock: Clock): Pane {
  const window = new BrowserWindow({
    ...options,
    show: false,
    icon: ICON,
    backgroundColor: groundOf(nativeTheme),
    webPreferences: {
      preload: PRELOAD,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      devTools: false,
      // Its dictionaries would be fetched from the internet.
      spellcheck: false,
    },
  });
  const { webContents } = window;
  let page: string | null = null;
  /** What the window shows, or is to show. */
  let address = '';
  let ways: Ways = {};
  let cancelPatience: CancelTimer = () => {};

  function show(its: string, itsWays: Ways): void {
    address = its;
    ways = itsWays;
    // What cannot be loaded is told by `did-fail-load`.
    window.loadURL(address).catch(() => {});
  }

  const reloads = createReloads(clock, () => (page === null ? show(address, ways) : show(page, {})));

  /** The page is not there, or no longer; a status page needs no host. */
  function fail(): void {
    if (page === null) return;
    show(addressOf(pageFailed(text())), { 'try-again': reloads.now });
    reloads.later();
  }

  nativeTheme.on('updated', () => window.setBackgroundColor(groundOf(nativeTheme)));
  // Where it leads there is nothing: the guards stop every navigation that leaves the host.
  webContents.on('will-frame-navigate', ({ url, isMainFrame }) => {
    const action = isMainFrame ? actionOf(url) : null;
    if (action !== null) ways[action]?.();
  });
  webContents.on('did-finish-load', () => {
    // Rather than the status page that has taken its place.
    if (webContents.getURL().startsWith('https:')) reloads.succeeded();
  });
  webContents.on('did-fail-load', (_event, errorCode, _description, _url, isMainFrame) => {
    if (isMainFrame && errorCode !== ERR_ABORTED) fail();
  });
  webContents.on('render-process-gone', () => {
    cancelPatience();
    if (page === null) reloads.later();
    else fail();
  });
  // No work on a page of the host keeps back a status page.
  webContents.on('will-prevent-unload', (event) => {
    if (page === null) event.preventDefault();
  });
  webContents.on('unresponsive', () => {
    cancelPatience();
    cancelPatience = clock.after(PATIENCE_MS, () => webContents.forcefullyCrashRenderer());
  });
  webContents.on('responsive', () => cancelPatience());

  return {
    window,
    say(status, its = {}) {
      reloads.cancel();
      page = null;
      show(addressOf(status), its);
    },
    load(url) {
      reloads.cancel();
      page = url;
      show(page, {});
    },
  };
}
