import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync(`${import.meta.dirname}/themes.css`, 'utf8');
const TEXT = 7;
const MARK = 3;
const BACKGROUNDS = ['surface', 'raised'];
const TEXTS = ['text', 'muted', 'accent', 'attention', 'wrong', 'good'];

type Palette = Record<string, string>;

const palettes = Object.fromEntries(
  [...css.matchAll(/:root(?:\[data-theme='(\w+)'\])? \{([^}]+)\}/g)].map(([, name = 'light', block = '']) => [
    name,
    Object.fromEntries(
      [...block.matchAll(/--(\w+): (#\w{6});/g)].map(([, key, value]) => [key, value]),
    ) as Palette,
  ]),
);

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(palette: Palette, one: string, other: string): number {
  const [dark = 0, bright = 0] = [one, other]
    .map((name) => luminance(palette[name] ?? ''))
    .sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

test('there are three palettes', () => {
  expect(Object.keys(palettes)).toEqual(['light', 'dark', 'contrast']);
});

// Text of buttons in the accent colour is --raised, so that pair is held to it as well.
test.each(Object.entries(palettes))('text keeps 7:1 in the %s theme', (_, palette) => {
  for (const background of BACKGROUNDS) {
    for (const text of TEXTS) {
      expect(contrast(palette, text, background), `--${text} on --${background}`).toBeGreaterThanOrEqual(
        TEXT,
      );
    }
  }
});

test.each(Object.entries(palettes))('lines keep 3:1 in the %s theme', (_, palette) => {
  for (const background of BACKGROUNDS) {
    expect(contrast(palette, 'line', background), `--line on --${background}`).toBeGreaterThanOrEqual(MARK);
  }
});
