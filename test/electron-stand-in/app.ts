/** `app`: the process as Electron presents it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { App } from 'electron';
import { modelled, ModelledEmitter, preventable } from './modelled.ts';

export const appEvents = new ModelledEmitter('app', [
  'activate',
  'before-quit',
  'second-instance',
  'web-contents-created',
]);

const paths = new Map<string, string>();
const { lang = 'en-US' } = parseArgs({ strict: false, options: { lang: { type: 'string' } } }).values;
export const locale = String(lang);

export const app = modelled('app', {
  on: appEvents.on.bind(appEvents),
  whenReady: () => Promise.resolve(),
  getLocale: () => locale,
  setPath(name, path) {
    if (!existsSync(path)) throw new Error(`${path} does not exist`);
    paths.set(name, path);
  },
  requestSingleInstanceLock() {
    const file = join(paths.get('userData') ?? '', 'stand-in.lock');
    const first = existsSync(file) ? Number(readFileSync(file, 'utf8')) : null;
    if (first !== null && isAlive(first)) {
      process.kill(first, 'SIGUSR2');
      return false;
    }
    writeFileSync(file, String(process.pid));
    process.on('exit', () => rmSync(file, { force: true }));
    return true;
  },
  quit() {
    const event = preventable({});
    appEvents.emit('before-quit', event);
    if (!event.defaultPrevented) process.exit();
  },
  exit: (code = 0) => process.exit(code),
} satisfies Pick<
  App,
  'whenReady' | 'getLocale' | 'setPath' | 'requestSingleInstanceLock' | 'quit' | 'exit'
> & {
  on: unknown;
});

process.on('SIGUSR2', () => appEvents.emit('second-instance', preventable({})));
process.on('SIGTERM', () => app.quit());
process.on('SIGINT', () => app.quit());
// Electron's process lives until the app ends it.
setInterval(() => {}, 2 ** 30);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
