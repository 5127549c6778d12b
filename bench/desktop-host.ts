/** The desktop of the benches: as it is built, in the stand-in for Electron, its host in the main process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStandIn } from '../test/electron-stand-in/desktop.ts';
import { readyUrl, type Desktop } from '../test/electron/desktop.ts';
import type { Endpoint } from './client.ts';

export interface DesktopHost extends Endpoint, AsyncDisposable {
  readonly desktop: Desktop;
  readonly pid: number;
}

/** Starts it on `folder`; `flags` are those of `serve`. */
export async function startDesktop(folder: string, flags: readonly string[] = []): Promise<DesktopHost> {
  const desktop = openStandIn(['--lang=en', '--data', folder, '--port', '0', ...flags]);
  const url = await readyUrl(desktop);
  return {
    desktop,
    url,
    ca: readFileSync(join(folder, 'tls', 'ca.crt'), 'utf8'),
    pid: desktop.process.pid ?? 0,
    [Symbol.asyncDispose]: () => desktop.end(),
  };
}
