/** What a start leaves open when it fails: a desktop tries again in the same process. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type * as Streams from 'rotating-file-stream';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { newFolder } from '../../test/host.ts';
import { prepare } from './data-folder.ts';

const opened = vi.hoisted(() => [] as Streams.RotatingFileStream[]);
vi.mock('rotating-file-stream', async (importOriginal) => {
  const real = await importOriginal<typeof Streams>();
  const createStream: typeof real.createStream = (...given) => {
    const stream = real.createStream(...given);
    opened.push(stream);
    return stream;
  };
  return { ...real, createStream };
});

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void opened.splice(0));

/** Resolves once the file is closed. */
async function closed(stream: Streams.RotatingFileStream | undefined): Promise<void> {
  if (stream?.closed !== true) await once(stream!, 'close');
}

test('the log is closed where the secrets cannot be read', async () => {
  const secrets = join(folder, 'keyswitch.env');
  writeFileSync(secrets, 'no secret\n');
  expect(() => prepare({ dataFolder: folder })).toThrowError(
    expect.objectContaining({ code: 'secrets-invalid' }) as Error,
  );
  expect(opened).toHaveLength(1);
  await closed(opened[0]);
  rmSync(secrets);
});

test('the log is open until it is closed, with all that was logged', async () => {
  const { ports, closeLog } = prepare({ dataFolder: folder });
  ports.log.error({}, 'the last word');
  expect(opened[0]?.writableEnded).toBe(false);
  closeLog();
  await closed(opened[0]);
  expect(readFileSync(join(folder, 'logs', 'keyswitch.log'), 'utf8')).toContain('the last word');
});
