import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  EVERYTHING,
  filterFromAddress,
  filterToAddress,
  filterToQuery,
  fromLocalField,
  isFiltered,
  OUTCOMES,
  PRESETS,
  toLocalField,
  type Filter,
} from './filter.ts';

const NOON = new Date(2026, 10, 24, 12, 0, 0).getTime();
const HOUR = 3_600_000;

const texts = fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.trim());
const instants = fc.option(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }));
const filters: fc.Arbitrary<Filter> = fc
  .record({
    preset: fc.option(fc.constantFrom(...PRESETS)),
    from: instants,
    to: instants,
    user: texts,
    app: texts,
    outcome: fc.option(fc.constantFrom(...OUTCOMES)),
    text: texts,
  })
  .map((filter) => (filter.preset === null ? filter : { ...filter, from: null, to: null }));

test('an address shows the same view again, whatever the filter', () => {
  fc.assert(
    fc.property(filters, (filter) => {
      expect(filterFromAddress(filterToAddress('', filter))).toEqual(filter);
    }),
  );
});

test('any address at all is a filter', () => {
  fc.assert(
    fc.property(fc.webQueryParameters(), (query) => {
      filterToQuery(filterFromAddress(query), NOON);
    }),
  );
});

test('one view has one address, however it came about', () => {
  const user = filterToAddress('', { ...EVERYTHING, user: 'anna' });
  const both = { ...EVERYTHING, user: 'anna', preset: '24h' } as const;
  expect(filterToAddress(user, both)).toBe(filterToAddress('', both));
});

test('leaves alone what else stands in the address, and takes away what is its own', () => {
  const filtered = filterToAddress('?app=abc', { ...EVERYTHING, app: 'HMI', user: 'anna' });
  expect(filtered).toBe('?app=abc&user=anna&at=HMI');
  expect(filterToAddress(filtered, EVERYTHING)).toBe('?app=abc');
  expect(filterToAddress('?user=anna', EVERYTHING)).toBe('');
});

test.each([
  ['?range=yesterday&outcome=maybe&from=soon', EVERYTHING],
  ['?from=275760-01-01', EVERYTHING],
  ['?range=24h&from=2026-01-01T00:00:00.000Z', { ...EVERYTHING, preset: '24h' }],
])('%s asks for nothing that makes no sense', (address, filter) => {
  expect(filterFromAddress(address)).toEqual(filter);
});

test.each([
  ['today', new Date(2026, 10, 24).getTime()],
  ['24h', NOON - 24 * HOUR],
  ['7d', NOON - 7 * 24 * HOUR],
  ['30d', NOON - 30 * 24 * HOUR],
] as const)('counts "%s" from now', (preset, from) => {
  const query = filterToQuery({ ...EVERYTHING, preset }, NOON);
  expect(Object.fromEntries(new URLSearchParams(query))).toEqual({ from: new Date(from).toISOString() });
});

test('asks the host by its own names, without what is empty', () => {
  const filter = { ...EVERYTHING, to: 0, user: ' anna ', app: 'HMI', outcome: 'refused', text: ' ' } as const;
  expect(Object.fromEntries(new URLSearchParams(filterToQuery(filter, NOON)))).toEqual({
    to: '1970-01-01T00:00:00.000Z',
    user: 'anna',
    app: 'HMI',
    outcome: 'refused',
  });
});

test('knows whether it asks for anything', () => {
  expect(isFiltered(EVERYTHING)).toBe(false);
  expect(isFiltered({ ...EVERYTHING, text: '  ' })).toBe(false);
  expect(isFiltered({ ...EVERYTHING, to: 0 })).toBe(true);
});

test("a time of the browser's field is one of this PC, to the minute", () => {
  expect(toLocalField(NOON)).toBe('2026-11-24T12:00');
  expect(fromLocalField('2026-11-24T12:00')).toBe(NOON);
  expect(toLocalField(null)).toBe('');
  expect(fromLocalField('')).toBeNull();
});
