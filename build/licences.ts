/** The page of licences: of every package that is in the product, bundled or beside the bundles, its licence and the words of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** As SPDX names it. */
  readonly licence: string;
  readonly text: string;
}

/** Packed as they are (electron-builder.yml): native code, and the files of swagger-ui. */
export const PACKED = ['@phc/format', 'argon2', 'better-sqlite3', 'node-gyp-build', 'swagger-ui-dist'];

/** Licences that ask for no more than to be named. Any other one ends the build: somebody has to look at it. */
const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'OFL-1.1',
];
/** Looked at: packages that have the words, and forgot the name of the licence. */
const LOOKED_AT: Readonly<Record<string, string>> = { 'svelte-toolbelt': 'MIT' };

/** What a bundler tells of a file that it has made. */
export interface Bundled {
  readonly moduleIds?: readonly string[];
  readonly originalFileNames?: readonly string[];
}

/** Finds the folders of the packages of which something is in the bundles, and of those that are packed beside them. */
export function foldersOf(bundles: readonly Bundled[]): string[] {
  const files = bundles.flatMap(({ moduleIds = [], originalFileNames = [] }) => [
    ...moduleIds,
    ...originalFileNames,
  ]);
  const packed = PACKED.map((name) => join(ROOT, 'node_modules', name));
  return [...new Set([...files.flatMap((file) => folderOf(file) ?? []), ...packed])];
}

/** The innermost: a package may bring another one of its own. Virtual modules are in none. */
function folderOf(file: string): string | null {
  const [folder] =
    /node_modules\/(.*\/node_modules\/)?(@[^/]+\/)?[^/]+/.exec(file.replaceAll('\\', '/')) ?? [];
  return folder === undefined ? null : join(ROOT, folder);
}

/** Reads what the package in `folder` says of its licence; throws where it says nothing, or nothing that is allowed. */
export function readLicence(folder: string): Licensed {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version } = manifest as { name: string; version: string };
  const licence = manifest['license'] ?? LOOKED_AT[name];
  if (typeof licence !== 'string') throw new Error(`${name} ${version} names no licence`);
  if (!isAllowed(licence))
    throw new Error(`${name} ${version} has the licence ${licence}, which nobody has allowed`);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
  return { name, version, licence, text };
}

/** Of alternatives one is enough, of what holds together all. */
function isAllowed(licence: string): boolean {
  const alternatives = licence.replaceAll(/[()]/g, '').split(' OR ');
  return alternatives.some((one) => one.split(' AND ').every((id) => ALLOWED.includes(id)));
}

/** Makes the page: plain HTML, for the words of licences are English and the pages' own style is not needed for them. */
export function licencesPage(packages: readonly Licensed[]): string {
  const own = readFileSync(join(ROOT, 'LICENSE'), 'utf8');
  const sorted = packages.toSorted((a, b) => a.name.localeCompare(b.name, 'en'));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Licences</title>
</head>
<body>
<p><a href="/">Keyswitch</a></p>
<h1>Licences</h1>
<p>Keyswitch is under the Apache License 2.0. It holds the software below, each part under its own licence.</p>
<p>The desktop stands on Electron and Chromium. Their licences lie beside the installed program: LICENSE.electron.txt and LICENSES.chromium.html.</p>
<p>better-sqlite3 holds SQLite, which is in the public domain; argon2 holds the reference implementation of Argon2, under CC0 or the Apache License 2.0.</p>
${sorted.map(inHtml).join('')}${inHtml({ name: 'Keyswitch', version: '', licence: 'Apache-2.0', text: own })}</body>
</html>
`;
}

function inHtml({ name, version, licence, text }: Licensed): string {
  const words = text === '' ? 'The package holds no more than the name of its licence.' : text;
  return `<details>
<summary>${escape(`${name} ${version}`.trim())}: ${escape(licence)}</summary>
<pre>${escape(words)}</pre>
</details>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
