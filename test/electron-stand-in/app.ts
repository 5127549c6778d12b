/** `app`: the process as Electron presents it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { App, CommandLine } from 'electron';
import { modelled, ModelledEmitter, notModelled, preventable } from './modelled.ts';

export const appEvents = new ModelledEmitter('app', [
  'accessibility-support-changed',
  'activate',
  'before-quit',
  'browser-window-blur',
  'browser-window-created',
  'browser-window-focus',
  'certificate-error',
  'child-process-gone',
  'login',
  'quit',
  'ready',
  'render-process-gone',
  'second-instance',
  'select-client-certificate',
  'web-contents-created',
  'will-quit',
  'window-all-closed',
]);

const { lang = 'en-US' } = parseArgs({ strict: false, options: { lang: { type: 'string' } } }).values;
export const locale = String(lang);

/** What the app asked of the operating system, for a test to look at. */
export const asked: {
  loginItem: Electron.Settings | null;
  userModelId: string;
  sandbox: boolean;
  relaunched: boolean;
} = { loginItem: null, userModelId: '', sandbox: false, relaunched: false };

const product = { name: 'Electron', version: '0.0.0', folder: '' };
const switches = new Map<string, string>();
const paths = new Map<string, string>([
  ['home', homedir()],
  ['temp', tmpdir()],
  ['exe', join(import.meta.dirname, 'electron')],
]);
let ready = false;

/** Tells which app runs here, before its first line does. */
export function introduce(folder: string, manifest: { name?: string; version?: string }): void {
  Object.assign(product, { ...manifest, folder });
}

/** Electron is ready only when the app's own module has been evaluated. */
export function becomeReady(): void {
  ready = true;
  appEvents.emit('ready', {}, {});
}

export function isReady(): boolean {
  return ready;
}

/** Throws as Electron does where something is used too early. */
export function needsReady(what: string): void {
  if (!ready) throw new Error(`${what} before app is ready`);
}

export const commandLine = modelled('app.commandLine', {
  appendSwitch: (name, value = '') => void switches.set(name, value),
  hasSwitch: (name) => switches.has(name) || process.argv.some((given) => given.startsWith(`--${name}`)),
  getSwitchValue: (name) => switches.get(name) ?? '',
} satisfies Pick<CommandLine, 'appendSwitch' | 'hasSwitch' | 'getSwitchValue'>);

const members = {
  name: '',
  isPackaged: false,
  commandLine,
  on: appEvents.on.bind(appEvents),
  once: appEvents.once.bind(appEvents),
  off: appEvents.off.bind(appEvents),
  emit: appEvents.emit.bind(appEvents),
  isReady,
  whenReady: () => (ready ? Promise.resolve() : new Promise<void>((done) => appEvents.once('ready', done))),
  // Empty before the app is ready, as in Electron.
  getLocale: () => (ready ? locale : ''),
  getPreferredSystemLanguages: () => [locale],
  getVersion: () => product.version,
  getName: () => members.name || product.name,
  setName: (name: string) => void (members.name = name),
  getAppPath: () => product.folder,
  getPath(name: Parameters<App['getPath']>[0]) {
    const path = paths.get(name);
    if (path === undefined) throw notModelled(`app.getPath('${name}')`);
    return path;
  },
  setPath(name: string, path: string) {
    if (!existsSync(path)) throw new Error(`${path} does not exist`);
    paths.set(name, path);
  },
  setAppLogsPath: (path?: string) => void paths.set('logs', path ?? join(product.folder, 'logs')),
  enableSandbox() {
    if (ready) throw new Error('app.enableSandbox() can only be called before app is ready');
    asked.sandbox = true;
  },
  setAppUserModelId: (id: string) => void (asked.userModelId = id),
  setLoginItemSettings: (settings: Electron.Settings) => void (asked.loginItem = settings),
  getLoginItemSettings: () =>
    ({ openAtLogin: asked.loginItem?.openAtLogin ?? false }) as Electron.LoginItemSettings,
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
  relaunch: () => void (asked.relaunched = true),
  focus: () => {},
  quit() {
    const before = preventable({});
    appEvents.emit('before-quit', before);
    if (before.defaultPrevented) return;
    const will = preventable({});
    appEvents.emit('will-quit', will);
    if (!will.defaultPrevented) members.exit();
  },
  exit(code = 0): never {
    appEvents.emit('quit', {}, code);
    return process.exit(code);
  },
};

export const app = modelled(
  'app',
  members satisfies Pick<App, Exclude<keyof typeof members, 'on' | 'once' | 'off' | 'emit' | 'commandLine'>>,
);

process.on('SIGUSR2', () => appEvents.emit('second-instance', preventable({}), [], process.cwd(), null));
// Electron's process lives until the app ends it.
setInterval(() => {}, 2 ** 30);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
