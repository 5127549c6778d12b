import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeyswitchError } from '../../server/errors.ts';
import { temporaryFolder } from '../../test/house.ts';
import type { Artefact } from './manifest.ts';
import type { Source } from './source.ts';
import { stage, type StagingNeeds } from './staging.ts';

const NAME = 'Keyswitch-1.2.3.AppImage';
const CONTENT = Buffer.alloc(300_000, 'the new version ');
const ARTEFACT: Artefact = {
  name: NAME,
  bytes: CONTENT.length,
  sha512: createHash('sha512').update(CONTENT).digest('base64'),
};

/** A source that gives these pieces, an error among them being thrown; and how often it was asked. */
function giving(...pieces: (Buffer | Error)[]): Source & { asked: number } {
  const source = {
    asked: 0,
    async *open() {
      source.asked += 1;
      for (const piece of pieces) {
        if (piece instanceof Error) throw piece;
        yield piece;
      }
    },
  };
  return source;
}

function needs(source: Source, folder = join(temporaryFolder(), 'updates')): StagingNeeds {
  return { source, folder, freeBytes: () => Promise.resolve(2 ** 40), keepFreeBytes: 2 ** 30 };
}

describe('an installer', () => {
  test('that is what was signed lies in the folder, alone, for its owner', async () => {
    const given = needs(giving(CONTENT.subarray(0, 1000), CONTENT.subarray(1000)));
    mkdirSync(given.folder);
    for (const old of ['Keyswitch-1.2.2.AppImage', `${NAME}.part`])
      writeFileSync(join(given.folder, old), 'old');
    const path = await stage(ARTEFACT, given);
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
    expect(readdirSync(given.folder)).toEqual([NAME]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('that is there already is not brought again', async () => {
    const source = giving(CONTENT);
    const given = needs(source);
    await stage(ARTEFACT, given);
    await stage(ARTEFACT, given);
    expect(source.asked).toBe(1);
  });

  test('that has been damaged on the disk is brought again', async () => {
    const given = needs(giving(CONTENT));
    const path = await stage(ARTEFACT, given);
    const damaged = Buffer.from(CONTENT);
    damaged[77]! ^= 1;
    writeFileSync(path, damaged);
    await stage(ARTEFACT, given);
    expect(readFileSync(path).equals(CONTENT)).toBe(true);
  });

  const other = Buffer.from(CONTENT);
  other[5]! ^= 1;
  test.each([
    ['another one', 'update-mismatch', [other]],
    ['too short', 'update-mismatch', [CONTENT.subarray(1)]],
    ['too long', 'update-mismatch', [CONTENT, Buffer.of(0)]],
    ['empty', 'update-mismatch', []],
    ['cut off', 'update-unreachable', [CONTENT.subarray(0, 9), new KeyswitchError('update-unreachable')]],
  ])('that is %s is refused, and nothing of it stays', async (_what, code, pieces) => {
    const given = needs(giving(...pieces));
    await expect(stage(ARTEFACT, given)).rejects.toMatchObject({ code });
    expect(readdirSync(given.folder)).toEqual([]);
  });

  test('that would never end is not read further than it was signed', async () => {
    let pieces = 0;
    const endless: Source = {
      async *open() {
        for (;;) {
          pieces += 1;
          yield Buffer.alloc(100_000);
        }
      },
    };
    await expect(stage(ARTEFACT, needs(endless))).rejects.toMatchObject({ code: 'update-mismatch' });
    expect(pieces).toBe(4);
  });

  test('is not brought where it would take the room that the audit trail needs', async () => {
    const source = giving(CONTENT);
    const freeBytes = (): Promise<number> => Promise.resolve(2 ** 30 + CONTENT.length - 1);
    await expect(stage(ARTEFACT, { ...needs(source), freeBytes })).rejects.toMatchObject({
      code: 'update-not-staged',
    });
    expect(source.asked).toBe(0);
  });

  test('that cannot be written is not staged', async () => {
    const folder = join(temporaryFolder(), 'updates');
    writeFileSync(folder, 'a file');
    await expect(stage(ARTEFACT, needs(giving(CONTENT), folder))).rejects.toMatchObject({
      code: 'update-not-staged',
    });
  });
});

test('a kill in the middle leaves nothing that passes for an installer, and the next start brings it whole', async () => {
  const folder = join(temporaryFolder(), 'updates');
  const child = spawn(process.execPath, ['--input-type=module', '-e', HALF], {
    env: { ...process.env, MODULE: join(import.meta.dirname, 'staging.ts'), FOLDER: folder, NAME },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  expect(existsSync(join(folder, NAME))).toBe(false);
  expect(readdirSync(folder)).toEqual([`${NAME}.part`]);
  const path = await stage(ARTEFACT, needs(giving(CONTENT), folder));
  expect(readFileSync(path).equals(CONTENT)).toBe(true);
  expect(readdirSync(folder)).toEqual([NAME]);
});

/** Stages half of it, says so, and waits for its end. */
const HALF = `
  const { stage } = await import(process.env.MODULE);
  const { FOLDER: folder, NAME: name } = process.env;
  async function* open() {
    yield Buffer.alloc(100_000);
    console.log('half');
    setInterval(() => {}, 1000);
    await new Promise(() => {});
  }
  const freeBytes = async () => 2 ** 40;
  await stage({ name, bytes: 300_000, sha512: '' }, { source: { open }, folder, freeBytes, keepFreeBytes: 0 });
`;
