/** What the audit key signs, word for word, and how its public half is kept in a file and recognised. */
import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto';
import type { ChainHead } from '../store/chain.ts';

/** Where the public halves stand in the data folder, for an auditor to copy. */
export const KEY_FILE = 'audit-key.pem';

export interface Checkpoint extends ChainHead {
  readonly at: number;
  readonly keyId: string;
  /** Ed25519 (RFC 8032) over `checkpointText`. */
  readonly signature: Uint8Array;
}

/** A segment of the trail in a file. */
export interface Archive {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of the row before the first, hex. */
  readonly previousHash: string;
  readonly lastHash: string;
  readonly entries: number;
  readonly file: string;
  /** SHA-256, hex, of its lines but the last, unpacked. */
  readonly digest: string;
  readonly at: number;
  readonly keyId: string;
  /** Ed25519 over `archiveText`. */
  readonly signature: Uint8Array;
}

export function checkpointText({ seq, hash: hex, at }: Omit<Checkpoint, 'signature' | 'keyId'>): string {
  return `keyswitch audit checkpoint\n${seq}\n${hex}\n${at}\n`;
}

export function archiveText(archive: Omit<Archive, 'signature' | 'keyId' | 'file'>): string {
  const { firstSeq, lastSeq, previousHash, lastHash, entries, digest, at } = archive;
  const fields = [firstSeq, lastSeq, previousHash, lastHash, entries, digest, at];
  return `keyswitch audit archive\n${fields.join('\n')}\n`;
}

/** Public keys by their ids. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

export function isSigned(keys: PublicKeys, keyId: string, text: string, signature: Uint8Array): boolean {
  const key = keys.get(keyId);
  return key !== undefined && verify(null, Buffer.from(text), key, signature);
}

/** RFC 7638 thumbprint of an Ed25519 key (members of RFC 8037 section 2, in lexical order). */
export function keyIdOf(publicKey: KeyObject): string {
  const { crv, kty, x } = publicKey.export({ format: 'jwk' });
  return hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url');
}

/** Reads every Ed25519 public key of a PEM file; other text between them does not matter. Throws on a malformed one. */
export function parsePublicKeys(pem: string): PublicKeys {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/g) ?? [];
  const keys = blocks.map((block) => createPublicKey(block));
  if (keys.some((key) => key.asymmetricKeyType !== 'ed25519')) throw new Error('not an Ed25519 key');
  return new Map(keys.map((key) => [keyIdOf(key), key]));
}
