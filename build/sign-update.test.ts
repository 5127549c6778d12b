import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSignature } from '../electron/updates/manifest.ts';
import { temporaryFolder } from '../test/house.ts';
import { KEYS, publish } from '../test/release.ts';
import { readKey, signUpdate } from './sign-update.ts';

function packed(): string {
  const folder = temporaryFolder();
  const content = Buffer.from('a program');
  publish(folder, { version: '1.2.3', manifest: 'latest.yml', name: 'Keyswitch-Setup-1.2.3.exe', content });
  rmSync(join(folder, 'latest.yml.sig'));
  return folder;
}

test('what it signs a desktop believes', async () => {
  const folder = packed();
  expect(await signUpdate(KEYS.privateKey, folder)).toEqual([join(folder, 'latest.yml.sig')]);
  const [manifest, signature] = ['latest.yml', 'latest.yml.sig'].map((name) =>
    readFileSync(join(folder, name)),
  );
  expect(() => checkSignature(manifest!, signature!, KEYS.publicKey)).not.toThrow();
});

test('a manifest that is not true of the installer beside it is not signed', async () => {
  const folder = packed();
  writeFileSync(join(folder, 'Keyswitch-Setup-1.2.3.exe'), 'a_program');
  await expect(signUpdate(KEYS.privateKey, folder)).rejects.toThrow('is not what');
  expect(existsSync(join(folder, 'latest.yml.sig'))).toBe(false);
});

test('a key that the product does not know signs nothing', () => {
  const folder = temporaryFolder();
  const [file, publicFile] = [join(folder, 'private.pem'), join(folder, 'public.pem')];
  writeFileSync(file, KEYS.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(() => readKey(file, publicFile)).toThrow('is missing');
  writeFileSync(publicFile, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }));
  expect(() => readKey(file, publicFile)).toThrow('does not belong to');
  writeFileSync(publicFile, KEYS.publicKey.export({ type: 'spki', format: 'pem' }));
  expect(readKey(file, publicFile).equals(KEYS.privateKey)).toBe(true);
});
