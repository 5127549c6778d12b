/** The end of the desktop: however it is asked for, the host closes first. */
import { app, BrowserWindow, Menu, powerMonitor, type Event } from 'electron';
import { reportFailure } from '../server/cli/output.ts';
import type { Clock } from '../server/ports/clock.ts';
import type { Startup } from './windows/startup.ts';
import { text } from './text.ts';
import type { Frame } from './windows/views.ts';

/** While the system shuts down: what is left to everyone who is to be told that the station's session has ended. */
const FAREWELL_MS = 500;

export interface QuitNeeds {
  readonly startup: Pick<Startup<unknown>, 'close'>;
  readonly views: Pick<Frame, 'dismiss'>;
  readonly clock: Clock;
}

export function setupQuit({ startup, views, clock }: QuitNeeds): void {
  let isEnding = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (isEnding) return;
    isEnding = true;
    views.dismiss();
    startup.close().then(
      (exitCode) => app.exit(exitCode),
      (error: unknown) => app.exit(reportFailure(error)),
    );
  });
  // Registered when Electron is ready, and so in the place of its own handlers, which end at the second signal.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit());
  // Its declaration knows nothing of the event, with which Linux and macOS are asked to wait a while.
  powerMonitor.on('shutdown', (event?: Event) => {
    event?.preventDefault();
    clock.after(FAREWELL_MS, () => app.quit());
  });
  // Windows tells its windows instead, and waits for nobody: what cannot be closed in time, the store survives.
  for (const window of BrowserWindow.getAllWindows()) window.on('session-end', () => app.quit());
}

/** Takes away the menu with its reload and developer tools; macOS needs one to copy and paste, and to quit. */
export function setupMenu(mayQuit: () => boolean): void {
  if (process.platform !== 'darwin') return Menu.setApplicationMenu(null);
  const quit = (): void => void (mayQuit() && app.quit());
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      {
        label: app.name,
        submenu: [
          { role: 'hide' },
          { role: 'hideOthers' },
          { role: 'unhide' },
          { type: 'separator' },
          { label: text().quit, accelerator: 'Command+Q', click: quit },
        ],
      },
      { role: 'editMenu' },
    ]),
  );
}
