/** What a password must be: rules as data, checked by the host and by the page that shows them as they turn met. */
import { fold, formsOf, isListed, isRun, wordsIn, type Blocklist } from './blocklist.ts';

/** What a site demands of a new password. Characters are Unicode code points, counted after NFC. */
export interface PasswordPolicy {
  readonly minLength: number;
  readonly maxLength: number;
  readonly minUppercase: number;
  readonly minLowercase: number;
  readonly minDigits: number;
  readonly minSymbols: number;
  /** The characters that count as symbols; empty: all that are neither letter nor digit. */
  readonly symbols: string;
  /** Whether common passwords and words of this place are barred; the user's own name always is. */
  readonly blocklist: boolean;
  /** How many former passwords are barred; the present one always is. */
  readonly history: number;
  /** Time that must pass before a user may change the password again; 0: none. */
  readonly minAgeHours: number;
  /** Time after which a password must be replaced; 0: never. */
  readonly maxAgeDays: number;
  /** How long before that its user is warned. */
  readonly warnDays: number;
}

/** The rules that a password alone can break. */
export type PasswordRule =
  | 'valid-unicode'
  | 'min-length'
  | 'max-length'
  | 'min-uppercase'
  | 'min-lowercase'
  | 'min-digits'
  | 'min-symbols'
  | 'not-common'
  | 'not-site-word'
  | 'not-user-name';

export interface BrokenRule {
  readonly rule: PasswordRule;
  /** What the rule asks for, where it asks for a number. */
  readonly limit?: number;
  /** What the password has. It tells of the password: for the one who types it alone. */
  readonly actual?: number;
}

export interface PasswordSubject {
  readonly name: string;
  readonly displayName: string;
}

/** What a rule that asks for a number of characters counts in `password`. */
export function countsOf(
  password: string,
  { symbols }: Pick<PasswordPolicy, 'symbols'>,
): Record<'length' | 'uppercase' | 'lowercase' | 'digits' | 'symbols', number> {
  const characters = [...password.normalize('NFC')];
  const listed = new Set(symbols.normalize('NFC'));
  const isSymbol = (character: string): boolean =>
    listed.size > 0 ? listed.has(character) : /[^\p{L}\p{M}\p{N}]/u.test(character);
  const count = (counts: (character: string) => boolean): number => characters.filter(counts).length;
  return {
    length: characters.length,
    uppercase: count((character) => /\p{Lu}/u.test(character)),
    lowercase: count((character) => /\p{Ll}/u.test(character)),
    digits: count((character) => /\p{Nd}/u.test(character)),
    symbols: count(isSymbol),
  };
}

/**
 * The rules that `password` breaks, in a fixed order; empty when it is acceptable. Whoever has no blocklist
 * (null) leaves its rules to the one who has.
 */
export function brokenRules(
  password: string,
  policy: PasswordPolicy,
  subject: PasswordSubject,
  blocklist: Blocklist | null,
): BrokenRule[] {
  const counts = countsOf(password, policy);
  const atLeast = (rule: PasswordRule, limit: number, actual: number): BrokenRule[] =>
    actual < limit ? [{ rule, limit, actual }] : [];
  const tooLong = counts.length > policy.maxLength;
  return [
    // Half a surrogate pair has no UTF-8: hashed it would be some other text.
    ...(password.isWellFormed() ? [] : [{ rule: 'valid-unicode' } as const]),
    ...atLeast('min-length', policy.minLength, counts.length),
    ...(tooLong ? [{ rule: 'max-length', limit: policy.maxLength, actual: counts.length } as const] : []),
    ...atLeast('min-uppercase', policy.minUppercase, counts.uppercase),
    ...atLeast('min-lowercase', policy.minLowercase, counts.lowercase),
    ...atLeast('min-digits', policy.minDigits, counts.digits),
    ...atLeast('min-symbols', policy.minSymbols, counts.symbols),
    ...brokenByWords(password, subject, policy.blocklist ? blocklist : null).map((rule) => ({ rule })),
  ];
}

function brokenByWords(
  password: string,
  { name, displayName }: PasswordSubject,
  blocklist: Blocklist | null,
): PasswordRule[] {
  // Before anything is typed nothing is wrong with it but its length.
  if (fold(password) === '') return [];
  const forms = formsOf(password);
  const broken: PasswordRule[] = [];
  if (blocklist !== null && (isListed(forms, blocklist.common) || isRun(forms))) broken.push('not-common');
  if (blocklist !== null && isListed(forms, blocklist.site)) broken.push('not-site-word');
  if (isListed(forms, wordsIn([name, displayName]))) broken.push('not-user-name');
  return broken;
}
