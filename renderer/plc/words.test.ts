import { expect, test } from 'vitest';
import { linkTestSchema } from '../../server/http/contract.ts';
import { I18n } from '../shared/i18n.svelte.ts';
import { createMemory, iso, START_MS } from '../shared/testing.ts';
import { createLink, createStatus } from './testing.ts';
import { adviceWords, faultWords, foundWords, identityWords, placeWords, troubleWords } from './words.ts';

const en = new I18n(createMemory(), 'en-GB');
const de = new I18n(createMemory(), 'de-DE');
const ADVICE = linkTestSchema.shape.advice.options;

test.each(ADVICE.filter((advice) => advice !== 'none'))(
  '%s says what to do, with nothing left open',
  (advice) => {
    for (const i18n of [en, de]) {
      const words = adviceWords({ advice }, createLink(), i18n) ?? '';
      expect(words.length).toBeGreaterThan(40);
      expect(words).not.toMatch(/[{}]|undefined/);
    }
  },
);

test('names the settings as TIA Portal does', () => {
  expect(adviceWords({ advice: 'access-denied' }, createLink(), en)).toContain(
    'Permit access with PUT/GET communication from remote partner',
  );
  expect(adviceWords({ advice: 'access-denied' }, createLink(), de)).toContain(
    'Zugriff über PUT/GET-Kommunikation durch entfernten Partner erlauben',
  );
  expect(adviceWords({ advice: 'block-missing' }, createLink(), en)).toMatch(/DB250.*Optimized block access/);
  expect(adviceWords({ advice: 'block-missing' }, createLink(), de)).toMatch(
    /DB250.*Optimierter Bausteinzugriff/,
  );
  expect(adviceWords({ advice: 'wrong-rack-or-slot' }, createLink(), en)).toContain('rack 0, slot 2');
});

test('has no advice where nothing is wrong', () => {
  expect(adviceWords({ advice: 'none' }, createLink(), en)).toBeNull();
});

test.each([
  [{ field: 'address', value: 9, problem: null }, '9'],
  [{ field: 'userName', value: 'anna', problem: null }, 'anna'],
  [{ field: 'userName', value: '', problem: null }, '–'],
  [{ field: 'signInTime', value: null, problem: null }, '–'],
  [{ field: 'lifeBit', value: null, problem: 'block-too-short' }, 'beyond the end of the data block'],
  [{ field: 'lifeBit', value: null, problem: 'something new' }, 'something new'],
] as const)('%j was found as %s', (found, words) => {
  expect(foundWords({ address: 'W188', ...found }, en)).toBe(words);
});

test('tells a time that was found as one', () => {
  const found = { field: 'signInTime', address: 'DTL224', value: START_MS, problem: null } as const;
  expect(foundWords(found, en)).toMatch(/1 Jan 2026/);
});

test.each([
  ['address', 'W188', 'DB250.DBW188'],
  ['lifeBit', 'X1520', 'DB250.DBX190.0'],
  ['userName', 'S190.32', 'DB250.S190.32'],
  ['signInTime', 'DTL224', 'DB250.DTL224'],
] as const)('%s %s lies at %s', (field, address, place) => {
  expect(placeWords('DB250', { field, address })).toBe(place);
});

test('tells what a PLC says of itself, and no more', () => {
  expect(identityWords({ type: 'CPU 1214C', name: 'Press 4' }, en)).toBe('CPU 1214C, Press 4');
  expect(identityWords({ type: 'CPU 1214C', name: null }, en)).toBe('CPU 1214C');
  expect(identityWords(null, en)).toBe('');
});

test('tells of trouble with its time and what to do, and of none', () => {
  const lastError = { code: 'plc-unreachable', message: 'ECONNREFUSED', at: iso(1000) };
  const words = troubleWords(createStatus({ state: 'backing-off', lastError }), START_MS, en);
  expect(words).toMatch(/^\d\d:\d\d: .*10\.0\.0\.5/);
  expect(troubleWords(createStatus(), START_MS, en)).toBeNull();
});

test.each([
  [undefined, ''],
  [{ text: 'as the host says' }, 'as the host says'],
  [{ key: 'links.fault.range', values: { least: 0, most: 7 } }, 'A whole number from 0 to 7.'],
  [{ key: 'links.fault.overlap', other: 'lifeBit' }, 'Lies on the same bytes as: Life bit.'],
] as const)('says the fault %j', (fault, words) => {
  expect(faultWords(fault, en)).toBe(words);
});
