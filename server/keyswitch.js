#!/usr/bin/env node
// Starts the command line: with the Node it is made for, from the build where that is fresh, else from the sources.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const server = dirname(fileURLToPath(import.meta.url));
const root = dirname(server);

// A hash holds a thread of libuv's pool for its whole time; files and signatures must find one free.
process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism() + 4);

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) {
  await startWithOwnNode();
} else {
  await import(isFresh() ? '../dist/server/main.js' : './main.ts');
}

/** better-sqlite3 needs Node 24; the project brings one, whatever Node is installed. */
async function startWithOwnNode() {
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    console.error(
      `keyswitch: Node ${NODE_MAJOR} or newer is needed, this is ${process.version}. Run npm ci.`,
    );
    process.exit(2);
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  // Who stops a service knows this process alone. A console of Windows tells both by itself.
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => process.platform !== 'win32' && child.kill(name));
  }
  const [status] = await once(child, 'exit');
  process.exit(status ?? 1);
}

/** Whether the build is newer than every source; an installed product has no sources, and is. */
function isFresh() {
  const built = join(root, 'dist', 'server', 'main.js');
  if (!existsSync(built)) return false;
  if (!existsSync(join(server, 'main.ts'))) return true;
  const builtAt = statSync(built).mtimeMs;
  return readdirSync(server, { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .every((name) => statSync(join(server, name)).mtimeMs <= builtAt);
}
