/** How each kind of installation takes a new version: nothing of this one stops before the operating system has agreed. */
import { chmod, copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../server/config/data-folder.ts';
import { KeyswitchError, messageOf } from '../../server/errors.ts';
import { imageOf, type Program } from '../program.ts';

export interface Installer {
  /** Of the releases that it takes, as electron-builder names it. */
  readonly manifest: string;
  /** The file of a release that it takes. */
  nameOf(version: string): string;
  /** Resolves when this process is to end, and rejects with `update-not-installed` where all is as it was. */
  install(file: string): Promise<void>;
  /** What starts the new version once this process has ended; null where the installer does. */
  readonly restart: Program | null;
}

/** What this process knows of itself and of its machine. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly execPath: string;
  /** Where electron-builder has left its word; null where the program was not packed. */
  readonly resources: string | null;
  /** What a Debian package says there: `deb`. */
  readonly packageType: string | null;
  /** What the program was started with. */
  readonly args: readonly string[];
  /** Whether a start without any of them would mean the same. */
  readonly isPlainStart: boolean;
  /** Runs a program to its end, and resolves with its exit code. */
  run(program: Program): Promise<number | null>;
}

/** Null where this kind of installation cannot be updated from within: unpacked from a tar.gz, or run from sources. */
export function findInstaller(machine: Machine): Installer | null {
  const { platform, resources, packageType } = machine;
  if (platform === 'win32' && resources !== null) return nsis(machine, resources);
  if (platform !== 'linux') return null;
  const image = imageOf(machine);
  if (image !== null) return appImage(machine, image);
  return packageType === 'deb' ? deb(machine) : null;
}

/** Linux's manifests are one an architecture; that of x64 has no name. */
function linuxManifest({ arch }: Machine): string {
  return `latest-linux${arch === 'x64' ? '' : `-${arch}`}.yml`;
}

/** The running one stays where it is until it ends: only its name goes over to the new file. */
function appImage(machine: Machine, path: string): Installer {
  const { arch, args } = machine;
  return {
    manifest: linuxManifest(machine),
    nameOf: (version) => `Keyswitch-${version}${arch === 'x64' ? '' : `-${arch}`}.AppImage`,
    async install(file) {
      const next = `${path}.next`;
      try {
        await copyFile(file, next);
        await chmod(next, 0o755);
        await using copied = await open(next);
        await copied.sync();
        await rename(next, path);
        syncFolder(dirname(path));
      } catch (error) {
        throw notInstalled(`${path} cannot be replaced: ${messageOf(error)}`, error);
      } finally {
        await rm(next, { force: true });
      }
    },
    restart: { path, args },
  };
}

/** apt refuses what lacks a dependency before anything is changed; dpkg would find that out afterwards. */
function deb(machine: Machine): Installer {
  const { arch, execPath, args, run } = machine;
  return {
    manifest: linuxManifest(machine),
    nameOf: (version) => `keyswitch_${version}_${arch === 'x64' ? 'amd64' : arch}.deb`,
    async install(file) {
      const apt = ['/usr/bin/apt-get', 'install', '--yes', '--no-install-recommends', file];
      await expectDone('apt-get', run({ path: 'pkexec', args: ['--disable-internal-agent', ...apt] }));
    },
    restart: { path: execPath, args },
  };
}

/** Windows asks whoever sits there; it is the installer that waits for this process to end, and starts the new one. */
function nsis({ isPlainStart, run }: Machine, resources: string): Installer {
  return {
    manifest: 'latest.yml',
    nameOf: (version) => `Keyswitch-Setup-${version}.exe`,
    async install(file) {
      // The installer would start the desktop on another data folder, or another port.
      if (!isPlainStart) throw notInstalled('this desktop was started with options of its own');
      const program = {
        path: join(resources, 'elevate.exe'),
        args: [file, '--updated', '/S', '--force-run'],
      };
      await expectDone('the installer', run(program));
    },
    restart: null,
  };
}

async function expectDone(what: string, running: Promise<number | null>): Promise<void> {
  const exitCode = await running.catch((error: unknown) => {
    throw notInstalled(`${what} cannot be started: ${messageOf(error)}`, error);
  });
  if (exitCode !== 0) throw notInstalled(`${what} was refused, or has failed (${exitCode})`);
}

function notInstalled(reason: string, cause?: unknown): KeyswitchError {
  return new KeyswitchError('update-not-installed', `The update was not installed: ${reason}.`, { cause });
}
