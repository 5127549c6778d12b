/** Draws the desktop's icons anew, from `resources/icons/keyswitch.svg` to `electron/icons`; they are kept in the repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const root = join(import.meta.dirname, '..');
const SIZES = { 'icon.png': 512, 'tray.png': 16, 'tray@2x.png': 32 };

const svg = readFileSync(join(root, 'resources', 'icons', 'keyswitch.svg'), 'utf8');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const [name, size] of Object.entries(SIZES)) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`);
  await page.screenshot({ path: join(root, 'electron', 'icons', name), omitBackground: true });
}
await browser.close();
