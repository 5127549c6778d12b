/** The rules for a new password as they turn met while one types: the host's own check, and what the host alone knows. */
import { listOf, type Blocklist } from '../../server/passwords/blocklist.ts';
import {
  brokenRules,
  countsOf,
  type PasswordPolicy,
  type PasswordRule,
  type PasswordSubject,
} from '../../server/passwords/policy.ts';
import { Problem, type Api } from './api.ts';
import type { MessageKey } from './i18n.svelte.ts';

export interface Rule {
  readonly key: MessageKey;
  readonly values: Record<string, string | number>;
  /** Null where the host alone can tell, or where the list to tell by is still on its way. */
  readonly met: boolean | null;
}

export class PasswordRules {
  #blocklist = $state.raw<Blocklist | null>(null);
  #refusal = $state.raw<{ readonly password: string; readonly rules: readonly string[] } | null>(null);
  readonly #policy: PasswordPolicy;
  readonly #subject: PasswordSubject;

  constructor(policy: PasswordPolicy, subject: PasswordSubject) {
    this.#policy = policy;
    this.#subject = subject;
  }

  /** Fetches the list of words, where the policy has one. Without it the host checks, as it does anyway. */
  async load(api: Pick<Api, 'passwordBlocklist'>): Promise<void> {
    if (!this.#policy.blocklist) return;
    try {
      const { common, site } = await api.passwordBlocklist();
      this.#blocklist = { common: listOf(common), site: listOf(site) };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Remembers which rules the host found broken, as long as this password stays as it is. */
  noteRefusal(password: string, { refusals }: Pick<Problem, 'refusals'>): void {
    this.#refusal = { password, rules: refusals.flatMap(({ rule }) => rule ?? []) };
  }

  /** A line for every rule that the policy has. */
  of(password: string, repetition: string): Rule[] {
    const policy = this.#policy;
    const counts = countsOf(password, policy);
    const typed = password !== '';
    const refused = this.#refusal?.password === password ? this.#refusal.rules : [];
    const found = brokenRules(password, policy, this.#subject, this.#blocklist);
    const broken = [...found.map(({ rule }): string => rule), ...refused];
    const isMet = (...rules: PasswordRule[]): boolean =>
      typed && !rules.some((rule) => broken.includes(rule));
    const lines: (Rule | false)[] = [
      {
        key: 'change.length',
        values: { min: policy.minLength, max: policy.maxLength, count: counts.length },
        met: isMet('min-length', 'max-length', 'valid-unicode'),
      },
      policy.minUppercase > 0 && {
        key: 'change.uppercase',
        values: { limit: policy.minUppercase, count: counts.uppercase },
        met: isMet('min-uppercase'),
      },
      policy.minLowercase > 0 && {
        key: 'change.lowercase',
        values: { limit: policy.minLowercase, count: counts.lowercase },
        met: isMet('min-lowercase'),
      },
      policy.minDigits > 0 && {
        key: 'change.digits',
        values: { limit: policy.minDigits, count: counts.digits },
        met: isMet('min-digits'),
      },
      policy.minSymbols > 0 && {
        key: policy.symbols === '' ? 'change.symbols' : 'change.namedSymbols',
        // An open box stands for the space, which would not be seen.
        values: { limit: policy.minSymbols, count: counts.symbols, symbols: shown(policy.symbols) },
        met: isMet('min-symbols'),
      },
      policy.blocklist && {
        key: 'change.notCommon',
        values: {},
        met: this.#blocklist === null && refused.length === 0 ? null : isMet('not-common', 'not-site-word'),
      },
      { key: 'change.notUserName', values: {}, met: isMet('not-user-name') },
      {
        key: policy.history > 0 ? 'change.notFormer' : 'change.notPresent',
        values: { limit: policy.history },
        met: refused.includes('not-present') || refused.includes('history') ? false : null,
      },
      { key: 'change.equal', values: {}, met: typed && password === repetition },
    ];
    return lines.filter((line) => line !== false);
  }
}

/** Whether nothing that the page can tell is in the way. */
export function mayBeSent(rules: readonly Rule[]): boolean {
  return rules.every(({ met }) => met !== false);
}

function shown(symbols: string): string {
  return [...symbols].map((symbol) => (symbol === ' ' ? '␣' : symbol)).join(' ');
}
