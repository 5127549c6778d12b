/** Packs the desktop as the installers do, offline, looks at what is in it, and starts the packed product. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractAll, listPackage } from '@electron/asar';
import { build, Platform } from 'electron-builder';
import { readControl } from '../server/control.ts';
import { until } from '../test/electron/desktop.ts';
import { startStandIn } from '../test/electron-stand-in/desktop.ts';
import { send } from '../test/host.ts';

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
  'node_modules/@phc/format',
  'node_modules/argon2',
  'node_modules/better-sqlite3',
  'node_modules/node-gyp-build',
  'node_modules/swagger-ui-dist',
];
const NATIVE = ['argon2', 'better-sqlite3'];

const folder = mkdtempSync(join(tmpdir(), 'keyswitch-package-'));
try {
  const asar = await pack();
  check(asar);
  await boot(unpack(asar));
  console.log('The packed product holds what it needs and nothing else, and runs.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Stands in for the unpacked Electron, which is a download: the same files, with nothing in them. */
function emptyElectron(): string {
  const electron = join(folder, 'electron');
  for (const part of ['locales', 'resources']) mkdirSync(join(electron, part), { recursive: true });
  for (const file of ['chrome-sandbox', 'libffmpeg.so', 'LICENSE', 'LICENSES.chromium.html', 'version']) {
    writeFileSync(join(electron, file), '');
  }
  writeFileSync(join(electron, 'electron'), '', { mode: 0o755 });
  return electron;
}

async function pack(): Promise<string> {
  const output = join(folder, 'release');
  await build({
    projectDir: join(import.meta.dirname, '..'),
    targets: Platform.LINUX.createTarget('dir'),
    publish: 'never',
    // Fuses are set in the binary itself, so they wait for a real one.
    config: { electronDist: emptyElectron(), electronFuses: null, directories: { output } },
  });
  return join(output, 'linux-unpacked', 'resources', 'app.asar');
}

function check(asar: string): void {
  const files = listPackage(asar, { isPack: false }).map((path) => path.slice(1).replaceAll('\\', '/'));
  const isNeeded = (file: string): boolean =>
    EXPECTED.some((path) => file === path || file.startsWith(`${path}/`) || path.startsWith(`${file}/`));
  const strangers = files.filter((file) => !isNeeded(file) || /\.(map|test\.\w+)$/.test(file));
  expectNone('does not belong in the pack', strangers);
  expectNone(
    'is missing from the pack',
    EXPECTED.filter((path) => !files.includes(path)),
  );
  // One file each: that of the machine it is packed for.
  const native = files.filter((file) => file.endsWith('.node'));
  const target = `/prebuilds/linux-${process.arch}`;
  expectNone(
    'is for another machine',
    native.filter((file) => !file.includes(target)),
  );
  const counts = NATIVE.map((name) => native.filter((file) => file.includes(`/${name}/`)).length);
  if (counts.some((count) => count !== 1))
    throw new Error(`Native code of ${NATIVE.join(', ')}: ${native.join(', ')}`);
}

function expectNone(fault: string, paths: readonly string[]): void {
  if (paths.length > 0) throw new Error(paths.map((path) => `${path} ${fault}`).join('\n'));
}

/** Plain Node reads no asar; outside the project nothing can be found that was not packed. */
function unpack(asar: string): string {
  const product = join(folder, 'product');
  extractAll(asar, product);
  return product;
}

async function boot(product: string): Promise<void> {
  const dataFolder = join(folder, 'data');
  const desktop = await startStandIn(['--data', dataFolder, '--port', '0'], product);
  try {
    const agent = new Agent({ ca: readControl(dataFolder)?.trust });
    const { status } = await send(desktop.url, agent, 'GET', '/healthz');
    if (status !== 200) throw new Error(`/healthz answered ${status}`);
    await until('the page is there and knows its station', () =>
      desktop
        .inPage('keyswitch.stationAppId !== "" && document.forms.length === 1')
        .then(Boolean, () => false),
    );
    agent.destroy();
  } finally {
    desktop.process.kill();
    await desktop.ended;
  }
}
