import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/house.ts';
import { readControl, removeControl, writeControl, type Control } from './control.ts';

/** On Windows the rights are those of the folder, and a mode says no more than that the file may be written. */
const expectedMode = process.platform === 'win32' ? 0o666 : 0o600;

const CONTROL: Control = {
  url: 'https://127.0.0.1:8443',
  pid: 4711,
  key: 'the key of this run',
  trust: 'PEM',
};

test('what the host has written the command line reads', () => {
  const folder = temporaryFolder();
  writeControl(folder, CONTROL);
  expect(readControl(folder)).toEqual(CONTROL);
});

test("is for the host's own account only, whatever was there before", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'control.json'), 'left behind by a host that crashed', { mode: 0o666 });
  writeControl(folder, CONTROL);
  expect(statSync(join(folder, 'control.json')).mode & 0o777).toBe(expectedMode);
  expect(readControl(folder)).toEqual(CONTROL);
});

test.each([
  ['is not there', null],
  ['is empty', ''],
  ['is half written', '{"url":"https://127.0'],
])('nobody is found where the file %s', (_name, content) => {
  const folder = temporaryFolder();
  if (content !== null) writeFileSync(join(folder, 'control.json'), content);
  expect(readControl(folder)).toBeNull();
});

test('it is gone when the host has stopped, and removing it twice harms no one', () => {
  const folder = temporaryFolder();
  writeControl(folder, CONTROL);
  removeControl(folder);
  removeControl(folder);
  expect(readdirSync(folder)).toEqual([]);
});
