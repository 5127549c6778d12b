/** Builds the package `@keyswitch/client` to `dist/clients/js`: one file that browsers and Node load as it is, and its types. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = join(import.meta.dirname, '..');
const made = join(root, 'dist', 'clients', 'js');

export default defineConfig({
  root,
  publicDir: false,
  plugins: [
    {
      name: 'complete-the-package',
      buildStart: () => rmSync(made, { recursive: true, force: true }),
      closeBundle() {
        declareTypes();
        for (const file of ['clients/js/package.json', 'clients/js/README.md', 'LICENSE'])
          copyFileSync(join(root, file), join(made, file.split('/').at(-1)!));
      },
    },
  ],
  build: {
    outDir: made,
    emptyOutDir: false,
    target: 'es2022',
    // Whoever takes it into an HMI may want to read it.
    minify: false,
    lib: { entry: 'clients/js/src/index.ts', formats: ['es'], fileName: () => 'keyswitch.js' },
  },
});

function declareTypes(): void {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'clients/js'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error('the types of the client could not be made');
}
