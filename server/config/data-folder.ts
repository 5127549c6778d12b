/** The data folder: where it is unless told otherwise, and whether it can be used. */
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join, posix, win32 } from 'node:path';
import { KeyswitchError, messageOf } from '../errors.ts';

/**
 * Tells where the operating system keeps an application's data: `%LOCALAPPDATA%\Keyswitch` on Windows,
 * `~/Library/Application Support/Keyswitch` on macOS, else `keyswitch` below `$XDG_DATA_HOME` or `~/.local/share`
 * (XDG Base Directory Specification, which says to ignore a relative `$XDG_DATA_HOME`).
 */
export function defaultDataFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  homedir: string,
): string {
  if (platform === 'win32') {
    return win32.join(env['LOCALAPPDATA'] ?? win32.join(homedir, 'AppData', 'Local'), 'Keyswitch');
  }
  if (platform === 'darwin') return posix.join(homedir, 'Library', 'Application Support', 'Keyswitch');
  const xdg = env['XDG_DATA_HOME'] ?? '';
  return posix.join(posix.isAbsolute(xdg) ? xdg : posix.join(homedir, '.local', 'share'), 'keyswitch');
}

/**
 * Makes the folder (mode 0700) where it is missing, and proves that a file can be written there.
 * Throws `data-folder-unusable` with path and reason.
 */
export function prepareDataFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // Rights alone do not tell: ACLs, read-only mounts and full disks show only when something is written.
    const probe = join(path, '.keyswitch-write-check');
    closeSync(openSync(probe, 'w', 0o600));
    // Another command on the same folder may have removed it already.
    rmSync(probe, { force: true });
  } catch (error) {
    throw dataFolderUnusable(path, error);
  }
}

/** Makes the error for a file operation on `path`, in or at the data folder, that failed with `error`. */
export function dataFolderUnusable(path: string, error: unknown): KeyswitchError {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reason = REASONS[code] ?? messageOf(error);
  return new KeyswitchError('data-folder-unusable', `${path} cannot be used: ${reason}.`, { cause: error });
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'there is something else of that name',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EACCES: 'this account has no right to write there',
  EPERM: 'this account has no right to write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Makes what was created or renamed in `folder` survive a power cut. Windows does so by itself, and cannot be asked. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
