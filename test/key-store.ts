/** A key store for tests: what one account seals opens for nobody else, as with that of an operating system. */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import type { KeyStore } from '../server/secrets/sealing.ts';

const IV = Buffer.alloc(12);
const TAG_BYTES = 16;

export function createTestKeyStore(name = 'test/anna@PANEL-3', isProven = true): KeyStore {
  const key = createHash('sha256').update(name).digest();
  return {
    name,
    isProven,
    seal(text) {
      const cipher = createCipheriv('aes-256-gcm', key, IV);
      return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64');
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', key, IV);
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString();
    },
  };
}
