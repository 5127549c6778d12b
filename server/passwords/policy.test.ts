import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokenRules, type PasswordRule } from './policy.ts';

const POLICY = { minLength: 15, maxLength: 64 };
const SUBJECT = { name: 'Operator of line 7', displayName: 'Olivia Operator' };

const CASES: [string, string, PasswordRule[]][] = [
  ['fifteen characters', 'fifteen letters', []],
  ['one less', 'fourteen chars', ['min-length']],
  ['nothing', '', ['min-length']],
  ['as many as are admitted', 'x'.repeat(64), []],
  ['one more than that', 'x'.repeat(65), ['max-length']],
  ['fifteen emoji, which are two code units each', '🔑'.repeat(15), []],
  ['fourteen emoji', '🔑'.repeat(14), ['min-length']],
  ['letters that are composed first: fourteen with their accents', 'e\u0301'.repeat(14), ['min-length']],
  ['as many composed letters as are admitted', 'e\u0301'.repeat(64), []],
  ['spaces, as many as one likes', '   a   b   c   ', []],
  ['the user name', 'Operator of line 7', ['not-user-name']],
  ['the user name in other letters', 'oPERATOR OF LINE 7', ['not-user-name']],
  ['the display name', 'OLIVIA OPERATOR', ['not-user-name']],
  ['more than the user name', 'Operator of line 7!', []],
];

test.each(CASES)('%s', (_name, password, broken) => {
  expect(brokenRules(password, POLICY, SUBJECT)).toEqual(broken);
});

test('a short user name as password breaks both rules, in a fixed order', () => {
  const subject = { name: 'mia', displayName: 'Mia' };
  expect(brokenRules('MIA', POLICY, subject)).toEqual(['min-length', 'not-user-name']);
});

test('a name with accents is found however the accents are typed', () => {
  const subject = { name: 'Ren\u00e9e of the boilers', displayName: '-' };
  expect(brokenRules('rene\u0301e of the boilers', POLICY, subject)).toEqual(['not-user-name']);
});

test('the form in which a password is typed never decides', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), (password) => {
      const broken = brokenRules(password, POLICY, SUBJECT);
      expect(brokenRules(password.normalize('NFC'), POLICY, SUBJECT)).toEqual(broken);
      expect(brokenRules(password.normalize('NFD'), POLICY, SUBJECT)).toEqual(broken);
    }),
  );
});
