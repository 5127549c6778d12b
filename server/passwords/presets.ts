/** Ready-made password policies, and what makes a policy contradict itself. */
import type { PasswordPolicy } from './policy.ts';

/** `nist`: NIST SP 800-63B-4, section 3.1.1.2, for a password that stands alone. */
const NIST: PasswordPolicy = {
  minLength: 15,
  maxLength: 1024,
  minUppercase: 0,
  minLowercase: 0,
  minDigits: 0,
  minSymbols: 0,
  symbols: '',
  blocklist: true,
  history: 0,
  minAgeHours: 0,
  maxAgeDays: 0,
  warnDays: 14,
};

export const PRESETS = {
  nist: NIST,
  /** What Jube asks for: 8 to 16 characters of four classes, for 90 days. */
  jube: {
    ...NIST,
    minLength: 8,
    maxLength: 16,
    minUppercase: 1,
    minLowercase: 1,
    minDigits: 1,
    minSymbols: 1,
    symbols: '!? )*(.',
    maxAgeDays: 90,
  },
  /** What React Automation Studio asks for. */
  ras: { ...NIST, minLength: 12 },
  /** For 21 CFR 11.300(b): passwords are periodically revised, and none comes back soon. */
  part11: { ...NIST, minLength: 12, history: 10, minAgeHours: 24, maxAgeDays: 90 },
} as const satisfies Record<string, PasswordPolicy>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as [PresetName, ...PresetName[]];
export const RULES = Object.keys(NIST) as (keyof PasswordPolicy)[];

/** A preset, and the rules that a site wants otherwise. */
export type PolicySettings = { readonly preset: PresetName } & {
  readonly [Rule in keyof PasswordPolicy]?: PasswordPolicy[Rule] | undefined;
};

/** The policy in force: each rule as it is set, or else as the preset has it. */
export function policyOf(settings: PolicySettings): PasswordPolicy {
  const preset = PRESETS[settings.preset];
  return Object.fromEntries(
    RULES.map((rule) => [rule, settings[rule] ?? preset[rule]]),
  ) as unknown as PasswordPolicy;
}

export interface Contradiction {
  /** The rules that cannot hold together. */
  readonly rules: readonly [keyof PasswordPolicy, ...(keyof PasswordPolicy)[]];
  /** What would be right, with the values at hand. */
  readonly expected: string;
}

const CLASSES = ['minUppercase', 'minLowercase', 'minDigits', 'minSymbols'] as const;
const HOURS_A_DAY = 24;

/** Where the rules of `policy` cannot hold together; a value that is no number contradicts nothing. */
export function contradictionsOf(policy: PasswordPolicy): Contradiction[] {
  const { minLength, maxLength, minAgeHours, maxAgeDays, warnDays } = policy;
  const asked = CLASSES.filter((rule) => policy[rule] > 0);
  const characters = asked.reduce((sum, rule) => sum + policy[rule], 0);
  const ages = maxAgeDays > 0;
  const named = (...rules: readonly (keyof PasswordPolicy)[]): string =>
    rules.map((rule) => `passwords.${rule} (${String(policy[rule])})`).join(' and ');
  const found: (Contradiction | false)[] = [
    minLength > maxLength && {
      rules: ['minLength', 'maxLength'],
      expected: `${named('minLength')} to be no more than ${named('maxLength')}`,
    },
    characters > maxLength && {
      rules: ['maxLength', ...asked],
      expected: `${named(...asked)} to be together no more than ${named('maxLength')}`,
    },
    ages &&
      minAgeHours >= maxAgeDays * HOURS_A_DAY && {
        rules: ['minAgeHours', 'maxAgeDays'],
        expected: `${named('minAgeHours')} to be less than ${named('maxAgeDays')}`,
      },
    ages &&
      warnDays >= maxAgeDays && {
        rules: ['warnDays', 'maxAgeDays'],
        expected: `${named('warnDays')} to be less than ${named('maxAgeDays')}`,
      },
  ];
  return found.filter((contradiction) => contradiction !== false);
}
