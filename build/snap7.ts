/** Compiles node-snap7, the S7 server of the tests and the demo, for the Node that runs this; says nothing when that is done already. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const modules = join(import.meta.dirname, '..', 'node_modules');
const addon = join(modules, 'node-snap7', 'build', 'Release', 'node_snap7.node');

if (!loads()) compile();

/** Asks a process of its own: one that has tried an addon of another Node does not take the new one at the same path. */
function loads(): boolean {
  return spawnSync(process.execPath, ['-e', 'require(process.argv[1])', addon]).status === 0;
}

function compile(): void {
  const gyp = join(modules, 'node-gyp', 'bin', 'node-gyp.js');
  if (!existsSync(gyp)) return fail('node-gyp is not installed (run npm ci)');
  if (!existsSync(join(modules, 'node-snap7'))) return fail('the package is not installed (run npm ci)');
  console.log(
    `snap7: compiling node-snap7 for Node ${process.versions.node}, once; it takes a quarter of a minute`,
  );
  const headers = findHeaders();
  const folder = ['-C', join(modules, 'node-snap7')];
  const run = spawnSync(
    process.execPath,
    [gyp, 'rebuild', ...folder, ...(headers === undefined ? [] : [`--nodedir=${headers}`])],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, env: withoutForeignHeaders() },
  );
  if (run.status !== 0) fail(missingTool() ?? lastError(`${run.stdout}${run.stderr}`));
  else if (!loads()) fail('it compiled, but this Node cannot load it');
}

/** npm hands its own `nodedir` to what it starts, and node-gyp prefers that, the headers of another Node, to the flag. */
function withoutForeignHeaders(): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => name.toLowerCase() === 'npm_config_nodedir';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}

/** The package whose Node runs this holds its headers too; npm drops that copy whenever it tidies up, so it is fetched again. */
function findHeaders(): string | undefined {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const cache = join(modules, '.cache', 'node-headers');
  const places = [join(modules, 'node'), join(modules, '..'), cache].map((at) =>
    join(at, 'node_modules', name),
  );
  const found = places.find(isForThisNode);
  if (found !== undefined) return found;
  const wanted = `${name}@${process.versions.node}`;
  mkdirSync(cache, { recursive: true });
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', cache];
  spawnSync('npm', ['install', ...options, wanted], { shell: process.platform === 'win32' });
  return places.find(isForThisNode);
}

function isForThisNode(folder: string): boolean {
  const header = join(folder, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return false;
  const version = /#define NODE_MODULE_VERSION (\d+)/.exec(readFileSync(header, 'utf8'))?.[1];
  return version === process.versions.modules;
}

function missingTool(): string | undefined {
  if (process.platform === 'win32') return undefined;
  const tools = {
    'g++': process.env.CXX ?? 'g++',
    make: process.env.MAKE ?? 'make',
    python3: process.env.PYTHON ?? 'python3',
  };
  const missing = Object.entries(tools).filter(
    ([, command]) => spawnSync(command, ['--version']).status !== 0,
  );
  if (missing.length === 0) return undefined;
  const names = missing.map(([name]) => name).join(' and ');
  return `${names} cannot be run (on Debian: apt-get install g++ make python3)`;
}

function lastError(output: string): string {
  if (/network/i.test(output)) return `the headers of Node ${process.versions.node} cannot be downloaded`;
  const errors = output.split('\n').filter((line) => /\berror:/i.test(line));
  return errors[0]?.trim() ?? 'node-gyp failed without saying why';
}

function fail(reason: string): void {
  console.error(`snap7: cannot compile node-snap7: ${reason}`);
  process.exitCode = 1;
}
