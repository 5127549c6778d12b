/** What a release says of itself: the manifest that electron-builder makes for its generic provider, believed only as it was signed. */
import { verify, type KeyObject } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { KeyswitchError, messageOf } from '../../server/errors.ts';

/** A released version; what is made before a release is installed by hand. */
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

/** Other keys of it are for other programs. */
const manifestSchema = z.object({
  version: z.string().regex(VERSION),
  files: z
    .array(
      z.object({
        url: z.string(),
        /** base64 */
        sha512: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
        size: z.int().positive(),
      }),
    )
    .max(100),
});

export type Manifest = z.output<typeof manifestSchema>;

/** One file of a release, by what was signed of it. */
export interface Artefact {
  readonly name: string;
  readonly bytes: number;
  readonly sha512: string;
}

/** Throws `update-unsigned` unless `signature` (base64) is that of `bytes` by the release key: Ed25519, RFC 8032. */
export function checkSignature(bytes: Buffer, signature: Buffer, key: KeyObject): void {
  const raw = Buffer.from(signature.toString('latin1').trim(), 'base64');
  if (raw.length !== 64 || !verify(null, bytes, key, raw)) throw new KeyswitchError('update-unsigned');
}

/** Reads a manifest that was signed; throws `update-invalid`. */
export function readManifest(bytes: Buffer): Manifest {
  try {
    // Without aliases nothing can be in it more often than it was written.
    return manifestSchema.parse(parse(bytes.toString('utf8'), { maxAliasCount: 0, logLevel: 'silent' }));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new KeyswitchError('update-invalid', `The manifest cannot be read: ${reason}`, { cause: error });
  }
}

/** Finds the file of that very name, so that nothing a manifest says becomes a path; throws `update-invalid`. */
export function artefactOf({ files }: Manifest, name: string): Artefact {
  const file = files.find(({ url }) => url === name);
  if (file === undefined) throw new KeyswitchError('update-invalid', `The manifest names no ${name}.`);
  return { name, bytes: file.size, sha512: file.sha512 };
}

/** Whether the released `version` comes after `own`; of an own version before a release its numbers count. */
export function isNewer(version: string, own: string): boolean {
  const [, numbers = '', before] = /^([\d.]+)(-)?/.exec(own) ?? [];
  const [theirs, ours] = [version, numbers].map((text) => text.split('.').map(Number)) as [
    number[],
    number[],
  ];
  const at = theirs.findIndex((number, index) => number !== ours[index]);
  return at === -1 ? before !== undefined : theirs[at]! > (ours[at] ?? 0);
}
