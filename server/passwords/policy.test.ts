import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listOf, NO_WORDS, wordsIn, type Blocklist } from './blocklist.ts';
import { brokenRules, countsOf, type PasswordPolicy, type PasswordRule } from './policy.ts';
import { PRESETS } from './presets.ts';

const POLICY: PasswordPolicy = { ...PRESETS.nist, maxLength: 64 };
const SUBJECT = { name: 'Operator of line 7', displayName: 'Olivia Operator' };
const BLOCKLIST: Blocklist = {
  common: listOf(['password', 'qwertyuiop', 'iloveyou']),
  site: wordsIn(['Waterworks North', 'Keyswitch']),
};

const rulesOf = (
  password: string,
  policy: PasswordPolicy = POLICY,
  blocklist: Blocklist | null = BLOCKLIST,
): PasswordRule[] => brokenRules(password, policy, SUBJECT, blocklist).map(({ rule }) => rule);

describe('length', () => {
  test.each<[string, string, PasswordRule[]]>([
    ['fifteen characters', 'fifteen letters', []],
    ['one less', 'fourteen chars', ['min-length']],
    ['nothing', '', ['min-length']],
    ['one byte', 'x', ['min-length']],
    ['as many as are admitted', 'xy z'.repeat(16), []],
    ['one more than that', `${'xy z'.repeat(16)}x`, ['max-length']],
    ['a megabyte', 'xy z'.repeat(262_144), ['max-length']],
    ['fifteen emoji, which are two code units each', '🔑🏭🐢🚰🔧🔩🎛🧯🪫🛢🚨🔒🧰📟💡', []],
    ['fourteen emoji', '🔑🏭🐢🚰🔧🔩🎛🧯🪫🛢🚨🔒🧰📟', ['min-length']],
    ['accents of their own, composed first: fourteen', 'éàèùâêîôûäëïöü'.normalize('NFD'), ['min-length']],
    ['as many composed letters as are admitted', 'éàèù'.repeat(16).normalize('NFD'), []],
    ['spaces, as many as one likes', '   a   b   c   ', []],
    ['zero characters', 'a\0b\0c\0d\0e\0f\0g\0h', []],
    ['half a surrogate pair', 'half of a pair: \ud83d', ['valid-unicode']],
    ['the other half', '\udd11 half of a pair', ['valid-unicode']],
  ])('%s', (_name, password, broken) => expect(rulesOf(password)).toEqual(broken));

  test('is told with its limit and what there is', () => {
    expect(brokenRules('short one', POLICY, SUBJECT, null)).toEqual([
      { rule: 'min-length', limit: 15, actual: 9 },
    ]);
    expect(brokenRules('xy z'.repeat(17), POLICY, SUBJECT, null)).toEqual([
      { rule: 'max-length', limit: 64, actual: 68 },
    ]);
  });
});

describe('classes', () => {
  const policy = { ...POLICY, minUppercase: 2, minLowercase: 2, minDigits: 2, minSymbols: 2, minLength: 1 };

  test.each<[string, string, PasswordRule[]]>([
    ['two of each', 'AGks12!?', []],
    ['of all scripts that have them', 'ÄЖéя٣٤€ ', []],
    ['one uppercase letter', 'Agks12!?', ['min-uppercase']],
    ['one lowercase letter', 'AGKs12!?', ['min-lowercase']],
    ['one digit', 'AGks1x!?', ['min-digits']],
    ['one symbol', 'AGks123?', ['min-symbols']],
    [
      'letters without case, which are neither',
      '漢字漢字',
      ['min-uppercase', 'min-lowercase', 'min-digits', 'min-symbols'],
    ],
  ])('%s', (_name, password, broken) => expect(rulesOf(password, policy)).toEqual(broken));

  test('are told with their limit and what there is', () => {
    expect(brokenRules('Agks12!?', policy, SUBJECT, null)).toEqual([
      { rule: 'min-uppercase', limit: 2, actual: 1 },
    ]);
  });

  test('count only the symbols that the policy names, where it names some', () => {
    const named = { ...policy, symbols: '! é'.normalize('NFD') };
    expect(countsOf('a!b c?de\u0301é', named).symbols).toBe(4);
    expect(rulesOf('AGks12??', named)).toEqual(['min-symbols']);
  });
});

describe('words', () => {
  test.each<[string, string, PasswordRule[]]>([
    ['a common one, repeated', 'passwordpassword', ['not-common']],
    ['a common one with digits around it', '1234 Qwertyuiop 5678', ['not-common']],
    ['a run of letters', 'abcdefghijklmnop', ['not-common']],
    ['a word of this place', 'KEYSWITCH 2026 !', ['not-site-word']],
    ['the parts of a name of this place together', 'WaterworksNorth1', ['not-site-word']],
    ['the user name', 'Operator of line 7', ['not-user-name']],
    ['the user name in other letters, and more', 'oPERATOR OF LINE 7!!!', ['not-user-name']],
    ['the display name', 'OLIVIA OPERATOR', ['not-user-name']],
    ['a part of it, repeated', 'oliviaoliviaolivia', ['not-user-name']],
    ['a sentence with all of them', 'operator Olivia loves her password', []],
  ])('%s', (_name, password, broken) => expect(rulesOf(password)).toEqual(broken));

  test('of two lists are both told, after what is wrong with the length', () => {
    const subject = { name: 'keyswitch', displayName: 'Mia' };
    const rules = brokenRules('KEYSWITCH', POLICY, subject, BLOCKLIST).map(({ rule }) => rule);
    expect(rules).toEqual(['min-length', 'not-site-word', 'not-user-name']);
  });

  test('of the lists are no rule where the policy has none, and the name still is', () => {
    const policy = { ...POLICY, blocklist: false };
    expect(rulesOf('passwordpassword', policy)).toEqual([]);
    expect(rulesOf('keyswitchkeyswitch', policy)).toEqual([]);
    expect(rulesOf('oliviaoliviaolivia', policy)).toEqual(['not-user-name']);
  });

  test('of the lists are no rule for a page that has not got them yet', () => {
    expect(rulesOf('passwordpassword', POLICY, null)).toEqual([]);
    expect(rulesOf('oliviaoliviaolivia', POLICY, null)).toEqual(['not-user-name']);
  });

  test('with accents are found however they are typed', () => {
    const subject = { name: 'Ren\u00e9e of the boilers', displayName: '-' };
    const [broken] = brokenRules('rene\u0301e of the boilers', POLICY, subject, null);
    expect(broken).toEqual({ rule: 'not-user-name' });
  });
});

describe('the preset', () => {
  const policies: Record<keyof typeof PRESETS, [string, PasswordRule[]][]> = {
    nist: [
      ['fourteen chars', ['min-length']],
      ['fifteen letters', []],
      ['xy z'.repeat(256), []],
      [`${'xy z'.repeat(256)}x`, ['max-length']],
    ],
    jube: [
      ['Ab1!xyz', ['min-length']],
      ['Ab1!xyzw', []],
      ['Ab1!xyzwvutsrqpo', []],
      ['Ab1!xyzwvutsrqpon', ['max-length']],
      ['ab1!xyzw', ['min-uppercase']],
      ['AB1!XYZW', ['min-lowercase']],
      ['Abc!xyzw', ['min-digits']],
      ['Ab1#xyzw', ['min-symbols']],
      ...[...'!? )*(.'].map((symbol): [string, PasswordRule[]] => [`Ab1${symbol}xyzw`, []]),
      ['Administrator', ['min-digits', 'min-symbols']],
    ],
    ras: [
      ['eleven char', ['min-length']],
      ['twelve chars', []],
    ],
    part11: [
      ['eleven char', ['min-length']],
      ['twelve chars', []],
    ],
  };

  test.each(Object.entries(policies).flatMap(([name, cases]) => cases.map((one) => [name, ...one] as const)))(
    '%s says of %j what it breaks',
    (name, password, broken) => {
      expect(rulesOf(password, PRESETS[name as keyof typeof PRESETS])).toEqual(broken);
    },
  );
});

describe('any string under any policy', () => {
  const count = fc.integer({ min: 0, max: 3 });
  const policies: fc.Arbitrary<PasswordPolicy> = fc.record({
    minLength: fc.integer({ min: 1, max: 20 }),
    maxLength: fc.integer({ min: 8, max: 40 }),
    minUppercase: count,
    minLowercase: count,
    minDigits: count,
    minSymbols: count,
    symbols: fc.constantFrom('', '!? )*(.', '€🔑', '\u0301!'),
    blocklist: fc.boolean(),
    history: count,
    minAgeHours: count,
    maxAgeDays: count,
    warnDays: count,
  });
  const anything = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 50 }),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 })
      .map((units) => String.fromCharCode(...units)),
    fc
      .tuple(fc.constantFrom('password', 'Keyswitch', 'OLIVIA'), fc.string({ maxLength: 5 }))
      .map((two) => two.join('')),
  );
  const well = anything.filter((password) => password.isWellFormed());

  test('is judged alike by the host and by a page that got policy and list as JSON', () => {
    const listText = JSON.stringify({ common: [...BLOCKLIST.common.all], site: [...BLOCKLIST.site.all] });
    const sent = JSON.parse(listText) as { common: string[]; site: string[] };
    const onPage: Blocklist = { common: listOf(sent.common), site: listOf(sent.site) };
    fc.assert(
      fc.property(anything, policies, (password, policy) => {
        const policyOnPage = JSON.parse(JSON.stringify(policy)) as PasswordPolicy;
        const typed = JSON.parse(JSON.stringify(password)) as string;
        expect(brokenRules(typed, policyOnPage, SUBJECT, onPage)).toEqual(
          brokenRules(password, policy, SUBJECT, BLOCKLIST),
        );
      }),
    );
  });

  test('is judged alike in every normal form that means the same', () => {
    fc.assert(
      fc.property(well, policies, (password, policy) => {
        const broken = brokenRules(password, policy, SUBJECT, BLOCKLIST);
        expect(brokenRules(password.normalize('NFC'), policy, SUBJECT, BLOCKLIST)).toEqual(broken);
        expect(brokenRules(password.normalize('NFD'), policy, SUBJECT, BLOCKLIST)).toEqual(broken);
      }),
    );
  });

  test('breaks what its numbers say, and numbers are told of nothing else', () => {
    fc.assert(
      fc.property(anything, policies, (password, policy) => {
        for (const { rule, limit, actual } of brokenRules(password, policy, SUBJECT, BLOCKLIST)) {
          if (rule.startsWith('min-')) expect(actual).toBeLessThan(limit ?? 0);
          else if (rule === 'max-length') expect(actual).toBeGreaterThan(limit ?? Infinity);
          else expect([limit, actual]).toEqual([undefined, undefined]);
        }
      }),
    );
  });

  test('is no worse off for a policy without lists', () => {
    const none = { common: NO_WORDS, site: NO_WORDS };
    fc.assert(
      fc.property(anything, policies, (password, policy) => {
        const strict = brokenRules(password, policy, SUBJECT, BLOCKLIST).map(({ rule }) => rule);
        for (const { rule } of brokenRules(password, policy, SUBJECT, none)) expect(strict).toContain(rule);
      }),
    );
  });
});
