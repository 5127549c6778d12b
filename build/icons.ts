/** Draws the desktop's icons anew, from `resources/icons` to `electron/icons`; they are kept in the repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const root = join(import.meta.dirname, '..');

interface Picture {
  readonly name: string;
  readonly size: number;
  readonly drawing: string;
  /** The parts of the drawing that are to be seen; left out: all. */
  readonly parts?: readonly string[];
}

/** By the names in `electron/tray/tray-view.ts`, each of parts of `tray.svg`. */
const TRAY_ICONS: Readonly<Record<string, readonly string[]>> = {
  'signed-in': ['signed-in'],
  'signed-out': ['signed-out'],
  'signed-in-trouble': ['signed-in', 'trouble'],
  'signed-out-trouble': ['signed-out', 'trouble'],
};
/** Of a screen that shows all larger, as Electron finds them. */
const SCALES: Readonly<Record<string, number>> = { '': 1, '@1.25x': 1.25, '@1.5x': 1.5, '@2x': 2, '@3x': 3 };

const pictures: Picture[] = [
  { name: 'icon', size: 512, drawing: 'keyswitch.svg' },
  ...Object.entries(TRAY_ICONS).flatMap(([icon, parts]) =>
    Object.entries(SCALES).map(([suffix, scale]) => ({
      ...{ name: `${icon}${suffix}`, size: 16 * scale, drawing: 'tray.svg', parts },
    })),
  ),
];

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const { name, size, drawing, parts } of pictures) {
  const svg = readFileSync(join(root, 'resources', 'icons', drawing), 'utf8');
  const unseen =
    parts === undefined ? '' : `g:not(${parts.map((part) => `#${part}`).join()}) { display: none }`;
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  const style = `body { margin: 0 } svg { display: block; width: ${size}px } ${unseen}`;
  await page.setContent(`<style>${style}</style>${svg}`);
  await page.screenshot({ path: join(root, 'electron', 'icons', `${name}.png`), omitBackground: true });
  await page.close();
}
await browser.close();
