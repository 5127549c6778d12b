/** One desktop a data folder: a second start shows the window of the first and ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app } from 'electron';
import { prepareDataFolder } from '../server/config/data-folder.ts';

/** Tells whether this start is the first; only before the app is ready. Throws `data-folder-unusable`. */
export function setupSingleInstance(dataFolder: string): boolean {
  prepareDataFolder(dataFolder);
  // Electron's lock goes with the folder of its own files, and so do the window's cookies and memory.
  const folder = join(dataFolder, 'desktop');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  app.setPath('userData', folder);
  return app.requestSingleInstanceLock();
}
