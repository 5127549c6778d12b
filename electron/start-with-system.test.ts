import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createMemoryLog } from '../server/ports/log.ts';
import { newFolder } from '../test/host.ts';
import { setupStartWithSystem } from './start-with-system.ts';

const setLoginItemSettings = vi.hoisted(() => vi.fn());
vi.mock('electron', () => ({ app: { isPackaged: true, setLoginItemSettings } }));

const { platform, execPath } = process;
const pretend = (as: NodeJS.Platform, program: string): void => {
  Object.defineProperty(process, 'platform', { value: as });
  Object.defineProperty(process, 'execPath', { value: program, writable: true });
};
afterEach(() => {
  pretend(platform, execPath);
  vi.unstubAllEnvs();
});

test('Windows is told a program and a data folder with spaces in quotes, for it takes its line apart at them', () => {
  pretend('win32', 'C:\\Program Files\\Keyswitch\\Keyswitch.exe');
  setupStartWithSystem(true, '/data of the control room', createMemoryLog());
  expect(setLoginItemSettings).toHaveBeenCalledExactlyOnceWith({
    openAtLogin: true,
    path: '"C:\\Program Files\\Keyswitch\\Keyswitch.exe"',
    args: ['"--data"', '"/data of the control room"'],
  });
});

test.each([
  ['/tmp/.mount_Keysw', '/home/o/Keyswitch.AppImage'],
  ['/tmp/.mount_Editor', '/tmp/.mount_Keysw/keyswitch'],
])('Linux is told the AppImage where it is our own: unpacked in %s, %s is started', (unpacked, program) => {
  const config = newFolder();
  onTestFinished(() => rmSync(config, { recursive: true, force: true }));
  vi.stubEnv('XDG_CONFIG_HOME', config);
  vi.stubEnv('APPIMAGE', '/home/o/Keyswitch.AppImage');
  vi.stubEnv('APPDIR', unpacked);
  pretend('linux', '/tmp/.mount_Keysw/keyswitch');
  setupStartWithSystem(true, '/data', createMemoryLog());
  const entry = readFileSync(join(config, 'autostart', 'keyswitch.desktop'), 'utf8');
  expect(entry).toContain(`Exec="${program}" "--data" "/data"\n`);
});
