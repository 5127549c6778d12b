import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { moduleUrl, startChild, type Child } from '../../test/child.ts';
import { temporaryFolder } from '../../test/house.ts';
import { lockFolder, type FolderLock } from './folder-lock.ts';

/** Lets a process of its own take the folder and keep it. */
function holdInAnotherProcess(folder: string): Promise<Child> {
  const script = `
    import { lockFolder } from ${JSON.stringify(moduleUrl('server/store/folder-lock.ts'))};
    try {
      globalThis.lock = lockFolder(process.argv[1]);
      console.log('ready');
      setInterval(() => {}, 1000);
    } catch {
      process.exitCode = 1;
    }`;
  return startChild(script, folder);
}

function lock(folder: string): FolderLock {
  const held = lockFolder(folder);
  onTestFinished(() => held.release());
  return held;
}

describe('a data folder', () => {
  test('that another process holds is refused', async () => {
    const folder = temporaryFolder();
    await holdInAnotherProcess(folder);
    expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'data-folder-in-use' }));
  });

  test('is free at once when the process that held it was killed', async () => {
    const folder = temporaryFolder();
    const child = await holdInAnotherProcess(folder);
    await child.kill();
    lock(folder);
  });

  test('cannot be taken twice by one process either, until it is released', () => {
    const folder = temporaryFolder();
    const held = lock(folder);
    expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'data-folder-in-use' }));
    held.release();
    lock(folder);
  });

  test('stays with its holder whoever else was refused, and is free when the holder lets go of it', async () => {
    const folder = temporaryFolder();
    const held = lock(folder);
    for (let i = 0; i < 3; i += 1) {
      expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'data-folder-in-use' }));
    }
    await expect(holdInAnotherProcess(folder)).rejects.toThrow('the child ended before it was ready');
    held.release();
    const child = await holdInAnotherProcess(folder);
    await child.kill();
  });

  test('keeps nothing but the empty lock file', () => {
    const folder = temporaryFolder();
    lock(folder).release();
    expect(readdirSync(folder)).toEqual(['keyswitch.lock']);
  });

  test.each([
    ['is not there', (folder: string) => join(folder, 'missing')],
    [
      'has something else in the place of the lock',
      (folder: string) => {
        writeFileSync(
          join(folder, 'keyswitch.lock'),
          'no database, but long enough to be looked at. '.repeat(20),
        );
        return folder;
      },
    ],
  ])('that %s is refused', (_name, prepare) => {
    const folder = prepare(temporaryFolder());
    expect(() => lockFolder(folder)).toThrow(expect.objectContaining({ code: 'data-folder-unusable' }));
  });
});
