import { expect, test } from 'vitest';
import { LANGUAGES, type Language } from '../i18n.svelte.ts';
import { rowsOf, shifted } from './layouts.ts';

const languages = Object.keys(LANGUAGES) as Language[];

test.each(languages)('every printable ASCII character but the space is on the keyboard: %s', (language) => {
  const letters = rowsOf(language, 'letters').flat();
  const all = [...letters, ...letters.map(shifted), ...rowsOf(language, 'symbols').flat()];
  const missing = Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).filter(
    (character) => !all.includes(character),
  );
  expect(missing).toEqual([]);
});

test.each(languages)('no character is twice in a layer, and no row is longer than twelve: %s', (language) => {
  for (const layer of ['letters', 'symbols'] as const) {
    const rows = rowsOf(language, layer);
    expect(new Set(rows.flat()).size).toBe(rows.flat().length);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(12);
  }
});

test('letters lie as in the language', () => {
  expect(rowsOf('en', 'letters')[1]?.join('')).toBe('qwertyuiop');
  expect(rowsOf('de', 'letters')[1]?.join('')).toBe('qwertzuiopü');
});

test('Shift makes one character of one', () => {
  expect(['q', 'ü', 'ß', '7', '@'].map(shifted)).toEqual(['Q', 'Ü', 'ß', '7', '@']);
});
