/** The key store of the operating system, as Electron's `safeStorage` reaches it. */
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { safeStorage } from 'electron';
import { replaceFile } from '../server/config/replace-file.ts';
import type { KeyStore } from '../server/secrets/sealing.ts';

/** Something that an earlier start has sealed, in the folder of Electron's own files. */
const PROOF_FILE = 'key-store.proof';
/** No other start is the same. */
const THIS_START = String(performance.timeOrigin);

/**
 * Opens the key store of this account; null where the operating system offers none. Only once the app is ready, and
 * `folder` must be that of Electron's own files: on Windows the key is in a file there, sealed for the account.
 */
export function openKeyStore(folder: string): KeyStore | null {
  const kind = kindOf();
  if (kind === null) return null;
  const seal = (text: string): string => safeStorage.encryptString(text).toString('base64');
  const open = (sealed: string): string => safeStorage.decryptString(Buffer.from(sealed, 'base64'));
  const owner = `${userInfo().username}@${hostname()}`.replaceAll(/[\s:#]+/g, '_');
  return { name: `${kind}/${owner}`, seal, open, isProven: prove(join(folder, PROOF_FILE), seal, open) };
}

function kindOf(): string | null {
  if (!safeStorage.isEncryptionAvailable()) return null;
  if (process.platform === 'win32') return 'dpapi';
  if (process.platform === 'darwin') return 'keychain';
  const kind = safeStorage.getSelectedStorageBackend();
  // The one is a key that stands in the sources of Chromium, the other nothing at all.
  return kind === 'basic_text' || kind === 'unknown' ? null : kind;
}

/**
 * Tells whether something from an earlier start opens, or else leaves it for the next one: Chromium writes a new key to
 * its files some time later, and a power cut before that would take with it everything that was sealed.
 */
function prove(file: string, seal: KeyStore['seal'], open: KeyStore['open']): boolean {
  try {
    return open(readFileSync(file, 'utf8')) !== THIS_START;
  } catch {
    // None yet, or of a key that is gone.
  }
  try {
    replaceFile(file, seal(THIS_START));
  } catch {
    // A key ring that is locked, or a folder that cannot be written: nothing is sealed, and the host says what is wrong.
  }
  return false;
}
