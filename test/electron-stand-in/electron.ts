/** The `electron` module as far as the desktop uses it, over Node and Debian's Chromium; importing anything else fails by name. */
import { modelled } from './modelled.ts';
import { StandInMenu, StandInTray } from './menu.ts';
import { StandInWindow } from './window.ts';

export { app } from './app.ts';
export { ipcMain } from './ipc.ts';
export { clipboard, dialog } from './menu.ts';
export { session } from './session.ts';
export const BrowserWindow = modelled('BrowserWindow', StandInWindow);
export const Menu = modelled('Menu', StandInMenu);
export const Tray = modelled('Tray', StandInTray);

/** What a test may look at, beside what Electron itself would show it. */
export * as standIn from './inside.ts';
