/** Apart from the other tests: these need a binary that `npm ci` does not bring. */
import { defineConfig } from 'vitest/config';
import { ROOT } from './desktop.ts';

export default defineConfig({
  root: ROOT,
  test: { include: ['test/electron/real.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
