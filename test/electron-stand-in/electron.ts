/** The `electron` module as far as the desktop uses it, over Node and Debian's Chromium; importing anything else fails by name. */
import { StandInMenu, StandInTray } from './menu.ts';
import { modelled } from './modelled.ts';
import { StandInNotification } from './notification.ts';
import { StandInWindow } from './window.ts';

export { app } from './app.ts';
export { clipboard, dialog } from './dialog.ts';
export { ipcMain } from './ipc.ts';
export { nativeImage } from './native-image.ts';
export { nativeTheme } from './native-theme.ts';
export { powerMonitor } from './power-monitor.ts';
export { safeStorage } from './safe-storage.ts';
export { screen } from './screen.ts';
export { session } from './session.ts';
export const BrowserWindow = modelled('BrowserWindow', StandInWindow);
export const Menu = modelled('Menu', StandInMenu);
export const Notification = modelled('Notification', StandInNotification);
export const Tray = modelled('Tray', StandInTray);

/** What a test may look at, beside what Electron itself would show it. */
export * as standIn from './inside.ts';
