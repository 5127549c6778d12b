/** Packs the product as the installers do, offline, looks at what is in the packs, and starts the packed program. */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractAll } from '@electron/asar';
import {
  checkAsar,
  checkFuses,
  checkIntegrity,
  checkManifest,
  checkSize,
  expectNone,
} from './packaging/contents.ts';
import { packForLinux } from './packaging/linux.ts';
import { checkCommandLine, checkDesktop } from './packaging/running.ts';
import { packForWindows } from './packaging/windows.ts';

const SEVEN_ZIP = '/usr/bin/7za';

/** What the Debian package puts beside the product. */
const IN_DEB = [
  './opt/Keyswitch/keyswitch',
  './opt/Keyswitch/bin/keyswitch',
  './usr/lib/systemd/system/keyswitch.service',
  './usr/lib/sysusers.d/keyswitch.conf',
  './usr/share/applications/keyswitch.desktop',
  './usr/share/icons/hicolor/256x256/apps/keyswitch.png',
];

needTools();
process.env['ELECTRON_BUILDER_7ZIP_PATH'] = SEVEN_ZIP;
const folder = mkdtempSync(join(tmpdir(), 'keyswitch-package-'));
const product = join(folder, 'product');
try {
  await timed('Linux: packed', checkLinux);
  await timed('Linux: run', runLinux);
  await timed('Windows: packed', checkWindows);
  console.log('The packed product holds what it needs and nothing else, and runs.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function needTools(): void {
  const missing = ['/usr/bin/makensis', SEVEN_ZIP].filter((tool) => !existsSync(tool));
  if (missing.length > 0)
    throw new Error(`Missing: ${missing.join(', ')} (on Debian: apt-get install nsis p7zip-full)`);
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await work();
  console.log(`${what} in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
}

async function checkLinux(): Promise<void> {
  const output = await packForLinux(folder, product);
  const unpacked = join(output, 'linux-unpacked');
  const asar = join(unpacked, 'resources', 'app.asar');
  checkAsar(asar, `linux-${process.arch}`);
  checkFuses(join(unpacked, 'keyswitch'));
  checkSize(unpacked, join(folder, 'electron-linux'));
  checkArchive(one(output, '*.tar.gz'));
  checkDeb(one(output, '*.deb'));
  await checkManifest(output, { platform: 'linux', packageType: 'deb' });
  // Plain Node reads no asar; outside the project nothing can be found that was not packed.
  extractAll(asar, product);
}

async function runLinux(): Promise<void> {
  const unpacked = join(folder, 'linux', 'linux-unpacked');
  await checkDesktop(join(unpacked, 'keyswitch'), join(folder, 'desktop'));
  await checkCommandLine(join(unpacked, 'bin', 'keyswitch'), join(folder, 'service'));
}

async function checkWindows(): Promise<void> {
  const output = await packForWindows(folder);
  const unpacked = join(output, 'win-unpacked');
  const program = join(unpacked, 'Keyswitch.exe');
  const asar = join(unpacked, 'resources', 'app.asar');
  checkAsar(asar, `win32-${process.arch}`);
  checkFuses(program);
  checkIntegrity(program, asar);
  const needed = ['bin/keyswitch.cmd', 'LICENSES.chromium.html'];
  expectNone(
    'is missing',
    needed.filter((file) => !existsSync(join(unpacked, file))),
  );
  one(output, 'Keyswitch-Setup-*.exe');
  if (!existsSync(join(unpacked, 'resources', 'elevate.exe'))) throw new Error('updates need elevate.exe');
  await checkManifest(output, { platform: 'win32', packageType: null });
}

function checkArchive(archive: string): void {
  const files = listed('tar', ['-tzf', archive]);
  const needed = ['/keyswitch', '/bin/keyswitch', '/resources/app.asar'];
  expectNone(
    `is missing from ${archive}`,
    needed.filter((path) => !files.some((file) => file.endsWith(path))),
  );
}

function checkDeb(deb: string): void {
  const files = listed('dpkg-deb', ['--contents', deb]).map((line) => line.split(/\s+/)[5] ?? '');
  expectNone(
    `is missing from ${deb}`,
    IN_DEB.filter((path) => !files.includes(path)),
  );
  const control = join(folder, 'control');
  listed('dpkg-deb', ['--control', deb, control]);
  for (const script of ['postinst', 'prerm', 'postrm']) listed('sh', ['-n', join(control, script)]);
}

/** Runs a program of Debian's, and gives what it printed in lines. */
function listed(program: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout.split('\n');
}

function one(output: string, pattern: string): string {
  const [found, ...more] = globSync(pattern, { cwd: output });
  if (found === undefined || more.length > 0) throw new Error(`${pattern}: ${[found, ...more].join(', ')}`);
  const path = join(output, found);
  console.log(`${found}: ${(statSync(path).size / 2 ** 20).toFixed(1)} MiB`);
  return path;
}
