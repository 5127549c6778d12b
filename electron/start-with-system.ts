/** Starting when somebody signs in to the operating system, or no longer doing so. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { app } from 'electron';
import type { Log } from '../server/ports/log.ts';
import { desktopEntry } from './desktop-entry.ts';
import { imageOf } from './program.ts';
import { quoteForWindows } from './windows-argument.ts';

export function setupStartWithSystem(openAtLogin: boolean, dataFolder: string, log: Log): void {
  const program = imageOf(process) ?? process.execPath;
  const args = [...(app.isPackaged ? [] : [app.getAppPath()]), '--data', resolve(dataFolder)];
  try {
    if (process.platform === 'linux') setAutostart(openAtLogin, desktopEntry([program, ...args]));
    // Windows is given both as they are, in one line; macOS is given neither.
    else
      app.setLoginItemSettings({
        openAtLogin,
        path: quoteForWindows(program),
        args: args.map(quoteForWindows),
      });
  } catch (err) {
    log.warn({ err }, 'the operating system was not told whether to start the desktop');
  }
}

/** Desktop Application Autostart Specification; the entry of a desktop on another data folder is left alone. */
function setAutostart(isWanted: boolean, entry: string): void {
  const { XDG_CONFIG_HOME = '' } = process.env;
  const config = isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(homedir(), '.config');
  const file = join(config, 'autostart', 'keyswitch.desktop');
  if (isWanted) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, entry);
  } else if (read(file)?.endsWith(entry.slice(entry.lastIndexOf('"--data"')))) {
    rmSync(file, { force: true });
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
