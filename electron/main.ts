/** The desktop, as a table of contents: the host in this process, a window on it, and its tray icon. */
import { availableParallelism } from 'node:os';
import { app } from 'electron';
import { z } from 'zod';
import type { App } from '../server/apps/app.ts';
import { prepare } from '../server/cli/data-folder.ts';
import { reportFailure } from '../server/cli/output.ts';
import { announce } from '../server/cli/serve.ts';
import { startHost, type Host } from '../server/host.ts';
import { readCommandLine } from './command-line.ts';
import { endWithFailure, showFirstSignIn } from './dialogs.ts';
import { setupNoPermissions, setupNoWayOut, setupPinnedCertificate } from './guards.ts';
import { createHandle } from './ipc/handle.ts';
import { setupSingleInstance } from './single-instance.ts';
import { setupTray } from './tray.ts';
import { setupMenu, setupWindow, type Window } from './window.ts';

setupThreadPool();
// Not awaited: Electron is not ready before this module has been evaluated.
start().catch(endWithFailure);

async function start(): Promise<void> {
  const { dataFolder, flags } = readCommandLine(process.argv);
  if (!setupSingleInstance(dataFolder)) return app.exit();
  const { settings, ports } = prepare({ dataFolder, flags });
  const { log } = ports;
  await app.whenReady();
  const host = await startHost(settings, ports);
  const station = stationOf(host);

  setupMenu();
  setupPinnedCertificate(host);
  setupNoPermissions();
  setupNoWayOut(host);
  const handle = createHandle({ origin: new URL(host.url).origin, log });
  handle('station-app-id', z.tuple([]), () => station.id);
  const window = setupWindow(host, log);
  setupTray(host, station, window, log);
  setupQuit(host, window);
  announce(host);
  await showFirstSignIn(host);
}

/** A hash holds a thread of libuv's pool for its whole time; files and signatures must find one free. */
function setupThreadPool(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism() + 4);
}

function stationOf({ features: { apps } }: Host): App {
  const station = apps.station();
  if (station === null) throw new Error('the host has no app for its station');
  return station;
}

/** Closes the host before the app ends, however it is asked to: by the tray, the system or a signal. */
function setupQuit(host: Host, window: Window): void {
  app.on('before-quit', (event) => {
    event.preventDefault();
    window.hide();
    host.close().then(
      () => app.exit(),
      (error: unknown) => app.exit(reportFailure(error)),
    );
  });
}
