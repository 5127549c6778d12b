import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPackage } from '@electron/asar';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { newFolder } from '../../test/host.ts';
import { checkAsar, checkFuses, FUSES } from './contents.ts';
import { makeElectron, readFuses } from './electron.ts';

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the fuses', () => {
  const { electronFuses } = parse(readFileSync('electron-builder.yml', 'utf8')) as {
    electronFuses: Record<string, boolean>;
  };

  test.each(Object.entries(FUSES))('%s is asked for as it is to be', (fuse, state) => {
    expect(electronFuses[fuse]).toBe(state);
  });

  test('of an Electron as it is released are read, and found to be wrong', () => {
    const program = join(makeElectron(join(folder, 'electron'), 'linux'), 'electron');
    expect(readFuses(program)).toMatchObject({ runAsNode: true, onlyLoadAppFromAsar: false });
    expect(() => checkFuses(program)).toThrow('runAsNode is not set');
  });
});

test('a pack with what does not belong there, and without what does, is refused with both', async () => {
  const product = join(folder, 'product');
  mkdirSync(join(product, 'server'), { recursive: true });
  writeFileSync(join(product, 'server', 'main.ts'), '');
  await createPackage(product, join(folder, 'app.asar'));
  expect(() => checkAsar(join(folder, 'app.asar'), 'linux-x64')).toThrow(
    /^server\/main\.ts does not belong in the pack\n(?=[^]*dist\/electron\/main\.js is missing from the pack)/m,
  );
});
