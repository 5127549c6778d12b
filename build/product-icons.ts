/** Draws the icons of the installed product anew, from `resources/icons/keyswitch.svg` to `build/installer`; they are kept in the repository. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

interface Picture {
  readonly size: number;
  readonly png: Buffer;
}

/** Of each size that Linux, Windows or macOS asks for. */
const SIZES = [16, 24, 32, 48, 64, 128, 256, 512, 1024];
/** What a `.icns` calls each size; those of a doubled screen are entries of their own. */
const ICNS_TYPES: readonly (readonly [string, number])[] = [
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
  ['ic11', 32],
  ['ic12', 64],
  ['ic13', 256],
  ['ic14', 512],
];

/** Puts the pictures into one `.ico`: a table of contents, then the PNG files as they are (Windows Vista and later). */
function ico(pictures: readonly Picture[]): Buffer {
  const header = Buffer.alloc(6 + 16 * pictures.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(pictures.length, 4);
  let at = header.length;
  pictures.forEach(({ size, png }, index) => {
    const entry = 6 + 16 * index;
    // A byte each; 0 stands for 256.
    header.writeUInt8(size % 256, entry);
    header.writeUInt8(size % 256, entry + 1);
    header.writeUInt16LE(1, entry + 4);
    header.writeUInt16LE(32, entry + 6);
    header.writeUInt32LE(png.length, entry + 8);
    header.writeUInt32LE(at, entry + 12);
    at += png.length;
  });
  return Buffer.concat([header, ...pictures.map(({ png }) => png)]);
}

function icns(pictures: readonly Picture[]): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const head = Buffer.from(`${type}\0\0\0\0`);
    head.writeUInt32BE(8 + data.length, 4);
    return Buffer.concat([head, data]);
  };
  const entries = ICNS_TYPES.map(([type, wanted]) =>
    chunk(type, pictures.find(({ size }) => size === wanted)!.png),
  );
  return chunk('icns', Buffer.concat(entries));
}

const root = join(import.meta.dirname, '..');
const folder = join(root, 'build', 'installer');
const svg = readFileSync(join(root, 'resources', 'icons', 'keyswitch.svg'), 'utf8');
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const pictures: Picture[] = [];
for (const size of SIZES) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: ${size}px }</style>${svg}`);
  pictures.push({ size, png: await page.screenshot({ omitBackground: true }) });
  await page.close();
}
await browser.close();

mkdirSync(join(folder, 'icons'), { recursive: true });
for (const { size, png } of pictures.filter((picture) => picture.size <= 512))
  writeFileSync(join(folder, 'icons', `${size}x${size}.png`), png);
writeFileSync(join(folder, 'icon.ico'), ico(pictures.filter(({ size }) => size <= 256)));
writeFileSync(join(folder, 'icon.icns'), icns(pictures));
