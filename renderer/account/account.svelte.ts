/** One's own account: how long the password is good, and a new one for it. */
import type { AccountView, SessionView, WelcomeView } from '../../server/http/contract.ts';
import { isProblem, Problem, type Api } from '../shared/api.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import { mayBeSent, PasswordRules } from '../shared/password-rules.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export class Account {
  /** Null until the host has told. */
  view = $state.raw<AccountView | null>(null);
  /** Why the host has not told. */
  problem = $state.raw<Problem | null>(null);
  currentPassword = $state('');
  newSecret = $state('');
  repetition = $state('');
  /** The password has just been changed. */
  isChanged = $state(false);
  /** What is wrong with what was typed, and in which field. */
  fault = $state.raw<{ readonly field: 'current' | 'new'; readonly key: MessageKey } | null>(null);
  readonly changing: Submission;
  readonly rules = $derived.by(() => this.#rules.of(this.newSecret, this.repetition));
  readonly #api: Api;
  readonly #rules: PasswordRules;

  constructor(user: SessionView['user'], policy: WelcomeView['password'], api: Api, clock: Clock) {
    this.#api = api;
    this.#rules = new PasswordRules(policy, user);
    this.changing = new Submission(clock);
  }

  /** Whether there is anything that leaving would lose. */
  get hasWork(): boolean {
    return this.currentPassword !== '' || this.newSecret !== '' || this.repetition !== '';
  }

  async load(): Promise<void> {
    try {
      this.view = await this.#api.account();
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
  }

  /** Fetches what the rules are checked by. */
  loadRules(): Promise<void> {
    return this.#rules.load(this.#api);
  }

  async change(): Promise<void> {
    this.isChanged = false;
    this.fault = this.#fault();
    if (this.fault === null) await this.changing.run(() => this.#change(this.newSecret));
    if (this.isChanged) await this.load();
  }

  #fault(): typeof this.fault {
    if (this.currentPassword === '') return { field: 'current', key: 'account.currentMissing' };
    return mayBeSent(this.rules) ? null : { field: 'new', key: 'change.unmet' };
  }

  async #change(newPassword: string): Promise<void> {
    try {
      await this.#api.replacePassword(this.currentPassword, newPassword);
    } catch (error) {
      if (isProblem(error, 'sign-in-refused')) this.fault = { field: 'current', key: 'account.currentWrong' };
      if (isProblem(error, 'password-unacceptable')) this.#rules.noteRefusal(newPassword, error);
      throw error;
    }
    this.currentPassword = this.newSecret = this.repetition = '';
    this.isChanged = true;
  }
}
