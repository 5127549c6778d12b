/** What a person types to sign in, and what becomes of it. */
import { isProblem, type Api } from '../shared/api.ts';
import type { Door } from '../shared/door.svelte.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export class SignIn {
  password = $state('');
  /** What is still to be typed. */
  missing = $state<MessageKey | null>(null);
  readonly submission: Submission;
  #username = $state('');
  readonly #door: Door;
  readonly #api: Api;

  constructor(door: Door, api: Api, clock: Clock, username = door.lastUsername) {
    this.#door = door;
    this.#api = api;
    this.submission = new Submission(clock);
    this.#username = username;
  }

  get username(): string {
    return this.#username;
  }

  /** Another name has tries of its own: whoever comes next does not wait for what the one before has mistyped. */
  set username(username: string) {
    this.#username = username;
    const { problem } = this.submission;
    if (problem?.code === 'too-many-tries' || problem?.code === 'sign-in-refused') this.submission.forget();
  }

  async submit(): Promise<void> {
    this.missing = this.#missing();
    if (this.missing !== null) return;
    await this.submission.run(() => this.#signIn(this.username.trim()));
  }

  #missing(): MessageKey | null {
    if (this.username.trim() === '') return 'signIn.nameMissing';
    return this.password === '' ? 'signIn.passwordMissing' : null;
  }

  async #signIn(username: string): Promise<void> {
    const { appId } = this.#door;
    try {
      const { session } = await this.#api.signIn({
        username,
        password: this.password,
        ...(appId === null ? {} : { appId }),
      });
      this.#door.signedIn(session);
    } catch (error) {
      if (isProblem(error, 'unreachable')) this.#door.reach();
      if (!isProblem(error, 'password-change-required')) throw error;
      const { ticket, why } = error;
      if (ticket === undefined || why === undefined) throw error;
      this.#door.change = { ticket, username, why };
    }
  }
}
