import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newFolder } from '../../test/host.ts';
import type { Program } from '../program.ts';
import { findInstaller, type Machine } from './installer.ts';

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MACHINE: Machine = {
  ...{ platform: 'linux', arch: 'x64', env: {}, execPath: '/tmp/.mount_Keysw/keyswitch' },
  ...{
    resources: '/tmp/.mount_Keysw/resources',
    packageType: null,
    args: ['--data', '/data'],
    isPlainStart: true,
  },
  run: () => Promise.reject(new Error('nothing is to be run')),
};

/** A machine on which programs end with `exitCode`; and what was run there. */
function running(
  machine: Partial<Machine>,
  exitCode: number | null = 0,
): { machine: Machine; ran: Program[] } {
  const ran: Program[] = [];
  const run = (program: Program): Promise<number | null> => {
    ran.push(program);
    return Promise.resolve(exitCode);
  };
  return { machine: { ...MACHINE, ...machine, run }, ran };
}

const NOT_INSTALLED = { code: 'update-not-installed' };

describe('which installation takes which files', () => {
  const image = { APPIMAGE: '/home/o/Keyswitch.AppImage', APPDIR: '/tmp/.mount_Keysw' };
  test.each<[string, Partial<Machine>, string[] | null]>([
    ['an AppImage', { env: image }, ['latest-linux.yml', 'Keyswitch-1.2.3.AppImage']],
    [
      'an AppImage for ARM',
      { env: image, arch: 'arm64' },
      ['latest-linux-arm64.yml', 'Keyswitch-1.2.3-arm64.AppImage'],
    ],
    ['a Debian package', { packageType: 'deb' }, ['latest-linux.yml', 'keyswitch_1.2.3_amd64.deb']],
    ['Windows', { platform: 'win32' }, ['latest.yml', 'Keyswitch-Setup-1.2.3.exe']],
    ['a tar.gz', {}, null],
    ['the sources on Windows', { platform: 'win32', resources: null }, null],
    ['macOS', { platform: 'darwin' }, null],
    [
      'a program started from the AppImage of another',
      { env: { ...image, APPDIR: '/tmp/.mount_Editor' } },
      null,
    ],
    ['one beside it', { env: { ...image, APPDIR: '/tmp/.mount_Key' } }, null],
  ])('%s', (_what, machine, expected) => {
    const installer = findInstaller({ ...MACHINE, ...machine });
    expect(installer && [installer.manifest, installer.nameOf('1.2.3')]).toEqual(expected);
  });
});

describe('an AppImage', () => {
  const at = join(folder, 'image');
  mkdirSync(at);
  const path = join(at, 'Keyswitch.AppImage');
  const staged = join(folder, 'staged');
  const installer = findInstaller({ ...MACHINE, env: { APPIMAGE: path, APPDIR: '/tmp/.mount_Keysw' } })!;

  test('is replaced in one step by a program, and started with what this one was started with', async () => {
    writeFileSync(path, 'old');
    writeFileSync(staged, 'new', { mode: 0o600 });
    const before = statSync(path).ino;
    await installer.install(staged);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o755);
    // Whoever runs the old file keeps it.
    expect(statSync(path).ino).not.toBe(before);
    expect(installer.restart).toEqual({ path, args: ['--data', '/data'] });
  });

  test('that cannot be replaced stays as it is, and nothing is left beside it', async () => {
    writeFileSync(path, 'old');
    await expect(installer.install(join(folder, 'not there'))).rejects.toMatchObject(NOT_INSTALLED);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(existsSync(`${path}.next`)).toBe(false);
  });
});

describe('a Debian package', () => {
  test('is given to apt, as the root that somebody agrees to', async () => {
    const { machine, ran } = running({ packageType: 'deb', execPath: '/opt/Keyswitch/keyswitch' });
    const installer = findInstaller(machine)!;
    await installer.install('/data/updates/keyswitch_1.2.3_amd64.deb');
    expect(ran).toEqual([
      {
        path: 'pkexec',
        args: [
          '--disable-internal-agent',
          ...['/usr/bin/apt-get', 'install', '--yes', '--no-install-recommends'],
          '/data/updates/keyswitch_1.2.3_amd64.deb',
        ],
      },
    ]);
    expect(installer.restart).toEqual({ path: '/opt/Keyswitch/keyswitch', args: ['--data', '/data'] });
  });

  test.each([126, 127, 100, null])('that ends with %s was not installed', async (exitCode) => {
    const { machine } = running({ packageType: 'deb' }, exitCode);
    await expect(findInstaller(machine)!.install('/x.deb')).rejects.toMatchObject(NOT_INSTALLED);
  });

  test('was not installed where nothing can ask for the root', async () => {
    await expect(findInstaller({ ...MACHINE, packageType: 'deb' })!.install('/x.deb')).rejects.toMatchObject(
      NOT_INSTALLED,
    );
  });
});

describe('Windows', () => {
  const WINDOWS = { platform: 'win32', resources: 'R' } as const;

  test('is asked to run the installer, silently, which starts the new version', async () => {
    const { machine, ran } = running(WINDOWS);
    const installer = findInstaller(machine)!;
    await installer.install('Keyswitch-Setup-1.2.3.exe');
    expect(ran).toEqual([
      {
        path: join('R', 'elevate.exe'),
        args: ['Keyswitch-Setup-1.2.3.exe', '--updated', '/S', '--force-run'],
      },
    ]);
    expect(installer.restart).toBeNull();
  });

  test('that refuses leaves everything as it was', async () => {
    const { machine } = running(WINDOWS, 1);
    await expect(findInstaller(machine)!.install('x.exe')).rejects.toMatchObject(NOT_INSTALLED);
  });

  test('is not asked where the new version would be started on other data', async () => {
    const { machine, ran } = running({ ...WINDOWS, isPlainStart: false });
    await expect(findInstaller(machine)!.install('x.exe')).rejects.toMatchObject(NOT_INSTALLED);
    expect(ran).toEqual([]);
  });
});
