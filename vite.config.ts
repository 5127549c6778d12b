/** Builds the pages that the host serves: `renderer/` to `dist/renderer`. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import manifest from './package.json' with { type: 'json' };

export default defineConfig({
  root: 'renderer',
  plugins: [svelte({ configFile: '../svelte.config.js' })],
  // The page compares it with the version of the host that serves it.
  define: { KEYSWITCH_VERSION: JSON.stringify(manifest.version) },
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    // The host's Content-Security-Policy allows files of its own only: nothing inlined, no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
