import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyswitchError } from '../errors.ts';
import { formatAddress, formatArea, parseAddress, parseArea, s7Name, type Area } from './address.ts';

const areas: fc.Arbitrary<Area> = fc.oneof(
  fc.integer({ min: 1, max: 65535 }).map((number) => ({ kind: 'DB', number }) as const),
  fc.constantFrom({ kind: 'M' } as const, { kind: 'I' } as const, { kind: 'Q' } as const),
);
const addresses = fc
  .oneof(
    fc.tuple(fc.constant('X'), fc.integer({ min: 0, max: 524287 })),
    fc.tuple(fc.constant('B'), fc.integer({ min: 0, max: 65535 })),
    fc.tuple(fc.constant('W'), fc.integer({ min: 0, max: 65534 })),
    fc.tuple(fc.constant('D'), fc.integer({ min: 0, max: 65532 })),
  )
  .map(([letter, offset]) => `${letter}${offset}`);

function fieldAtFault(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (isKeyswitchError(error, 'invalid-input')) return error.faults[0]?.field;
    throw error;
  }
  return undefined;
}

describe('parseArea', () => {
  it.each([
    ['DB250', { kind: 'DB', number: 250 }],
    [' db1 ', { kind: 'DB', number: 1 }],
    ['DB65535', { kind: 'DB', number: 65535 }],
    ['M', { kind: 'M' }],
    ['i', { kind: 'I' }],
    ['E', { kind: 'I' }],
    ['Q', { kind: 'Q' }],
    ['a', { kind: 'Q' }],
  ])('reads %j, in English or German notation', (text, area) => {
    expect(parseArea(text)).toEqual(area);
  });

  it.each(['', 'DB', 'DB0', 'DB65536', 'DB-1', 'DB1.5', 'DB0x10', 'T', 'DB250,W188'])(
    'refuses %j',
    (text) => {
      expect(fieldAtFault(() => parseArea(text))).toBe('area');
    },
  );

  it('reads back what formatArea writes', () => {
    fc.assert(
      fc.property(areas, (area) => {
        expect(parseArea(formatArea(area))).toEqual(area);
      }),
    );
  });
});

describe('parseAddress', () => {
  it.each([
    ['W188', { width: 'word', byteOffset: 188, bitNumber: 0, max: 65535 }],
    ['b7', { width: 'byte', byteOffset: 7, bitNumber: 0, max: 255 }],
    ['D 4', { width: 'double-word', byteOffset: 4, bitNumber: 0, max: 4294967295 }],
    ['X1507', { width: 'bit', byteOffset: 188, bitNumber: 3, max: 1 }],
    ['W65534', { width: 'word', byteOffset: 65534, bitNumber: 0, max: 65535 }],
    ['X524287', { width: 'bit', byteOffset: 65535, bitNumber: 7, max: 1 }],
  ])('reads %j', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  it.each(['', 'W', 'W-1', 'W1.5', 'R4', 'X12.3', 'W65535', 'D65533', 'B65536', 'X524288', 'W99999999999'])(
    'refuses %j',
    (text) => {
      expect(fieldAtFault(() => parseAddress(text))).toBe('address');
    },
  );

  it('reads back what formatAddress writes', () => {
    fc.assert(
      fc.property(addresses, (text) => {
        expect(formatAddress(parseAddress(text))).toBe(text);
      }),
    );
  });

  it('names the field that it is told', () => {
    expect(fieldAtFault(() => parseAddress('R4', 'request'))).toBe('request');
    expect(fieldAtFault(() => parseAddress('W65535', 'request'))).toBe('request');
  });

  it('throws nothing but invalid-input, whatever the text, and so does parseArea', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[DBWXMIQEA]{1,2} ?[\d.,-]{0,12}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect([undefined, 'area']).toContain(fieldAtFault(() => parseArea(text)));
        expect([undefined, 'address']).toContain(fieldAtFault(() => parseAddress(text)));
      }),
    );
  });
});

it.each([
  ['DB250', 'W188', 'DB250.DBW188'],
  ['DB250', 'B188', 'DB250.DBB188'],
  ['DB250', 'D188', 'DB250.DBD188'],
  ['DB250', 'X1507', 'DB250.DBX188.3'],
  ['M', 'W10', 'MW10'],
  ['M', 'X83', 'M10.3'],
  ['I', 'B4', 'IB4'],
])('%s %s is %s in TIA Portal', (area, address, name) => {
  expect(s7Name(area, address)).toBe(name);
});
