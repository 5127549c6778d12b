/** One desktop a data folder: a second start shows the window of the first and ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app } from 'electron';
import { prepareDataFolder } from '../server/config/data-folder.ts';

/** Tells whether this start is the first, `unknown` where the folder cannot be used; only before the app is ready. */
export function setupSingleInstance(dataFolder: string): 'first' | 'second' | 'unknown' {
  // Electron's lock goes with the folder of its own files, and so do the window's cookies and memory.
  const folder = join(dataFolder, 'desktop');
  try {
    prepareDataFolder(dataFolder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    // Told when there is a window to say it in: the host will not be able to use it either.
    return 'unknown';
  }
  app.setPath('userData', folder);
  return app.requestSingleInstanceLock() ? 'first' : 'second';
}
