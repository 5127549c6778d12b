import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, formsOf, isListed, isRun, listOf, wordsIn } from './blocklist.ts';
import { readCommonPasswords } from './common-passwords.ts';

const WORDS = listOf(['password', 'abc123', 'dragon', '111111', 'kühlwasser']);
const found = (password: string): boolean => isListed(formsOf(password), WORDS);

describe('a listed word is found', () => {
  test.each([
    ['as it is', 'password'],
    ['in capitals', 'PassWord'],
    ['with digits and symbols behind it', 'Password2026!'],
    ['with digits and symbols before it', '!!42 password'],
    ['around which are symbols alone, its own digits staying', '(abc123)'],
    ['repeated', 'passwordpassword'],
    ['repeated, the last time not to its end', 'dragondragondra'],
    ['repeated with what stands behind it', 'Dragon!1Dragon!1'],
    ['repeated and followed by digits', 'dragondragon2026'],
    ['that is itself a repetition, longer', '11111111111111111'],
    ['decomposed', 'Ku\u0308hlwasser'],
    ['with emoji around it', '🔑dragon🔑'],
  ])('%s', (_how, password) => expect(found(password)).toBe(true));
});

describe('a listed word is not found', () => {
  test.each([
    ['in a longer word', 'passwordless'],
    ['among other words', 'the dragon sleeps'],
    ['twice with something between that is not repeated', 'dragon and dragon'],
    ['once and a half of it', 'dragondra'],
    ['in nothing', ''],
    ['in digits alone', '2026'],
  ])('%s', (_how, password) => expect(found(password)).toBe(false));
});

test.each([
  ['abcdefghijklmnop', true],
  ['ZYXWVUT', true],
  ['23456789', true],
  ['aaaaaaaaaaaaaaaa', true],
  ['абвгдежз', true],
  ['!abcdefgh!', true],
  ['abc', false],
  ['acegik', false],
  ['abcdefgi', false],
  ['', false],
])('%j is a run: %s', (password, expected) => expect(isRun(formsOf(password))).toBe(expected));

describe('the words in a phrase', () => {
  test('are the whole, its parts, the parts written together, and the letters between digits', () => {
    expect([...wordsIn(['Olivia Operator-Smith', 'operator7']).all].toSorted()).toEqual([
      'olivia',
      'olivia operator-smith',
      'oliviaoperatorsmith',
      'operator',
      'operator7',
      'smith',
    ]);
  });

  test('are not its short parts, for these are met by chance', () => {
    expect([...wordsIn(['Li of 7']).all].toSorted()).toEqual(['li of', 'li of 7', 'liof7'].toSorted());
  });

  test('are none in nothing', () => expect(wordsIn(['', '']).all.size).toBe(0));
});

describe('any string', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    // With halves of surrogate pairs.
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
      .map((units) => String.fromCharCode(...units)),
  );

  test('is found in a list that holds it, whatever digits and symbols are put around', () => {
    const around = fc.string({ unit: fc.constantFrom('1', '9', '!', ' ', '#'), maxLength: 20 });
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', 'ß', 'é', 'Σ', 'я'),
      minLength: 3,
      maxLength: 20,
    });
    fc.assert(
      fc.property(word, around, around, fc.integer({ min: 1, max: 4 }), (known, before, after, count) => {
        const forms = formsOf(before + known.repeat(count).toUpperCase() + after);
        expect(isListed(forms, listOf([fold(known)]))).toBe(true);
      }),
    );
  });

  test('can be looked for, and its twins in another normal form are found alike', () => {
    fc.assert(
      fc.property(text, (password) => {
        const words = wordsIn([password.slice(0, 20)]);
        const [found, ...twins] = ['NFC', 'NFC', 'NFD'].map((form) => {
          const forms = formsOf(password.normalize(form));
          return [isListed(forms, words), isListed(forms, WORDS), isRun(forms)];
        });
        for (const twin of twins) expect(twin).toEqual(found);
      }),
    );
  });

  // Work is counted rather than time: each character is read a bounded number of times.
  test.each([
    ['one character', 'a'.repeat(8192)],
    ['two in turn', 'a1'.repeat(4096)],
    ['a long repetition that breaks at its end', `${'a'.repeat(8191)}b`],
    ['symbols around the middle', `${'!'.repeat(4095)}a1${'!'.repeat(4095)}`],
    ['digits between symbols, without a letter', '1!'.repeat(4096)],
  ])('of 8192 characters costs little: %s', (_what, password) => {
    const began = process.cpuUsage().user;
    for (let time = 0; time < 20; time += 1) isListed(formsOf(password), WORDS);
    // Quadratic work would be 20 times 67 million steps: seconds. Linear work is a few milliseconds each.
    expect(process.cpuUsage().user - began).toBeLessThan(1_000_000);
  });
});

describe('the shipped list', () => {
  const common = readCommonPasswords();

  test('has the ten thousand most common passwords and many more, and nothing of its head', () => {
    expect(common.all.size).toBeGreaterThan(20_000);
    expect([...common.all].slice(0, 3)).toEqual(['123456', 'password', '12345678']);
    expect([...common.all].filter((word) => word.startsWith('# '))).toEqual([]);
  });

  test('has at least three thousand of eight characters and more (ASVS 6.2.4)', () => {
    expect([...common.all].filter((word) => word.length >= 8).length).toBeGreaterThan(3000);
  });

  test('is folded, without blanks and without empty lines', () => {
    expect(
      [...common.all].filter((word) => word !== fold(word) || word.trim() !== word || word === ''),
    ).toEqual([]);
  });
});
