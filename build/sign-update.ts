/** `npm run sign-update -- <private key> [folder]`: signs the manifests of a release, once they are true of the installers beside them. */
import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefactOf, readManifest } from '../electron/updates/manifest.ts';
import { isWhole } from '../electron/updates/staging.ts';

const KEY_FILE = join(import.meta.dirname, '..', 'resources', 'update-key.pem');

/** Writes a `.sig` beside each manifest in `folder` and gives their paths; throws, signing nothing, where one is not true. */
export async function signUpdate(key: KeyObject, folder: string): Promise<string[]> {
  const manifests = globSync('latest*.yml', { cwd: folder }).map((name) => join(folder, name));
  if (manifests.length === 0) throw new Error(`${folder} holds no manifest`);
  for (const path of manifests) await checkManifest(path, folder);
  return manifests.map((path) => {
    const signature = sign(null, readFileSync(path), key);
    writeFileSync(`${path}.sig`, `${signature.toString('base64')}\n`);
    return `${path}.sig`;
  });
}

async function checkManifest(path: string, folder: string): Promise<void> {
  const manifest = readManifest(readFileSync(path));
  for (const { url } of manifest.files) {
    const isTrue = await isWhole(join(folder, url), artefactOf(manifest, url));
    if (!isTrue) throw new Error(`${url} is not what ${path} says`);
  }
}

/** Reads the private key whose public one the product is built with: by any other one, no desktop would believe it. */
export function readKey(file: string, publicFile = KEY_FILE): KeyObject {
  const key = createPrivateKey(readFileSync(file));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} is no Ed25519 key`);
  if (!existsSync(publicFile)) throw new Error(`${publicFile} is missing: the product refuses all updates`);
  if (!createPublicKey(key).equals(createPublicKey(readFileSync(publicFile)))) {
    throw new Error(`${file} does not belong to ${publicFile}`);
  }
  return key;
}

if (import.meta.main) {
  const [keyFile, folder = 'release'] = process.argv.slice(2);
  if (keyFile === undefined) throw new Error('Usage: npm run sign-update -- <private key> [folder]');
  for (const path of await signUpdate(readKey(keyFile), folder)) console.log(path);
}
