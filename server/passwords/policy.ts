/** What a password must be; the page shows the same rules, so this imports nothing. */

export interface PasswordPolicy {
  /** Unicode code points. */
  readonly minLength: number;
  readonly maxLength: number;
}

export type PasswordRule = 'min-length' | 'max-length' | 'not-user-name';

export interface PasswordSubject {
  readonly name: string;
  readonly displayName: string;
}

/** The rules that `password` breaks, in a fixed order; empty when it is acceptable. */
export function brokenRules(
  password: string,
  policy: PasswordPolicy,
  subject: PasswordSubject,
): PasswordRule[] {
  const text = password.normalize('NFC');
  const length = [...text].length;
  const folded = text.toLocaleLowerCase('und');
  const names = [subject.name, subject.displayName].map((name) =>
    name.normalize('NFC').toLocaleLowerCase('und'),
  );
  const broken: PasswordRule[] = [];
  if (length < policy.minLength) broken.push('min-length');
  if (length > policy.maxLength) broken.push('max-length');
  if (names.includes(folded)) broken.push('not-user-name');
  return broken;
}
