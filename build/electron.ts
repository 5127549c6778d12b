/** Whether this machine can show the desktop: Electron's binary, and a display to draw on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where `install-electron` puts it, or ELECTRON_OVERRIDE_DIST_PATH says; asking the electron package would download it. */
export function electronBinary(): string {
  const modules = join(import.meta.dirname, '..', 'node_modules');
  const folder = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(modules, 'electron', 'dist');
  if (process.platform === 'win32') return join(folder, 'electron.exe');
  if (process.platform === 'darwin') return join(folder, 'Electron.app', 'Contents', 'MacOS', 'Electron');
  return join(folder, 'electron');
}

/** Tells in a sentence what is missing; null where nothing is. */
export function missingForDesktop(): string | null {
  const { DISPLAY = '', WAYLAND_DISPLAY = '' } = process.env;
  if (process.platform === 'linux' && DISPLAY === '' && WAYLAND_DISPLAY === '') return 'No display';
  if (!existsSync(electronBinary())) return "Electron's binary is not installed (npx install-electron)";
  return null;
}
