import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataFolderUnusable, defaultDataFolder, prepareDataFolder } from './data-folder.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'keyswitch-data-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

test.each([
  ['win32', { LOCALAPPDATA: 'D:\\Data' }, 'C:\\Users\\op', 'D:\\Data\\Keyswitch'],
  ['win32', {}, 'C:\\Users\\op', 'C:\\Users\\op\\AppData\\Local\\Keyswitch'],
  ['darwin', {}, '/Users/op', '/Users/op/Library/Application Support/Keyswitch'],
  ['linux', { XDG_DATA_HOME: '/data' }, '/home/op', '/data/keyswitch'],
  ['linux', { XDG_DATA_HOME: 'data' }, '/home/op', '/home/op/.local/share/keyswitch'],
  ['linux', { XDG_DATA_HOME: '' }, '/home/op', '/home/op/.local/share/keyswitch'],
  ['freebsd', {}, '/home/op', '/home/op/.local/share/keyswitch'],
] as const)('keeps data on %s with %j below %s in %s', (platform, env, homedir, folder) => {
  expect(defaultDataFolder(env, platform, homedir)).toBe(folder);
});

describe('preparing', () => {
  test('makes the folder and those above it for its owner alone, and leaves nothing in it', () => {
    const folder = join(scratch, 'a', 'b');
    prepareDataFolder(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(scratch, 'a')).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('accepts a folder that is there, and leaves what is in it', () => {
    writeFileSync(join(scratch, 'keyswitch.db'), 'x');
    prepareDataFolder(scratch);
    expect(readdirSync(scratch)).toEqual(['keyswitch.db']);
  });

  test.each([
    ['a file', 'file', 'there is something else of that name'],
    ['a path below a file', 'file/below', 'a part of the path is a file, not a folder'],
  ])('refuses %s', (_, name, reason) => {
    writeFileSync(join(scratch, 'file'), '');
    const folder = join(scratch, name);
    expect(() => prepareDataFolder(folder)).toThrow(
      expect.objectContaining({
        code: 'data-folder-unusable',
        message: `${folder} cannot be used: ${reason}.`,
      }),
    );
  });

  test('refuses a folder in which no file can be made', () => {
    mkdirSync(join(scratch, '.keyswitch-write-check'));
    expect(() => prepareDataFolder(scratch)).toThrow(
      expect.objectContaining({ code: 'data-folder-unusable' }),
    );
  });

  test.each([
    ['EACCES', 'this account has no right to write there'],
    ['EPERM', 'this account has no right to write there'],
    ['EROFS', 'the file system is read-only'],
    ['ENOSPC', 'the disk is full'],
  ])('puts %s into words', (code, reason) => {
    const error = dataFolderUnusable('/data', Object.assign(new Error('raw'), { code }));
    expect(error.message).toBe(`/data cannot be used: ${reason}.`);
  });
});
