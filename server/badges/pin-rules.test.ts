import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { brokenPinRules } from './pin-rules.ts';

describe('a PIN', () => {
  test.each([
    ['739154', []],
    ['000739', []],
    ['73915', ['min-length']],
    ['', ['min-length']],
    ['7391547391540', ['max-length']],
    ['739 154', ['only-digits']],
    ['73915a', ['only-digits']],
    ['７３９１５４', ['only-digits']],
    ['\ud800\ud800\ud800\ud800\ud800\ud800', ['only-digits']],
    ['777777', ['not-simple']],
    ['121212', ['not-simple']],
    ['739739', ['not-simple']],
    ['123456', ['not-simple']],
    ['987654', ['not-simple']],
    ['678901', ['not-simple']],
    ['246802', ['not-simple']],
    ['112233', ['not-simple']],
    ['777000', ['not-simple']],
    ['24121987', ['not-simple']],
    ['12241987', ['not-simple']],
    ['19871224', ['not-simple']],
    ['39871224', []],
  ])('%j breaks %j', (pin, broken) => {
    expect(brokenPinRules(pin, 6)).toEqual(broken);
  });

  test.each([
    ['1987', ['not-simple']],
    ['2031', ['not-simple']],
    ['1234', ['not-simple']],
    ['1122', ['not-simple']],
    ['7391', []],
  ])('of four digits, where they are enough, %j breaks %j', (pin, broken) => {
    expect(brokenPinRules(pin, 4)).toEqual(broken);
  });

  test('is hardly ever refused for being simple: a guesser gains nothing by the rule', () => {
    const refused = Array.from({ length: 1_000_000 }, (_, number) => String(number).padStart(6, '0')).filter(
      (pin) => brokenPinRules(pin, 6).length > 0,
    );
    expect(refused.length).toBeLessThan(2000);
  });

  test('is judged whatever is typed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (pin) => {
        const isAcceptable = brokenPinRules(pin, 6).length === 0;
        expect(!isAcceptable || /^[0-9]{6,12}$/.test(pin)).toBe(true);
      }),
    );
  });
});
