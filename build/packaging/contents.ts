/** What is in a packed product: nothing but what is needed, of this version, with native code for one machine, and small. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { extractFile, getRawHeader, listPackage } from '@electron/asar';
import { findInstaller, type Machine } from '../../electron/updates/installer.ts';
import { artefactOf, readManifest } from '../../electron/updates/manifest.ts';
import { isWhole } from '../../electron/updates/staging.ts';
import { PACKED } from '../licences.ts';
import { readFuses, type Fuse } from './electron.ts';

/** What the pack may hold; a folder stands for all that is in it. */
const EXPECTED = [
  'package.json',
  'dist/clients/js/keyswitch.js',
  'dist/electron/main.js',
  'dist/electron/preload.cjs',
  'dist/renderer',
  'dist/server',
  'electron/icons',
  'resources',
  ...PACKED.map((name) => `node_modules/${name}`),
];
const NATIVE = ['argon2', 'better-sqlite3'];

/** How they are to be in what is installed; electron-builder.yml asks for it. */
export const FUSES: Partial<Record<Fuse, boolean>> = {
  runAsNode: false,
  enableCookieEncryption: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  enableEmbeddedAsarIntegrityValidation: true,
  onlyLoadAppFromAsar: true,
  grantFileProtocolExtraPrivileges: false,
};

const MIB = 2 ** 20;
const MOST_BYTES = 120 * MIB;

/** Throws with every file of the asar that should not be there, or is not there; `machine` is such as `linux-x64`. */
export function checkAsar(asar: string, machine: string): void {
  const files = listPackage(asar, { isPack: false }).map((path) => path.slice(1).replaceAll('\\', '/'));
  const isNeeded = (file: string): boolean =>
    EXPECTED.some((path) => file === path || file.startsWith(`${path}/`) || path.startsWith(`${file}/`));
  const strangers = files.filter((file) => !isNeeded(file) || /\.(map|test\.\w+)$/.test(file));
  const missing = EXPECTED.filter((path) => !files.includes(path));
  throwAll([
    ...strangers.map((file) => `${file} does not belong in the pack`),
    ...missing.map((path) => `${path} is missing from the pack`),
  ]);
  // One file each: that of the machine it is packed for.
  const native = files.filter((file) => file.endsWith('.node'));
  expectNone(
    'is for another machine',
    native.filter((file) => !file.includes(`/prebuilds/${machine}`)),
  );
  expectNone(
    'cannot be loaded from inside the pack',
    native.filter(
      (file) => statSync(join(`${asar}.unpacked`, file), { throwIfNoEntry: false }) === undefined,
    ),
  );
  const counts = NATIVE.map((name) => native.filter((file) => file.includes(`/${name}/`)).length);
  if (counts.some((count) => count !== 1))
    throw new Error(`Native code of ${NATIVE.join(', ')}: ${native.join(', ')}`);
  const version = versionIn(extractFile(asar, 'package.json'));
  const own = versionIn(readFileSync(join(import.meta.dirname, '..', '..', 'package.json')));
  if (version !== own) throw new Error(`packed is version ${version}, not ${own}`);
}

/** Throws where one of them is not as it is to be in the packed program. */
export function checkFuses(program: string): void {
  const found = readFuses(program);
  const wrong = (Object.keys(FUSES) as Fuse[]).filter((fuse) => found[fuse] !== FUSES[fuse]);
  expectNone(`is not set in ${program}`, wrong);
}

/** Throws where the program of Windows does not know the asar by its hash, which its fuse has it check. */
export function checkIntegrity(program: string, asar: string): void {
  const hash = createHash('sha256').update(getRawHeader(asar).headerString).digest('hex');
  if (!readFileSync(program).includes(hash)) throw new Error(`${program} does not know the hash of its asar`);
}

/** Says what the product takes besides Electron's own files, and throws where it is too much. */
export function checkSize(unpacked: string, electron: string): void {
  const own = new Set(filesIn(electron));
  const bytes = filesIn(unpacked)
    .filter((file) => !own.has(file) && file !== 'keyswitch')
    .reduce((sum, file) => sum + statSync(join(unpacked, file)).size, 0);
  console.log(`Besides Electron's own files the product takes ${(bytes / MIB).toFixed(1)} MiB.`);
  if (bytes > MOST_BYTES) throw new Error(`that is more than ${MOST_BYTES / MIB} MiB`);
}

/** Throws where an installed product of this version would not find its like in what was packed. */
export async function checkManifest(
  output: string,
  kind: Pick<Machine, 'platform' | 'packageType'>,
): Promise<void> {
  const { arch, execPath } = process;
  const machine = { ...kind, arch, execPath, resources: output, env: {}, args: [], isPlainStart: true };
  const installer = findInstaller({ ...machine, run: () => Promise.resolve(null) });
  if (installer === null) throw new Error(`${kind.platform} has no updates`);
  const manifest = readManifest(readFileSync(join(output, installer.manifest)));
  const artefact = artefactOf(manifest, installer.nameOf(manifest.version));
  if (!(await isWhole(join(output, artefact.name), artefact))) {
    throw new Error(`${installer.manifest} does not say what ${artefact.name} is`);
  }
}

function filesIn(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return all.filter((file) => statSync(join(folder, file)).isFile());
}

export function expectNone(fault: string, paths: readonly string[]): void {
  throwAll(paths.map((path) => `${path} ${fault}`));
}

function throwAll(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

function versionIn(manifest: Buffer): string {
  return (JSON.parse(manifest.toString('utf8')) as { version: string }).version;
}
