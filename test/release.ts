/** A release as its maker would put it into a folder: the installer, electron-builder's manifest, and the signature. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** Those of a maker; of nobody else. */
export const KEYS = generateKeyPairSync('ed25519');

export interface Release {
  readonly version: string;
  readonly manifest: string;
  readonly name: string;
  readonly content: Buffer;
  /** What the manifest says otherwise than it is. */
  readonly lies?: { readonly size?: number; readonly sha512?: string; readonly url?: string };
  readonly signedBy?: KeyObject;
}

/** Puts it there; what was there of an earlier one stays beside it, but for the manifest. */
export function publish(folder: string, release: Release): void {
  const { version, manifest, name, content, lies, signedBy = KEYS.privateKey } = release;
  mkdirSync(folder, { recursive: true });
  const sha512 = createHash('sha512').update(content).digest('base64');
  const file = { url: name, sha512, size: content.length, ...lies };
  const bytes = Buffer.from(
    stringify({ version, files: [file], path: name, sha512, releaseDate: '2026-01-01T00:00:00.000Z' }),
  );
  writeFileSync(join(folder, name), content);
  publishManifest(folder, manifest, bytes, signedBy);
}

export function publishManifest(
  folder: string,
  manifest: string,
  bytes: Buffer,
  key = KEYS.privateKey,
): void {
  writeFileSync(join(folder, manifest), bytes);
  writeFileSync(join(folder, `${manifest}.sig`), `${sign(null, bytes, key).toString('base64')}\n`);
}
