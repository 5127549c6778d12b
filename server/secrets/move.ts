/** Moving `keyswitch.env` into the key store of the operating system, and out of it. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { KeyswitchError } from '../errors.ts';
import type { Log } from '../ports/log.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { parseEnvFile } from './env-file.ts';
import { openEnvText, sealEnvText, type KeyStore } from './sealing.ts';
import { readEnvText, SECRETS_FILE, secretsInvalid } from './secrets.ts';

export type SecretsForm = 'plain' | 'sealed';

/**
 * Seals or opens every value of the file in one step; false where nothing was to be done. Throws `data-folder-in-use`
 * while a host runs on the folder: it could not start again with what was sealed beneath it. Also
 * `key-store-unavailable`, `secrets-sealed`, `secrets-invalid` and `data-folder-unusable`; the file is then as it was.
 */
export function moveSecrets(dataFolder: string, to: SecretsForm, keyStore: KeyStore | null): boolean {
  const lock = lockFolder(dataFolder);
  try {
    removeLeftovers(dataFolder);
    const path = join(dataFolder, SECRETS_FILE);
    const text = readEnvText(path, SECRETS_FILE) ?? '';
    const { faults } = parseEnvFile(text, SECRETS_FILE);
    if (faults.length > 0) throw secretsInvalid(faults);
    const moved = to === 'plain' ? openEnvText(text, keyStore) : sealEnvText(text, usable(keyStore));
    if (moved === text) return false;
    replaceFile(path, moved, 0o600);
    return true;
  } finally {
    lock.release();
  }
}

/** Seals what is plain. Where that cannot be done all goes on as it was: the secrets are worth more than their seal. */
export function keepSealed(dataFolder: string, keyStore: KeyStore | null, log: Log): void {
  if (keyStore === null) {
    log.info({}, 'the secrets stay in plain text: the operating system offers no key store to this account');
  }
  if (keyStore?.isProven !== true) return;
  try {
    if (moveSecrets(dataFolder, 'sealed', keyStore)) {
      log.info({ keyStore: keyStore.name }, 'the secrets have been sealed');
    }
  } catch (err) {
    log.warn({ err }, 'the secrets could not be sealed, and stay in plain text');
  }
}

/** A move that was killed halfway may have left a plain copy behind. */
function removeLeftovers(dataFolder: string): void {
  for (const name of readdirSync(dataFolder)) {
    if (/^keyswitch\.env\.\d+\.tmp$/.test(name)) rmSync(join(dataFolder, name), { force: true });
  }
}

function usable(keyStore: KeyStore | null): KeyStore {
  if (keyStore?.isProven === true) return keyStore;
  throw new KeyswitchError(
    'key-store-unavailable',
    keyStore === null
      ? 'The operating system offers no key store to this account. The secrets stay in plain text.'
      : 'The key store of the operating system is new to this account: whether it keeps its key shows when ' +
          'Keyswitch starts again. The secrets stay in plain text; try once more.',
  );
}
