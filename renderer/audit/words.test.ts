import { expect, test } from 'vitest';
import { I18n } from '../shared/i18n.svelte.ts';
import { createMemory } from '../shared/testing.ts';
import { actionWords, breachWords, fieldWords, placeWords, reasonWords, valueWords } from './words.ts';

const english = new I18n(createMemory(), 'en-GB');
const german = new I18n(createMemory(), 'de-DE');

test('says what was done in the language of the station', () => {
  expect(actionWords('sign-in-refused', english)).toBe('Sign-in refused');
  expect(actionWords('sign-in-refused', german)).toBe('Anmeldung abgelehnt');
});

test.each([
  ['an action', actionWords('valve-opened', german), 'valve-opened'],
  ['what every object has', actionWords('toString', german), 'toString'],
  ['a reason that somebody typed', reasonWords({ reason: 'Pump 3 stuck' }, german), 'Pump 3 stuck'],
  ['a field', fieldWords('pump.speed', german), 'pump.speed'],
  ['a fault', breachWords('eaten-by-mice', german), 'eaten-by-mice'],
  ['a door', placeWords({ door: 'window', address: '10.0.0.7' }, german), 'window, 10.0.0.7'],
])('shows %s that has no words as it stands in the trail', (_, shown, code) => {
  expect(shown).toBe(code);
});

test('says where an entry came from', () => {
  expect(placeWords({ door: 'plc', address: null }, german)).toBe('SPS');
});

test.each([
  ['enabled', [true], 'yes'],
  ['', [null], '–'],
  ['', [''], '–'],
  ['', [], '–'],
  ['', [9], '9'],
  ['type', ['Admin'], 'Administrator'],
  ['rule', ['Admin'], 'Admin'],
  ['rules', ['length', 'history'], 'length, history'],
  ['day', ['2026-11-24'], '2026-11-24'],
])('says of "%s" that it is %j', (field, values, words) => {
  expect(valueWords(field, values, english)).toBe(words);
});

test('says an instant in the time of this PC', () => {
  const at = new Date(2026, 10, 24, 14, 2, 11);
  expect(valueWords('until', [at.toISOString()], english)).toBe('24 Nov 2026, 14:02:11');
});
