import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { newFolder, startTestHost } from '../test/host.ts';
import { foldersOf, licencesPage, PACKED, readLicence } from './licences.ts';

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let added = 0;

function addPackage(license: unknown, files: Readonly<Record<string, string>> = {}): string {
  const path = join(folder, String((added += 1)));
  mkdirSync(path);
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'pump', version: '1.2.3', license }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

describe('a package', () => {
  test('is listed with the words of its licence, whatever its file is called', () => {
    const path = addPackage('MIT', {
      license: 'do what you like',
      'NOTICE.md': 'made by us',
      'README.md': 'no',
    });
    expect(readLicence(path)).toEqual({
      name: 'pump',
      version: '1.2.3',
      licence: 'MIT',
      text: expect.stringMatching(/^(?=.*do what you like)(?=.*made by us)(?!.*no$)/s) as string,
    });
  });

  test.each(['(GPL-3.0 OR MIT)', 'MIT OR GPL-3.0', '(BSD-3-Clause AND ISC)'])(
    'may be under %s',
    (license) => {
      expect(readLicence(addPackage(license)).licence).toBe(license);
    },
  );

  test.each(['GPL-3.0', 'LGPL-2.1-only', 'MIT AND GPL-3.0', 'SEE LICENSE IN terms.txt', 'UNLICENSED', ''])(
    'under %j ends the build',
    (license) => {
      expect(() => readLicence(addPackage(license))).toThrow('pump 1.2.3');
    },
  );

  test.each([[undefined], [{ type: 'MIT' }]])('that names its licence by %j ends the build', (license) => {
    expect(() => readLicence(addPackage(license))).toThrow('pump 1.2.3 names no licence');
  });
});

test('what is in a bundle is known by the innermost package, once', () => {
  const [first, ...others] = foldersOf([
    {
      moduleIds: ['\0virtual', '/a/node_modules/x/index.js', '/a/node_modules/x/node_modules/@s/y/z.js?v=1'],
    },
    { originalFileNames: ['../node_modules/x/font.woff2'] },
  ]);
  expect(first).toMatch(/\/node_modules\/x$/);
  expect(others[0]).toMatch(/\/node_modules\/x\/node_modules\/@s\/y$/);
  expect(others.slice(1).map((path) => path.split('/node_modules/')[1])).toEqual(PACKED);
});

test('no words of a licence are taken for HTML', () => {
  const page = licencesPage([{ name: 'pump', version: '1.2.3', licence: 'MIT', text: '<script>&amp;' }]);
  expect(page).toContain('<pre>&lt;script&gt;&amp;amp;</pre>');
});

test('the host serves the page, with what is bundled, packed, and drawn from a font', async () => {
  await using house = await startTestHost();
  const { status, text } = await house.ask('GET', '/licences.html');
  expect(status).toBe(200);
  for (const name of ['svelte', 'express', 'commander', '@fontsource-variable/inter', ...PACKED])
    expect(text).toMatch(
      new RegExp(`<summary>${name} \\d+\\.\\d+\\.\\d+: (MIT|Apache-2\\.0|OFL-1\\.1)</summary>`),
    );
  expect(text).toContain('LICENSES.chromium.html');
});
