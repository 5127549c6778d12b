/** `npm start`: the desktop where Electron and a display are there, else the host without a window; takes what `serve` takes. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildStale } from './build.ts';
import { electronBinary, missingForDesktop } from './electron.ts';

const root = join(import.meta.dirname, '..');
const given = process.argv.slice(2);

buildStale();
const missing = missingForDesktop();
if (missing === null) startDesktop();
else await serve(missing);

/** In this very process, so that signals reach the host as they do with `serve` itself. */
async function serve(why: string): Promise<void> {
  console.log(`${why}: serving headless.`);
  const launcher = join(root, 'server', 'keyswitch.js');
  process.argv.splice(1, Infinity, launcher, 'serve', ...given);
  await import(pathToFileURL(launcher).href);
}

function startDesktop(): void {
  const child = spawn(electronBinary(), [root, ...given], {
    stdio: 'inherit',
    // A group of its own: a Ctrl-C would reach it twice, and the second one ends Electron at once.
    detached: process.platform !== 'win32',
    // Windows reads it when a process starts, and never again.
    env: { UV_THREADPOOL_SIZE: String(availableParallelism() + 4), ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`The desktop cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (exitCode) => {
    process.exitCode = exitCode ?? 1;
  });
}
