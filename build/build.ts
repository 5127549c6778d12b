/** Builds the pages, the host, the desktop and the client for HMIs to `dist`: `node build/build.ts`, and with `--force` even where all is fresh. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { foldersOf, licencesPage, readLicence, type Bundled } from './licences.ts';

const root = join(import.meta.dirname, '..');

const CONFIGS = ['vite.config.ts', 'build/vite.server.ts', 'build/vite.preload.ts', 'build/vite.client.ts'];
const MADE = [
  'dist/renderer/index.html',
  'dist/server/main.js',
  'dist/electron/main.js',
  'dist/electron/preload.cjs',
  'dist/clients/js/keyswitch.js',
  'dist/renderer/licences.html',
];
const SOURCES = [
  ...CONFIGS,
  'build/licences.ts',
  'renderer',
  'server',
  'electron',
  'clients/js',
  'resources',
  'svelte.config.js',
  'package-lock.json',
];

/** Whether something is missing from `dist`, or older than a source. */
export function isStale(): boolean {
  const made = MADE.map((path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const oldest = Math.min(...made);
  return SOURCES.flatMap(filesOf).some((path) => statSync(path).mtimeMs > oldest);
}

function filesOf(source: string): string[] {
  const path = join(root, source);
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.includes('node_modules') && !name.endsWith('.test.ts'))
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

/** Builds in a process of its own where something is stale; throws where that fails. */
export function buildStale(): void {
  if (!isStale()) return;
  const env = { ...process.env, NODE_ENV: 'production' };
  const { status } = spawnSync(process.execPath, [import.meta.filename], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the build failed');
}

async function buildAll(): Promise<void> {
  const began = performance.now();
  // Vite reads the paths of its configuration from here.
  process.chdir(root);
  const { build } = await import('vite');
  const bundles: Bundled[] = [];
  for (const configFile of CONFIGS) {
    const made = await build({ configFile, logLevel: 'warn' });
    bundles.push(...[made].flat().flatMap((result) => ('output' in result ? result.output : [])));
  }
  const page = licencesPage(foldersOf(bundles).map(readLicence));
  writeFileSync(join(root, 'dist', 'renderer', 'licences.html'), page);
  console.log(`Built in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
}

if (import.meta.main && (process.argv.includes('--force') || isStale())) await buildAll();
