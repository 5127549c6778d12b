/** Builds the pages that the host serves: `renderer/` to `dist/renderer`. */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'renderer',
  plugins: [svelte({ configFile: '../svelte.config.js' })],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    // The host's Content-Security-Policy allows files of its own only: nothing inlined, no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
