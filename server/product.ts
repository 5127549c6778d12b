/** Where the product's own files are, and which version it is. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of the product is missing');
    folder = parent;
  }
  return folder;
}

/** The folder with package.json: the same whether run from the sources, from `dist/` or from an asar. */
export const PRODUCT_ROOT = findRoot();
export const RENDERER_FOLDER = join(PRODUCT_ROOT, 'dist', 'renderer');
export const CLIENT_FOLDER = join(PRODUCT_ROOT, 'dist', 'clients', 'js');

const manifest = JSON.parse(readFileSync(join(PRODUCT_ROOT, 'package.json'), 'utf8')) as { version: string };
export const VERSION = manifest.version;
