/** A password that must be replaced: the rules as they are met, and the change itself. */
import type { WelcomeView } from '../../server/http/contract.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { Door } from '../shared/door.svelte.ts';
import { mayBeSent, PasswordRules } from '../shared/password-rules.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export class PasswordChange {
  newSecret = $state('');
  repetition = $state('');
  /** Asked to change although a rule is not met. */
  hasty = $state(false);
  readonly submission: Submission;
  readonly username: string;
  readonly rules = $derived.by(() => this.#rules.of(this.newSecret, this.repetition));
  readonly #door: Door;
  readonly #api: Api;
  readonly #ticket: string;
  readonly #rules: PasswordRules;

  constructor(door: Door, change: NonNullable<Door['change']>, welcome: WelcomeView, api: Api, clock: Clock) {
    this.#door = door;
    this.#api = api;
    this.#ticket = change.ticket;
    this.username = change.username;
    // The display name is known to the host alone; it checks every rule again.
    const subject = { name: this.username, displayName: this.username };
    this.#rules = new PasswordRules(welcome.password, subject);
    this.submission = new Submission(clock);
  }

  /** Fetches what the rules are checked by. */
  load(): Promise<void> {
    return this.#rules.load(this.#api);
  }

  async submit(): Promise<void> {
    this.hasty = !mayBeSent(this.rules);
    if (!this.hasty) await this.submission.run(() => this.#change(this.newSecret));
  }

  async #change(newPassword: string): Promise<void> {
    try {
      const { session } = await this.#api.changePassword(this.#ticket, newPassword);
      this.#door.signedIn(session);
    } catch (error) {
      if (isProblem(error, 'password-unacceptable')) this.#rules.noteRefusal(newPassword, error);
      if (!isProblem(error, 'ticket-invalid')) throw error;
      this.#door.leave('ticket');
    }
  }
}
