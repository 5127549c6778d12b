/** Staging: the installer of a release on this machine's disk, whole and as it was signed, or not there at all. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../server/config/data-folder.ts';
import { KeyswitchError, messageOf } from '../../server/errors.ts';
import type { Artefact } from './manifest.ts';
import type { Source } from './source.ts';

export interface StagingNeeds {
  readonly source: Source;
  readonly folder: string;
  /** Bytes that this account may still use there. */
  freeBytes(): Promise<number>;
  /** What is to stay free: the audit trail needs it more. */
  readonly keepFreeBytes: number;
}

/**
 * Brings the artefact into the folder, which holds nothing else afterwards, and resolves with its path. Throws
 * `update-unreachable`, `update-mismatch` or `update-not-staged`; nothing of it is left then.
 */
export async function stage(artefact: Artefact, needs: StagingNeeds): Promise<string> {
  const { folder } = needs;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await clear(folder, artefact.name);
    const path = join(folder, artefact.name);
    if (!(await isWhole(path, artefact))) await fetchTo(path, artefact, needs);
    return path;
  } catch (error) {
    if (error instanceof KeyswitchError) throw error;
    throw new KeyswitchError('update-not-staged', `${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** Removes what an earlier release, or a start that was cut off, has left; `keep` stays. */
export async function clear(folder: string, keep?: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (name !== keep) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Whether the file is there, and what was signed. */
export async function isWhole(path: string, { bytes, sha512 }: Artefact): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found?.size !== bytes) return false;
  const hash = createHash('sha512');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return isHash(hash, sha512);
}

async function fetchTo(path: string, artefact: Artefact, needs: StagingNeeds): Promise<void> {
  const { name, bytes } = artefact;
  if ((await needs.freeBytes()) - bytes < needs.keepFreeBytes) {
    throw new KeyswitchError('update-not-staged', `The disk has no room for the ${bytes} bytes of ${name}.`);
  }
  // Under another name until it is known to be what was signed.
  const part = `${path}.part`;
  try {
    await write(part, artefact, needs.source);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  syncFolder(needs.folder);
}

async function write(part: string, { name, bytes, sha512 }: Artefact, source: Source): Promise<void> {
  const mismatch = (what: string): KeyswitchError =>
    new KeyswitchError('update-mismatch', `${name} is not what was signed: ${what}.`);
  const hash = createHash('sha512');
  let written = 0;
  await using file = await open(part, 'w', 0o600);
  for await (const piece of source.open(name)) {
    written += piece.length;
    if (written > bytes) throw mismatch(`it has more than ${bytes} bytes`);
    hash.update(piece);
    await file.appendFile(piece);
  }
  if (!isHash(hash, sha512)) throw mismatch('its hash is another one');
  await file.sync();
}

function isHash(hash: Hash, sha512: string): boolean {
  return hash.digest('base64') === sha512;
}
