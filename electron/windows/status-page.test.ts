import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groundOf, THEMES } from './colours.ts';
import { ACTIONS, actionOf, addressOf, escape, render, type StatusPage } from './status-page.ts';

const PAGE: StatusPage = {
  language: 'en',
  title: 'The port is in use',
  advice: ['Stop that program and try again.'],
  details: ['127.0.0.1:8443 is in use.'],
  detailsHeading: 'Details',
  ways: [
    { action: 'try-again', label: 'Try again' },
    { action: 'quit', label: 'Quit' },
  ],
  isWaiting: false,
};

/** What stands between the tags, as a browser would show it. */
function shown(html: string): string {
  return html
    .replace(/<style>.*<\/style>/s, '')
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

const tagsOf = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];

/** Texts as they come from files, paths and other programs, with markup in them more often than not. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom('<', '>', '"', "'", '&', '</style>', '<script>', '&lt;', 'a', ' ', 'javascript:'))
    .map((parts) => parts.join('')),
);

describe('a status page', () => {
  test('shows every text as it is, and has no other element than with plain ones', () => {
    const plain = tagsOf(render({ ...PAGE, title: 'a', advice: ['a'], details: ['a'] }));
    fc.assert(
      fc.property(text, (hostile) => {
        const html = render({
          ...PAGE,
          title: hostile,
          advice: [hostile],
          details: [hostile],
          detailsHeading: hostile,
          ways: PAGE.ways.map(({ action }) => ({ action, label: hostile })),
        });
        expect(tagsOf(html)).toEqual(plain);
        expect(shown(html).split(hostile).length - 1).toBeGreaterThanOrEqual(hostile === '' ? 0 : 5);
      }),
    );
  });

  test('cannot break out of a quoted attribute', () => {
    fc.assert(
      fc.property(text, (hostile) => {
        expect(escape(hostile)).not.toMatch(/[<>"']|&(?!#\d+;)/);
      }),
    );
  });

  test('is one address that holds all of it, and no script', () => {
    const [type, content = ''] = addressOf({ ...PAGE, title: 'Schlüssel ✓' }).split(',');
    const html = Buffer.from(content, 'base64').toString();
    expect(type).toBe('data:text/html;charset=utf-8;base64');
    expect(html).toContain('<h1>Schlüssel ✓</h1>');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|@import/);
  });

  test('is an alert, and while something is under way a status', () => {
    expect(render(PAGE)).toContain('<main role="alert">');
    expect(render({ ...PAGE, isWaiting: true })).toContain('<main role="status">');
  });

  test('holds as many details as somebody reads', () => {
    const details = Array.from({ length: 5000 }, (_, line) => `line ${line}`);
    expect(render({ ...PAGE, details }).match(/<li>/g)).toHaveLength(40);
  });

  test('has links that stand for actions, and no other address does', () => {
    const hrefs = [...render(PAGE).matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href);
    expect(hrefs.map(actionOf)).toEqual(['try-again', 'quit']);
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (url) => {
        if (!ACTIONS.some((action) => url === `https://keyswitch.invalid/${action}`))
          expect(actionOf(url)).toBeNull();
      }),
    );
  });
});

describe('the colours', () => {
  const css = readFileSync(join(import.meta.dirname, '..', '..', 'renderer', 'shared', 'themes.css'), 'utf8');
  const [light, dark, contrast] = css
    .split('}')
    .map((rule) =>
      Object.fromEntries([...rule.matchAll(/--(\w+): ([^;]+);/g)].map(([, name, value]) => [name, value])),
    );

  test('are those of the pages', () => {
    expect(light).toMatchObject(THEMES.light);
    expect(dark).toMatchObject(THEMES.dark);
    expect(contrast).toMatchObject(THEMES.contrast);
  });

  test('follow the operating system, and the ground is never white', () => {
    const ground = (dark: boolean, contrast: boolean): string =>
      groundOf({ shouldUseDarkColors: dark, shouldUseHighContrastColors: contrast });
    expect([ground(false, false), ground(true, false), ground(true, true), ground(false, true)]).toEqual([
      '#eef0f2',
      '#15181c',
      '#000000',
      '#000000',
    ]);
  });
});
