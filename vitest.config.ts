/** All tests in one run: rules beside their source, doors on real sockets, and in `test/` the whole house in a browser. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [svelte()],
  test: {
    include: ['{server,electron,renderer,clients,build,bench,test}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**', 'bench/peers/**'],
    pool: 'forks',
    // By default one core is left to the runner, which hardly needs it.
    maxWorkers: 2,
    // Real sockets, browsers and child processes on a busy machine; a hang still ends.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', './test/summary-reporter.ts'],
  },
});
