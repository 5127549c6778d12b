import { describe, expect, test } from 'vitest';
import type { PasswordPolicy } from './policy.ts';
import { contradictionsOf, policyOf, PRESET_NAMES, PRESETS } from './presets.ts';

const NIST = PRESETS.nist;

test.each(PRESET_NAMES)('the preset %s does not contradict itself', (name) => {
  expect(contradictionsOf(PRESETS[name])).toEqual([]);
});

test('what is set goes before the preset, be it nothing, and what is not set is as the preset has it', () => {
  expect(policyOf({ preset: 'jube', minSymbols: 0, symbols: '', maxLength: undefined })).toEqual({
    ...PRESETS.jube,
    minSymbols: 0,
    symbols: '',
  });
});

test('a policy holds its rules and nothing else of the settings', () => {
  const settings = { preset: 'ras' as const, memoryKib: 8 };
  expect(policyOf(settings)).toEqual(PRESETS.ras);
});

describe('a policy contradicts itself', () => {
  test.each<[string, Partial<PasswordPolicy>, (keyof PasswordPolicy)[]]>([
    ['min above max', { minLength: 17, maxLength: 16 }, ['minLength', 'maxLength']],
    [
      'more of the classes than it admits',
      { minLength: 8, maxLength: 8, minDigits: 5, minSymbols: 4 },
      ['maxLength', 'minDigits', 'minSymbols'],
    ],
    [
      'a minimum age as long as the maximum',
      { minAgeHours: 48, maxAgeDays: 2, warnDays: 1 },
      ['minAgeHours', 'maxAgeDays'],
    ],
    ['a warning as long as the password lives', { maxAgeDays: 14 }, ['warnDays', 'maxAgeDays']],
  ])('with %s', (_what, policy, rules) => {
    expect(contradictionsOf({ ...NIST, ...policy }).map((contradiction) => contradiction.rules)).toEqual([
      rules,
    ]);
  });
});

describe('a policy holds together', () => {
  test.each<[string, Partial<PasswordPolicy>]>([
    ['with one length only', { minLength: 16, maxLength: 16 }],
    ['with as many of the classes as it admits', { minLength: 8, maxLength: 8, minDigits: 4, minSymbols: 4 }],
    ['with a minimum age an hour below the maximum', { minAgeHours: 47, maxAgeDays: 2, warnDays: 1 }],
    ['with a warning a day shorter than the password lives', { maxAgeDays: 15 }],
    ['with a minimum age where nothing ages', { minAgeHours: 8760 }],
  ])('%s', (_what, policy) => expect(contradictionsOf({ ...NIST, ...policy })).toEqual([]));
});
