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
  if (process.argv[2] === 'serve') tameAllocator();
  await import(isFresh() ? '../dist/server/main.js' : './main.ts');
}

/**
 * Has glibc give back what a hash has used: each thread of the pool would keep those 19 MiB for the next one. In huge
 * pages that costs no time. glibc reads it when a process starts, so this one starts anew, in its own place.
 */
function tameAllocator() {
  if (process.platform !== 'linux' || process.env.GLIBC_TUNABLES !== undefined) return;
  process.env.GLIBC_TUNABLES = 'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1048576';
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
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
