import { expect, test } from 'vitest';
import de from '../../resources/locales/de.json';
import en from '../../resources/locales/en.json';
import { countdown, I18n } from './i18n.svelte.ts';
import { createMemory } from './testing.ts';

const NOON = new Date(2026, 10, 24, 12, 0, 0).getTime();

function placeholders(message: string): string[] {
  return [...message.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name)).sort();
}

test('German has every message that English has, and no other', () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
});

test.each(Object.keys(en) as (keyof typeof en)[])(
  '"%s" has the same placeholders in both languages',
  (key) => {
    expect(placeholders(de[key])).toEqual(placeholders(en[key]));
  },
);

test("speaks the browser's language unless another was chosen", () => {
  expect(new I18n(createMemory(), 'de-AT').language).toBe('de');
  expect(new I18n(createMemory(), 'fr-FR').language).toBe('en');
  expect(new I18n(createMemory({ 'keyswitch.language': 'de' }), 'en-US').language).toBe('de');
});

test('changes the language at once and remembers it', () => {
  const memory = createMemory();
  const i18n = new I18n(memory, 'en-GB');
  i18n.language = 'de';
  expect(i18n.t('signIn.submit')).toBe('Anmelden');
  expect(new I18n(memory, 'en-GB').language).toBe('de');
});

test('fills placeholders in', () => {
  expect(new I18n(createMemory(), 'en').t('signIn.heading', { app: 'HMI {app}' })).toBe(
    'Sign in at HMI {app}',
  );
});

test('has the plurals of both languages', () => {
  expect([1, 5].map((n) => new I18n(createMemory(), 'en').seconds(n))).toEqual(['1 second', '5 seconds']);
  expect([1, 5].map((n) => new I18n(createMemory(), 'de').seconds(n))).toEqual(['1 Sekunde', '5 Sekunden']);
});

test('writes times with 24 hours, and the day only if it is another', () => {
  const i18n = new I18n(createMemory(), 'en-US');
  expect(i18n.instant(NOON + 150 * 60_000, NOON)).toBe('14:30');
  expect(i18n.instant(NOON - 86_400_000, NOON)).toBe('Nov 23, 12:00');
  expect(i18n.timeWithSeconds(NOON)).toBe('12:00:00');
  expect([i18n.time(NOON), i18n.longDate(NOON)]).toEqual(['12:00', 'Tuesday, November 24, 2026']);
});

test.each([
  [12_000, '12 seconds ago', 'vor 12 Sekunden'],
  [41 * 60_000 + 59_000, '41 minutes ago', 'vor 41 Minuten'],
  [3_600_000, '1 hour ago', 'vor 1 Stunde'],
  [50 * 3_600_000, '2 days ago', 'vor 2 Tagen'],
])('tells the age of %i ms', (ms, english, german) => {
  expect(new I18n(createMemory(), 'en').ago(ms)).toBe(english);
  expect(new I18n(createMemory(), 'de').ago(ms)).toBe(german);
});

test.each([
  [90_500, '1:30', '1:30'],
  [12 * 60_000 + 59_000, '13 min', '13 Min.'],
  [125 * 60_000, '2 hr 5 min', '2 Std. 5 Min.'],
])('tells roughly what is left of %i ms', (ms, english, german) => {
  expect(new I18n(createMemory(), 'en').left(ms)).toBe(english);
  expect(new I18n(createMemory(), 'de').left(ms)).toBe(german);
});

test.each([
  [0, '0:00'],
  [999, '0:00'],
  [61_000, '1:01'],
  [599_999, '9:59'],
  [3_600_000, '1:00:00'],
  [43_143_000, '11:59:03'],
  [7 * 86_400_000, '168:00:00'],
])('counts %i ms down', (ms, text) => {
  expect(countdown(ms)).toBe(text);
});
