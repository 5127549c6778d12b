/** `safeStorage` as a fake: it hides nothing, and says so in every byte; it is there to see what is sealed, and when. */
import type { SafeStorage } from 'electron';
import { isReady } from './app.ts';
import { modelled } from './modelled.ts';

const LABEL = 'electron stand-in, not sealed: ';

type Backend = ReturnType<SafeStorage['getSelectedStorageBackend']>;

/** As with a real one, Chromium's switch chooses: `--password-store=gnome-libsecret`; without it there is none. */
const hasOne = process.argv.includes('--password-store=gnome-libsecret');

/** What a test sets: which key store the operating system has, and which account's it is. */
export const keyStore: { backend: Backend; account: string } = {
  backend: hasOne ? 'gnome_libsecret' : 'basic_text',
  account: 'operator',
};

export const safeStorage = modelled('safeStorage', {
  isEncryptionAvailable: () => isReady() && keyStore.backend !== 'basic_text',
  getSelectedStorageBackend: () => (isReady() ? keyStore.backend : 'unknown'),
  encryptString(text) {
    if (!safeStorage.isEncryptionAvailable()) throw new Error('Encryption is not available.');
    return Buffer.from(`${LABEL}${keyStore.account}: ${Buffer.from(text).toString('base64')}`);
  },
  decryptString(sealed) {
    const label = `${LABEL}${keyStore.account}: `;
    const text = sealed.toString();
    if (!safeStorage.isEncryptionAvailable() || !text.startsWith(label)) {
      throw new Error('Error while decrypting the ciphertext provided to safeStorage.decryptString.');
    }
    return Buffer.from(text.slice(label.length), 'base64').toString();
  },
} as Pick<
  SafeStorage,
  'isEncryptionAvailable' | 'getSelectedStorageBackend' | 'encryptString' | 'decryptString'
>);
