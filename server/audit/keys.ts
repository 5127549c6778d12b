/** The audit key: signs checkpoints and archives; its private half is sealed at rest, its public half lies in a file. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { dataFolderUnusable } from '../config/data-folder.ts';
import { replaceFile } from '../config/replace-file.ts';
import { KEY_FILE, keyIdOf, parsePublicKeys, type PublicKeys } from './signatures.ts';

export interface AuditKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly id: string;
  readonly publicKey: KeyObject;
  sign(text: string): Buffer;
}

/** As it stands in the table. */
export interface SealedKey {
  readonly id: string;
  readonly publicPem: string;
  /** The private JWK, encrypted (RFC 7516, dir, A256GCM) with a key derived from SECRET_PWD_KEY. */
  readonly privateSealed: string;
  readonly createdAt: number;
}

/** Keys for one purpose each, derived from SECRET_PWD_KEY (RFC 5869). */
export interface DerivedKeys {
  /** Seals the end of the chain. */
  readonly seal: Uint8Array;
  /** Encrypts the private half of the audit key. */
  readonly atRest: Uint8Array;
  /** Tells whether SECRET_PWD_KEY is the one it was, and nothing else about it. */
  readonly check: string;
}

export function deriveKeys(secret: Buffer): DerivedKeys {
  const derive = (purpose: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, '', purpose, length));
  return {
    seal: derive('keyswitch audit seal', 32),
    atRest: derive('keyswitch audit key', 32),
    check: Buffer.from(derive('keyswitch audit check', 16)).toString('hex'),
  };
}

export async function generateKey({ atRest }: DerivedKeys, now: number): Promise<SealedKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const plaintext = Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' })));
  const privateSealed = await new CompactEncrypt(plaintext)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(atRest);
  const publicPem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
  return { id: keyIdOf(publicKey), publicPem, privateSealed, createdAt: now };
}

/** Opens the key; null where it was sealed with another SECRET_PWD_KEY, or is not what it says. */
export async function unsealKey(sealed: SealedKey, { atRest }: DerivedKeys): Promise<AuditKey | null> {
  try {
    const { plaintext } = await compactDecrypt(sealed.privateSealed, atRest);
    const jwk = JSON.parse(new TextDecoder().decode(plaintext)) as PrivateJwk;
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    const publicKey = createPublicKey(privateKey);
    const id = keyIdOf(publicKey);
    if (id !== sealed.id) return null;
    return { id, publicKey, sign: (text) => sign(null, Buffer.from(text), privateKey) };
  } catch {
    return null;
  }
}

type PrivateJwk = ReturnType<KeyObject['export']> & Record<string, string>;

/** What the file beside the database says; who has the database alone cannot change it. */
export interface KeyFile {
  readonly keys: PublicKeys;
  /** Of the SECRET_PWD_KEY under which the trail was last sealed; null where the file does not say. */
  readonly check: string | null;
}

/** Reads it; null where there is none. */
export function readKeyFile(folder: string): KeyFile | null {
  const path = join(folder, KEY_FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw dataFolderUnusable(path, error);
  }
  return { keys: parsePublicKeys(text), check: /^Sealed under secret ([0-9a-f]+)$/m.exec(text)?.[1] ?? null };
}

/** Writes the keys, the one that signs last; those that the file had stay: they verify what they signed. */
export function writeKeyFile(folder: string, keys: readonly KeyObject[], check: string): void {
  const blocks = keys.map(
    (key) => `Keyswitch audit key ${keyIdOf(key)}\n${key.export({ format: 'pem', type: 'spki' })}`,
  );
  replaceFile(join(folder, KEY_FILE), `Sealed under secret ${check}\n\n${blocks.join('\n')}`, 0o644);
}
