/** This program as the operating system starts it: the AppImage that it came in, and how it is started anew. */
import { spawn } from 'node:child_process';
import { relative } from 'node:path';
import type { App } from 'electron';

export interface Program {
  readonly path: string;
  readonly args: readonly string[];
}

/** The file that this program has unpacked itself from, to another place at each start; null where it is no AppImage. */
export function imageOf({ env, execPath }: Pick<NodeJS.Process, 'env' | 'execPath'>): string | null {
  const { APPIMAGE, APPDIR } = env;
  if (APPIMAGE === undefined || APPDIR === undefined) return null;
  // A program started from another AppImage inherits what its runtime has set.
  return isWithin(execPath, APPDIR) ? APPIMAGE : null;
}

function isWithin(path: string, folder: string): boolean {
  return !/^\.\.($|\/)/.test(relative(folder, path));
}

/** Ends this process, and starts the program as this one was started. */
export function restart(
  app: Pick<App, 'relaunch' | 'quit'>,
  self: Pick<NodeJS.Process, 'env' | 'execPath' | 'argv'>,
): void {
  const image = imageOf(self);
  if (image === null) app.relaunch();
  // What Electron would start is gone with this process.
  else startAfterEnd({ path: image, args: self.argv.slice(1) });
  app.quit();
}

/** Waits, in a process of its own, for the end of this one: until then a second start would only show its window. */
export function startAfterEnd({ path, args }: Program): void {
  const script = 'while kill -0 "$0" 2>/dev/null; do sleep 0.1; done; exec "$@"';
  const given = ['-c', script, String(process.pid), path, ...args];
  spawn('/bin/sh', given, { stdio: 'ignore', detached: true }).unref();
}
