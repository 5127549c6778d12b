import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteForWindows } from './windows-argument.ts';

/** As Windows takes a quoted argument apart: backslashes count before a quotation mark alone. */
function unquote(quoted: string): { argument: string; rest: string } {
  let argument = '';
  for (let at = 1; ;) {
    const [run = ''] = /^\\*/.exec(quoted.slice(at)) ?? [];
    at += run.length;
    if (at >= quoted.length) throw new Error('without an end');
    if (quoted[at] !== '"') {
      argument += run + quoted[at];
    } else {
      argument += '\\'.repeat(run.length >> 1);
      if (run.length % 2 === 0) return { argument, rest: quoted.slice(at + 1) };
      argument += '"';
    }
    at += 1;
  }
}

test.each([
  ['C:\\Users\\Control Room\\Keyswitch', '"C:\\Users\\Control Room\\Keyswitch"'],
  ['D:\\', '"D:\\\\"'],
])('%s stands as %s', (argument, quoted) => {
  expect(quoteForWindows(argument)).toBe(quoted);
});

test('whatever it holds comes out again', () => {
  const nasty = fc.string({ unit: fc.constantFrom('\\', '"', ' ', 'a') });
  fc.assert(
    fc.property(fc.oneof(nasty, fc.string()), (argument) => {
      expect(unquote(quoteForWindows(argument))).toEqual({ argument, rest: '' });
    }),
  );
});
