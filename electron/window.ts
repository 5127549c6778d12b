/** The window on the host's pages. */
import { join } from 'node:path';
import { app, BrowserWindow, Menu } from 'electron';
import type { Host } from '../server/host.ts';
import type { Log } from '../server/ports/log.ts';
import { PRODUCT_ROOT } from '../server/product.ts';

const PRELOAD = join(PRODUCT_ROOT, 'dist', 'electron', 'preload.cjs');
const ICON = join(PRODUCT_ROOT, 'electron', 'icons', 'icon.png');

export interface Window {
  /** Shows it, wherever it was, and gives it the keyboard. */
  open(): void;
  hide(): void;
}

/** Makes the window and shows it once its page is painted; closing it hides it, for the host goes on. */
export function setupWindow({ url }: Host, log: Log): Window {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    useContentSize: true,
    show: false,
    icon: ICON,
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
  const open = (): void => {
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  };
  const hide = (): void => window.hide();

  window.once('ready-to-show', open);
  window.on('close', (event) => {
    event.preventDefault();
    hide();
  });
  app.on('second-instance', open);
  app.on('activate', open);
  window.loadURL(url).catch((err: unknown) => log.error({ err }, 'the window cannot show the page'));
  return { open, hide };
}

/** Takes away the menu with its reload and developer tools; macOS needs one to copy and paste. */
export function setupMenu(): void {
  const isMac = process.platform === 'darwin';
  Menu.setApplicationMenu(isMac ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }]) : null);
}
