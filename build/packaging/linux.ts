/** Packs for Linux as the installers do: unpacked, tar.gz and deb. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, Platform } from 'electron-builder';
import { makeElectron } from './electron.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Packs and resolves with the folder; the packed program runs what lies in `product`. */
export async function packForLinux(folder: string, product: string): Promise<string> {
  process.env['CUSTOM_FPM_PATH'] = makeFpm(join(folder, 'tools'));
  const output = join(folder, 'linux');
  await build({
    projectDir: ROOT,
    targets: Platform.LINUX.createTarget(['dir', 'tar.gz', 'deb']),
    publish: 'never',
    config: {
      electronDist: makeElectron(join(folder, 'electron-linux'), 'linux', product),
      directories: { output },
    },
  });
  return output;
}

function makeFpm(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'fpm');
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(import.meta.dirname, 'fpm.ts')}' "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}
