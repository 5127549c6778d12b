/** The desktop of the benches: as it is built, in the stand-in for Electron, its host in the main process. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ELECTRON, openStandIn } from '../test/electron-stand-in/desktop.ts';
import { readyUrl, type Desktop } from '../test/electron/desktop.ts';
import type { Endpoint } from './client.ts';
import { residentMib, runChild } from './harness.ts';

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

/**
 * What the stand-in holds in a main process by itself, in MiB: what an app with one empty window has beyond a bare Node.
 * It is a browser driver above all, which real Electron has not got.
 */
export async function standInMib(): Promise<number> {
  const bare = Number(await runChild(['-p', 'process.memoryUsage.rss()'])) / 2 ** 20;
  const empty = openStandIn([], [ELECTRON, join(import.meta.dirname, 'empty-app.ts')]);
  await empty.inMain(({ BrowserWindow }) => new BrowserWindow().loadURL('data:text/html,nothing'));
  const held = residentMib(empty.process.pid ?? 0);
  await empty.end();
  return held - bare;
}
