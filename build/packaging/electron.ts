/** Stands in for the unpacked Electron, which is a download: its files with nothing in them, but for the fuses. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES = {
  linux: ['chrome-sandbox', 'libffmpeg.so', 'LICENSE', 'LICENSES.chromium.html', 'version'],
  win32: ['ffmpeg.dll', 'LICENSE', 'LICENSES.chromium.html', 'version'],
} as const;

/** Where `@electron/fuses` finds the fuses in a binary; then their version, their number, and a character each. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** As Electron is released (build/fuses/fuses.json5 there): what a product does not set stays so. */
const RELEASED = {
  runAsNode: '1',
  enableCookieEncryption: '0',
  enableNodeOptionsEnvironmentVariable: '1',
  enableNodeCliInspectArguments: '1',
  enableEmbeddedAsarIntegrityValidation: '0',
  onlyLoadAppFromAsar: '0',
  loadBrowserProcessSpecificV8Snapshot: '0',
  grantFileProtocolExtraPrivileges: '1',
  wasmTrapHandlers: '1',
};

export type Fuse = keyof typeof RELEASED;

const wire = Buffer.concat([
  Buffer.from(SENTINEL),
  Buffer.from([1, Object.keys(RELEASED).length]),
  Buffer.from(Object.values(RELEASED).join('')),
]);

/** Makes it in `folder`; the program runs the product in `product` in the tests' stand-in, for that of Windows cannot run here. */
export function makeElectron(folder: string, platform: keyof typeof FILES, product = ''): string {
  for (const part of ['locales', 'resources']) mkdirSync(join(folder, part), { recursive: true });
  for (const language of ['de', 'en-US', 'fr']) writeFileSync(join(folder, 'locales', `${language}.pak`), '');
  for (const file of FILES[platform]) writeFileSync(join(folder, file), `${file} of Electron\n`);
  if (platform === 'win32') makeWindowsProgram(join(folder, 'electron.exe'));
  else makeProgram(join(folder, 'electron'), product);
  return folder;
}

function makeProgram(path: string, product: string): void {
  const standIn = join(import.meta.dirname, '..', '..', 'test', 'electron-stand-in', 'electron');
  const script = `#!/bin/sh\nELECTRON_STAND_IN_APP='${product}' exec '${standIn}' "$@"\n`;
  writeFileSync(path, Buffer.concat([Buffer.from(script), wire]), { mode: 0o755 });
}

/** Windows programs have resources, which electron-builder edits: the smallest program that makensis makes. */
function makeWindowsProgram(path: string): void {
  writeFileSync(`${path}.wire`, wire);
  const script = `
    Name electron
    OutFile "${path}"
    SetCompress off
    VIProductVersion 0.0.0.0
    VIAddVersionKey /LANG=1033 ProductName electron
    VIAddVersionKey /LANG=1033 FileVersion 0.0.0.0
    VIAddVersionKey /LANG=1033 FileDescription electron
    VIAddVersionKey /LANG=1033 LegalCopyright none
    Section
      File "${path}.wire"
    SectionEnd`;
  const { status, stdout } = spawnSync('makensis', ['-'], { input: script, encoding: 'utf8' });
  if (status !== 0) throw new Error(`makensis made no program: ${stdout}`);
}

/** Reads back which fuses are on in a binary. */
export function readFuses(binary: string): Record<Fuse, boolean> {
  const bytes = readFileSync(binary);
  const at = bytes.indexOf(SENTINEL);
  if (at === -1) throw new Error(`${binary} has no fuses`);
  const states = bytes.subarray(at + SENTINEL.length + 2).toString('latin1');
  const fuses = Object.keys(RELEASED).map((name, index) => [name, states[index] === '1']);
  return Object.fromEntries(fuses) as Record<Fuse, boolean>;
}
