import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFixedRandom } from '../ports/random.ts';
import { makeCode, readCode } from './code.ts';

const codes = fc.string({ minLength: 1 }).map((seed) => makeCode(createFixedRandom(seed)));

describe('a code', () => {
  test('has five groups of five characters that cannot be mistaken for one another', () => {
    fc.assert(
      fc.property(codes, (code) => {
        expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/);
      }),
    );
  });

  test('is another each time', () => {
    const random = createFixedRandom();
    expect(new Set(Array.from({ length: 100 }, () => makeCode(random))).size).toBe(100);
  });

  test.each([
    ['as it is printed', (code: string) => code],
    ['in lower case', (code: string) => code.toLowerCase()],
    ['without dashes', (code: string) => code.replaceAll('-', '')],
    ['with spaces, also around it', (code: string) => ` ${code.replaceAll('-', '  ')}\n`],
    ['with the dashes of a word processor', (code: string) => code.replaceAll('-', '–')],
    ['with the letter O for zero', (code: string) => code.replaceAll('0', 'O')],
    ['with the letters I and l for one', (code: string) => code.replace('1', 'I').replaceAll('1', 'l')],
  ])('is read %s', (_how, spell) => {
    fc.assert(fc.property(codes, (code) => void expect(readCode(spell(code))).toBe(code)));
  });

  test('with one wrong character is called mistyped', () => {
    const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    fc.assert(
      fc.property(codes, fc.nat(24), fc.nat(31), (code, at, which) => {
        const characters = [...code.replaceAll('-', '')];
        const [was = '', is = ''] = [characters[at], alphabet[which]];
        // The one pair of characters that the check cannot tell apart.
        fc.pre(was !== is && !(`${was}${is}` === '0Z' || `${was}${is}` === 'Z0'));
        characters[at] = is;
        expect(() => readCode(characters.join(''))).toThrow(
          expect.objectContaining({
            code: 'invalid-input',
            faults: [{ field: 'secret', message: expect.any(String) as string }],
          }),
        );
      }),
    );
  });

  test.each(['', 'ABC', 'A'.repeat(24), 'A'.repeat(26), 'A'.repeat(128)])(
    'of a wrong length is named so: %j',
    (typed) => {
      expect(() => readCode(typed)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
    },
  );

  test('never makes the reader fail otherwise, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (typed) => {
        try {
          readCode(typed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-input' });
        }
      }),
    );
  });
});
