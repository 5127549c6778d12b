/** Replacing a file of the data folder in one step. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { dataFolderUnusable, syncFolder } from './data-folder.ts';

/**
 * Writes a temporary file beside `path` and renames it, so that a power cut leaves the former or the new text.
 * Owner and mode stay; `mode` sets another one. Throws `data-folder-unusable`; the file is then as it was.
 */
export function replaceFile(path: string, text: string, mode?: number): void {
  try {
    // A link to a file kept elsewhere stays a link.
    const target = existsSync(path) ? realpathSync(path) : path;
    const temporary = `${target}.${process.pid}.tmp`;
    try {
      writeLike(target, temporary, text, mode);
      renameSync(temporary, target);
    } finally {
      rmSync(temporary, { force: true });
    }
    syncFolder(dirname(target));
  } catch (error) {
    throw dataFolderUnusable(path, error);
  }
}

/** Writes `file` to disk with the owner and mode of `model`, or of its folder's owner alone where there is none. */
function writeLike(model: string, file: string, text: string, mode: number | undefined): void {
  const former = statSync(model, { throwIfNoEntry: false });
  const { uid, gid } = former ?? statSync(dirname(model));
  const descriptor = openSync(file, 'w', 0o600);
  try {
    writeFileSync(descriptor, text);
    fchmodSync(descriptor, (mode ?? former?.mode ?? 0o600) & 0o777);
    // A change made as root must leave the file to the account that the host runs under.
    if (process.getuid?.() === 0) fchownSync(descriptor, uid, gid);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
