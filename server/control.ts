/** How the command line finds and enters a running host: a file that only the host's own account can read. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Control {
  readonly url: string;
  readonly pid: number;
  /** Good as an administrator's bearer token for as long as this host runs. */
  readonly key: string;
  /** The one certificate (PEM) that the host's is, or is signed by; nothing else is trusted on this way in. */
  readonly trust: string;
}

const FILE = 'control.json';

export function writeControl(dataFolder: string, control: Control): void {
  // Removed first, so that the mode is right even where a file with another one was left behind.
  removeControl(dataFolder);
  writeFileSync(join(dataFolder, FILE), JSON.stringify(control), { mode: 0o600, flag: 'wx' });
}

export function readControl(dataFolder: string): Control | null {
  try {
    return JSON.parse(readFileSync(join(dataFolder, FILE), 'utf8')) as Control;
  } catch {
    return null;
  }
}

export function removeControl(dataFolder: string): void {
  rmSync(join(dataFolder, FILE), { force: true });
}
