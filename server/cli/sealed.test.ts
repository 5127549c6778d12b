/** The commands on a data folder whose secrets the operating system has sealed. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyswitch } from '../../test/command-line.ts';
import { newFolder, startTestHost, type TestHost } from '../../test/host.ts';
import { createTestKeyStore } from '../../test/key-store.ts';
import { sealEnvText } from '../secrets/sealing.ts';
import { prepare } from './data-folder.ts';

const dataFolder = newFolder();
const file = join(dataFolder, 'keyswitch.env');
let host: TestHost;

beforeAll(async () => {
  host = await startTestHost({ dataFolder });
  writeFileSync(file, sealEnvText(readFileSync(file, 'utf8'), createTestKeyStore()));
});
afterAll(async () => {
  await host.close();
  rmSync(dataFolder, { recursive: true, force: true });
});

test('work through its host, and without one say who has sealed it', async () => {
  const sealed = readFileSync(file, 'utf8');
  const list = ['user', 'list', '--data', dataFolder];
  expect(await keyswitch(list)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Administrator') as unknown,
  });

  await host.close();
  const jube = join(dataFolder, 'Jube.environment');
  writeFileSync(jube, `PasswordHashingKey=${'y'.repeat(64)}\n`);
  const others = [['serve'], ['import', 'jube-environment', jube, '--force']];
  for (const command of [list, ...others.map((words) => [...words, '--data', dataFolder])]) {
    const { code, stdout, stderr } = await keyswitch(command);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('are sealed by test/anna@PANEL-3.');
  }
  expect(readFileSync(file, 'utf8')).toBe(sealed);
});

test('verify the audit trail all the same, but for its end', async () => {
  // Without the key file beside it nothing tells that what is sealed is not the secret itself.
  const keys = join(dataFolder, 'keys.pem');
  renameSync(join(dataFolder, 'audit-key.pem'), keys);
  const { code, stdout } = await keyswitch(['audit', 'verify', '--data', dataFolder, '--key', keys]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/intact/);
  expect(stdout).toMatch(/The end was not checked/);
});

test('a desktop seals what is plain, unless it is told not to, and goes on with the same secrets', () => {
  const folder = newFolder();
  const start = (keyStore: string): string[] => {
    const flags = { 'desktop.keyStore': keyStore, 'log.level': 'silent' };
    const { settings } = prepare({ dataFolder: folder, flags, keyStore: createTestKeyStore() });
    return Object.values(settings.secrets).map(String);
  };
  const text = (): string => readFileSync(join(folder, 'keyswitch.env'), 'utf8');
  const secrets = start('off');
  expect(text()).not.toContain('sealed:');
  expect(start('auto')).toEqual(secrets);
  expect(text().match(/=sealed:/g)).toHaveLength(4);
  expect(start('off')).toEqual(secrets);
  rmSync(folder, { recursive: true });
});
