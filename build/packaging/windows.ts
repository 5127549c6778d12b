/** Has electron-builder compile the Windows installer on Debian: what it downloads elsewhere is stood in for, its script and ours are not. */
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, Platform } from 'electron-builder';
import { makeElectron } from './electron.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TEMPLATES = join(ROOT, 'node_modules', 'app-builder-lib', 'templates', 'nsis');
/** Debian's package nsis. */
const NSIS = '/usr/share/nsis';
/** What Debian's has no plugin for; what they would do is not looked at. */
const MISSING_PLUGINS = ['Nsis7z', 'StdUtils', 'UAC', 'WinShell', 'nsProcess'];

/** Packs for Windows and resolves with the folder; electron-builder compiles with `-WX`, so that a warning fails it. */
export async function packForWindows(folder: string): Promise<string> {
  const tools = join(folder, 'tools');
  Object.assign(process.env, {
    ELECTRON_BUILDER_NSIS_DIR: makeNsis(join(tools, 'nsis')),
    ELECTRON_BUILDER_NSIS_RESOURCES_DIR: makePlugins(join(tools, 'nsis-resources')),
    ELECTRON_BUILDER_WINE_TOOLSET_DIR: makeWine(join(tools, 'wine')),
  });
  const output = join(folder, 'windows');
  await build({
    projectDir: ROOT,
    targets: Platform.WINDOWS.createTarget('nsis'),
    publish: 'never',
    config: {
      electronDist: makeElectron(join(folder, 'electron-win32'), 'win32'),
      compression: 'store',
      directories: { output },
    },
  });
  return output;
}

/** As electron-builder unpacks its own; with an `elevate.exe`, which is for installers per user. */
function makeNsis(folder: string): string {
  mkdirSync(join(folder, 'linux'), { recursive: true });
  symlinkSync('/usr/bin/makensis', join(folder, 'linux', 'makensis'));
  for (const part of readdirSync(NSIS)) symlinkSync(join(NSIS, part), join(folder, part));
  writeFileSync(join(folder, 'elevate.exe'), 'elevate');
  return folder;
}

/** Plugins that have every function that electron-builder's templates call, and do nothing. */
function makePlugins(folder: string): string {
  const plugins = join(folder, 'plugins', 'x86-unicode');
  mkdirSync(plugins, { recursive: true });
  const text = globSync('**/*.{nsh,nsi}', { cwd: TEMPLATES })
    .map((file) => readFileSync(join(TEMPLATES, file), 'utf8'))
    .join('\n');
  for (const plugin of MISSING_PLUGINS) {
    const calls = text.matchAll(new RegExp(`\\b${plugin}::(\\w+)`, 'g'));
    writeFileSync(
      join(plugins, `${plugin}.dll`),
      libraryOf([...new Set([...calls].map(([, name]) => name!))]),
    );
  }
  return folder;
}

/** electron-builder has the installer of the uninstaller run, in Wine, to write the uninstaller; here one is put down. */
function makeWine(folder: string): string {
  for (const part of ['bin', 'lib', 'wine-home']) mkdirSync(join(folder, part), { recursive: true });
  const script = '#!/bin/sh\nprintf uninstaller > "${1%exe}__uninstaller.exe"\n';
  writeFileSync(join(folder, 'bin', 'wine'), script, { mode: 0o755 });
  return folder;
}

const SECTION_AT = 0x1000;
const FILE_AT = 0x200;

/** The smallest Windows library that exports functions of these names: headers, and one section with the table of exports. */
function libraryOf(names: readonly string[]): Buffer {
  const texts = names.toSorted().map((name) => Buffer.from(`${name}\0`));
  const tables = 40;
  const textsAt = tables + 10 * texts.length;
  const exports = Buffer.alloc(textsAt);
  exports.writeUInt32LE(texts.length, 20);
  exports.writeUInt32LE(texts.length, 24);
  [0, 4, 8].forEach((width, index) =>
    exports.writeUInt32LE(SECTION_AT + tables + width * texts.length, 28 + 4 * index),
  );
  let textAt = SECTION_AT + textsAt;
  texts.forEach((text, index) => {
    // Where the function would be: nobody calls it.
    exports.writeUInt32LE(SECTION_AT, tables + 4 * index);
    exports.writeUInt32LE(textAt, tables + 4 * (texts.length + index));
    exports.writeUInt16LE(index, tables + 8 * texts.length + 2 * index);
    textAt += text.length;
  });
  const section = Buffer.concat([exports, ...texts]);

  const headers = Buffer.alloc(FILE_AT);
  headers.write('MZ', 0);
  headers.writeUInt32LE(64, 60);
  headers.write('PE\0\0', 64);
  // COFF: Intel 386, one section, an optional header of 224 bytes; a library for 32 bits.
  headers.writeUInt16LE(0x14c, 68);
  headers.writeUInt16LE(1, 70);
  headers.writeUInt16LE(224, 84);
  headers.writeUInt16LE(0x2102, 86);
  headers.writeUInt16LE(0x10b, 88);
  headers.writeUInt32LE(16, 88 + 92);
  headers.writeUInt32LE(SECTION_AT, 88 + 96);
  headers.writeUInt32LE(section.length, 88 + 100);
  const sectionHeader = 88 + 224;
  headers.write('.edata', sectionHeader);
  headers.writeUInt32LE(section.length, sectionHeader + 8);
  headers.writeUInt32LE(SECTION_AT, sectionHeader + 12);
  headers.writeUInt32LE(section.length, sectionHeader + 16);
  headers.writeUInt32LE(FILE_AT, sectionHeader + 20);
  return Buffer.concat([headers, section]);
}
