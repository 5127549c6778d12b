import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from './load.ts';
import { EXAMPLE, REFERENCE_FILE, renderJsonSchema, renderReference, SCHEMA_FILE } from './reference.ts';
import { SETTINGS } from './settings.ts';

test('the reference on disk is what the schema renders: else run node server/config/reference.ts', () => {
  expect(readFileSync(REFERENCE_FILE, 'utf8')).toBe(renderReference());
});

test("the editors' schema on disk is what the schema renders: else run node server/config/reference.ts", () => {
  expect(readFileSync(SCHEMA_FILE, 'utf8')).toBe(renderJsonSchema());
});

test('the reference names every key and its environment variable', () => {
  const page = renderReference();
  for (const { path, environmentName } of SETTINGS) {
    expect(page).toContain(`| \`${path}\` |`);
    expect(page).toContain(`| \`${environmentName}\` |`);
  }
});

test('every key has an environment name of its own, and a description', () => {
  expect(new Set(SETTINGS.map(({ environmentName }) => environmentName)).size).toBe(SETTINGS.length);
  for (const { environmentName, description } of SETTINGS) {
    expect(environmentName).toMatch(/^KEYSWITCH(_[A-Z]+)+$/);
    expect(description).toMatch(/^[A-Z][^|]*\.$/);
  }
});

test('the example is a valid file', () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-reference-'));
  try {
    writeFileSync(join(dataFolder, 'keyswitch.yaml'), EXAMPLE);
    expect(loadConfig({ dataFolder, env: {}, flags: {} }).http.host).toBe('0.0.0.0');
  } finally {
    rmSync(dataFolder, { recursive: true });
  }
});
