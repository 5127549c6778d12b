import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFixedClock } from '../../server/ports/clock.ts';
import { openMemory } from './memory.ts';

const AT_FIRST = { view: 'window', kiosk: false, maximised: false, window: null, bar: null };
const PLACE = { x: -1200, y: 40, width: 1100, height: 900 };

let folder: string;
let file: string;
const clock = createFixedClock();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyswitch-memory-'));
  file = join(folder, 'window.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a first start remembers nothing, and writes nothing', () => {
  expect(openMemory(file, clock).now).toEqual(AT_FIRST);
  expect(existsSync(file)).toBe(false);
});

test('what was noted is there at the next start', async () => {
  const memory = openMemory(file, clock);
  memory.note({ window: PLACE, maximised: true });
  memory.note({ view: 'bar' });
  await clock.advance(1000);
  expect(openMemory(file, clock).now).toEqual({ ...AT_FIRST, window: PLACE, maximised: true, view: 'bar' });
});

test('a window that is pulled across the screen is written once, with its last place', async () => {
  const memory = openMemory(file, clock);
  for (let x = 0; x < 20; x += 1) {
    memory.note({ window: { ...PLACE, x } });
    await clock.advance(10);
  }
  expect(existsSync(file)).toBe(false);
  await clock.advance(500);
  expect(openMemory(file, clock).now.window).toEqual({ ...PLACE, x: 19 });
});

test('flushing writes at once, and nothing where nothing has changed', async () => {
  const memory = openMemory(file, clock);
  memory.flush();
  expect(existsSync(file)).toBe(false);
  memory.note({ kiosk: true });
  memory.flush();
  expect(openMemory(file, clock).now.kiosk).toBe(true);
  rmSync(file);
  await clock.advance(1000);
  expect(existsSync(file)).toBe(false);
});

test('a folder that has gone costs the place, and nothing else', async () => {
  const memory = openMemory(file, clock);
  rmSync(folder, { recursive: true });
  memory.note({ window: PLACE });
  await clock.advance(1000);
  expect(memory.now.window).toEqual(PLACE);
});

test('of a broken file what is whole is kept, and the rest is as at the first start', () => {
  writeFileSync(
    file,
    JSON.stringify({ view: 'bar', window: { ...PLACE, width: -1 }, kiosk: 'yes', bar: PLACE }),
  );
  expect(openMemory(file, clock).now).toEqual({ ...AT_FIRST, view: 'bar', bar: PLACE });
});

test('whatever stands in the file, the desktop starts', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      writeFileSync(file, text);
      const { view, kiosk } = openMemory(file, clock).now;
      expect(['window', 'bar']).toContain(view);
      expect(typeof kiosk).toBe('boolean');
      expect(readFileSync(file, 'utf8')).toBe(text);
    }),
    { numRuns: 50 },
  );
});
