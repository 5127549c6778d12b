/** The first change of a password: the rules as they are met, and the change itself. */
import { brokenRules } from '../../server/passwords/policy.ts';
import type { WelcomeView } from '../../server/http/contract.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { Door } from '../shared/door.svelte.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export interface Rule {
  readonly key: MessageKey;
  readonly values: Record<string, number>;
  readonly met: boolean;
}

export class PasswordChange {
  newPassword = $state('');
  repetition = $state('');
  /** Asked to change although a rule is not met. */
  hasty = $state(false);
  readonly submission: Submission;
  readonly username: string;
  readonly rules = $derived.by(() => this.#rules());
  readonly #door: Door;
  readonly #api: Api;
  readonly #ticket: string;
  readonly #policy: WelcomeView['password'];

  constructor(door: Door, change: NonNullable<Door['change']>, welcome: WelcomeView, api: Api, clock: Clock) {
    this.#door = door;
    this.#api = api;
    this.#ticket = change.ticket;
    this.#policy = welcome.password;
    this.username = change.username;
    this.submission = new Submission(clock);
  }

  async submit(): Promise<void> {
    this.hasty = !this.rules.every((rule) => rule.met);
    if (!this.hasty) await this.submission.run(() => this.#change());
  }

  async #change(): Promise<void> {
    try {
      const { session } = await this.#api.changePassword(this.#ticket, this.newPassword);
      this.#door.signedIn(session);
    } catch (error) {
      if (!isProblem(error, 'ticket-invalid')) throw error;
      this.#door.leave('ticket');
    }
  }

  #rules(): Rule[] {
    const typed = this.newPassword !== '';
    const { minLength: min, maxLength: max } = this.#policy;
    // The display name is known to the host alone; it checks every rule again.
    const subject = { name: this.username, displayName: this.username };
    const broken = brokenRules(this.newPassword, this.#policy, subject);
    const count = [...this.newPassword.normalize('NFC')].length;
    return [
      {
        key: 'change.length',
        values: { min, max, count },
        met: !broken.includes('min-length') && !broken.includes('max-length'),
      },
      { key: 'change.notUserName', values: {}, met: typed && !broken.includes('not-user-name') },
      { key: 'change.equal', values: {}, met: typed && this.newPassword === this.repetition },
    ];
  }
}
