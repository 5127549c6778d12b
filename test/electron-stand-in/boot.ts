/** Starts an app as Electron would: `boot.ts [switches] <folder or file> [arguments]`, with `electron` being the stand-in. */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { becomeReady, introduce } from './app.ts';
import { takeQuestions } from './control.ts';

const STAND_IN = new URL('./electron.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: STAND_IN, shortCircuit: true } : next(specifier, context),
});

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly main: string;
}

// A packed product is not named on the command line: its program knows where it is.
const packed = process.env['ELECTRON_STAND_IN_APP'];
const given = packed ?? resolve(process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '.');
process.argv.splice(0, 2, 'electron');
takeQuestions(await import('./electron.ts'));
await import(pathToFileURL(mainOf(given)).href);
becomeReady();

function mainOf(path: string): string {
  const manifest = join(path, 'package.json');
  if (!existsSync(manifest)) return path;
  const { name, version, main } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  introduce(path, { name, version });
  return join(path, main);
}
