import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyswitchError } from '../errors.ts';
import { formatArea, parseArea, type Area } from './address.ts';
import { formatItem, parseItem, textItem, valueInvalid, type Item, type Spelling } from './items.ts';

const ALL: readonly Spelling[] = ['W', 'B', 'D', 'X', 'S', 'DTL', 'DT'];
const DB250 = parseArea('DB250');

const areas: fc.Arbitrary<Area> = fc.oneof(
  fc.integer({ min: 1, max: 65535 }).map((number) => ({ kind: 'DB', number }) as const),
  fc.constantFrom({ kind: 'M' } as const, { kind: 'I' } as const, { kind: 'Q' } as const),
);
const numbered = (letter: string, last: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: last }).map((offset) => `${letter}${offset}`);
const addresses = fc.oneof(
  numbered('X', 524287),
  numbered('B', 65535),
  numbered('W', 65534),
  numbered('D', 65532),
  numbered('DTL', 65524),
  numbered('DT', 65528),
  fc
    .tuple(fc.integer({ min: 1, max: 254 }), fc.nat())
    .map(([length, offset]) => `S${offset % (65536 - 2 - length + 1)}.${length}`),
);

function item(text: string): Item<unknown> {
  return parseItem(DB250, text, { field: 'address', spellings: ALL });
}

function fieldAtFault(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (isKeyswitchError(error, 'invalid-input')) return error.faults[0]?.field;
    throw error;
  }
  return undefined;
}

describe('parseItem', () => {
  it.each([
    ['W188', 188, 2, null],
    ['b7', 7, 1, null],
    ['D 4', 4, 4, null],
    ['X1507', 188, 1, 3],
    [' s190.32 ', 190, 34, null],
    ['DTL224', 224, 12, null],
    ['dt 224', 224, 8, null],
    ['S65280.254', 65280, 256, null],
    ['DTL65524', 65524, 12, null],
  ])('reads %j', (text, byteOffset, bytes, bitNumber) => {
    expect(item(text)).toMatchObject({ byteOffset, bytes, bitNumber, area: DB250 });
  });

  it.each([
    ['DB250', 'w188', 'DB250.W188'],
    ['m', 'X9', 'M.X9'],
    ['E', 'S 0.8', 'I.S0.8'],
    ['A', 'DTL0', 'Q.DTL0'],
  ])('names %s %s in one way: %s', (area, text, name) => {
    expect(parseItem(parseArea(area), text, { field: 'address', spellings: ALL }).name).toBe(name);
  });

  it('reads back what formatItem writes, as an item of the same name', () => {
    fc.assert(
      fc.property(areas, addresses, (area, text) => {
        const parsed = parseItem(area, text, { field: 'address', spellings: ALL });
        expect(formatItem(parsed)).toBe(text);
        expect(parsed.name).toBe(`${formatArea(area)}.${text}`);
      }),
    );
  });

  it.each([
    ...['', 'S190', 'S190.0', 'S190.255', 'S65281.254', 'S.5', 'S-1.5', 'S1.5.5', 'DTL65525', 'DT65529'],
    ...['DTL', 'DTL1.5', 'T5', 'X12.3', 'W65535', 'S1e2.5', 'S99999999999.5'],
  ])('refuses %j', (text) => {
    expect(fieldAtFault(() => item(text))).toBe('address');
  });

  it('takes only the spellings it is told, and names the field that is wrong', () => {
    const parse = (text: string) => parseItem(DB250, text, { field: 'signInTime', spellings: ['DTL', 'DT'] });
    expect(parse('DTL224').name).toBe('DB250.DTL224');
    for (const text of ['W224', 'S224.12', 'X1', 'D224'])
      expect(fieldAtFault(() => parse(text))).toBe('signInTime');
  });

  it('gives an item or invalid-input for a text, whatever it is', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^ ?(DTL?|[WBDXSTR]) ?[\d.,-]{0,12} ?$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect([undefined, 'address']).toContain(fieldAtFault(() => item(text)));
      }),
    );
  });
});

describe('an item', () => {
  it.each([
    ['W188', [0, 1, 65535], '0009', 9],
    ['B188', [0, 255], 'ff', 255],
    ['D188', [0, 4294967295], 'deadbeef', 0xdeadbeef],
    ['S190.4', ['', 'Zoë', 'a name that is too long'], '0403 5a6febff', 'Zoë'],
    ['DT0', [NaN, Date.UTC(1990, 0, 1)], '9312250801012307', Date.UTC(1993, 11, 25, 8, 1, 1, 230)],
  ])('at %s takes what fits, and reads its bytes', (address, fitting, hex, value) => {
    for (const candidate of fitting) expect(item(address).fits(candidate)).toBe(true);
    expect(item(address).decode(Buffer.from(hex.replace(' ', ''), 'hex'))).toBe(value);
  });

  it.each([
    ['W188', [-1, 65536, 1.5, NaN, Infinity, '9', null, undefined, true]],
    ['X9', [2, -1, NaN, true]],
    ['S190.32', [9, null, undefined]],
    ['DTL224', [-1, 0.5, Infinity, '2026', null, Date.UTC(2263, 0)]],
    ['DT224', [0, Date.UTC(1989, 11, 31), Date.UTC(2090, 0)]],
  ])('at %s takes nothing else, and the error shows no text', (address, wrong) => {
    for (const value of wrong) expect(item(address).fits(value)).toBe(false);
    expect(valueInvalid(item(address), 'Ada Lovelace')).toMatchObject({
      code: 'plc-value-invalid',
      message: expect.not.stringContaining('Ada') as string,
    });
  });

  it('gives back every number it takes', () => {
    const cases = fc.oneof(
      fc.tuple(fc.constant('W0'), fc.integer({ min: 0, max: 0xffff })),
      fc.tuple(fc.constant('B0'), fc.integer({ min: 0, max: 0xff })),
      fc.tuple(fc.constant('D0'), fc.integer({ min: 0, max: 0xffffffff })),
    );
    fc.assert(
      fc.property(cases, ([address, value]) => {
        const number = item(address);
        expect(number.encode(value)).toHaveLength(number.bytes);
        expect(number.decode(number.encode(value))).toBe(value);
      }),
    );
  });

  it('that is a bit reads its own bit of the byte', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.nat(255), (bit, byte) => {
        expect(item(`X${bit}`).decode(Buffer.of(byte))).toBe(Math.floor(byte / 2 ** bit) % 2);
      }),
    );
    expect([0, 1].map((value) => item('X7').encode(value))).toEqual([Buffer.of(0), Buffer.of(1)]);
  });
});

describe('a text', () => {
  const lengths = fc.integer({ min: 1, max: 254 });

  it('comes back as it was, if ISO 8859-1 has it and it is not too long', () => {
    const latin1 = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 254 });
    fc.assert(
      fc.property(latin1, (value) => {
        const { decode, encode } = textItem(DB250, 0, 254);
        expect(decode(encode(value))).toBe(value);
      }),
    );
  });

  it('is cut to its length, and what ISO 8859-1 does not have becomes one question mark each', () => {
    const { decode, encode } = textItem(DB250, 0, 6);
    expect(decode(encode('Žižka 12'))).toBe('?i?ka ');
    expect(decode(encode('𝒜🙂b'))).toBe('??b');
    expect(decode(encode('Zoe\u0308'))).toBe('Zoë');
    expect(encode('ab')).toEqual(Buffer.from('060261620000000000'.slice(0, 16), 'hex'));
  });

  it('always fills its bytes with a header that is right, whatever is written', () => {
    fc.assert(
      fc.property(lengths, fc.string({ unit: 'binary', maxLength: 300 }), (maxLength, value) => {
        const bytes = textItem(DB250, 0, maxLength).encode(value);
        expect(bytes).toHaveLength(maxLength + 2);
        expect(bytes[0]).toBe(maxLength);
        expect(bytes[1]).toBeLessThanOrEqual(maxLength);
      }),
    );
  });

  it('whose header is damaged in any way is read as far as it can go', () => {
    const characters = 'abcdefgh';
    const text = textItem(DB250, 0, 8);
    for (let max = 0; max < 256; max++) {
      for (let actual = 0; actual < 256; actual++) {
        const bytes = Buffer.concat([Buffer.of(max, actual), Buffer.from(characters)]);
        if (text.decode(bytes) !== characters.slice(0, actual)) throw new Error(`header ${max}, ${actual}`);
      }
    }
  });
});
