/** Where the characters are on the on-screen keyboard, in each language of the pages. */
import type { Language } from '../i18n.svelte.ts';

export type Layer = 'letters' | 'symbols';

const DIGITS = '1234567890';
const SYMBOLS = ['!"#$%&\'()*+', ',-./:;<=>?@', '[\\]^_`{|}~€§'];

/** Four rows from the top, as on the keyboards that people know; the last but one has Shift beside it. */
const LETTERS: Record<Language, readonly string[]> = {
  en: [DIGITS, 'qwertyuiop', 'asdfghjkl', 'zxcvbnm.-_@'],
  de: [`${DIGITS}ß`, 'qwertzuiopü', 'asdfghjklöä', 'yxcvbnm.-_@'],
};

export function rowsOf(language: Language, layer: Layer): readonly (readonly string[])[] {
  const rows = layer === 'letters' ? LETTERS[language] : [DIGITS, ...SYMBOLS];
  return rows.map((row) => [...row]);
}

/** The character with Shift; what has no single capital stays as it is. */
export function shifted(character: string): string {
  const upper = character.toUpperCase();
  return upper.length === character.length ? upper : character;
}
