/** Signing in with a badge: what the host wants beside it, and what becomes of it. */
import { isProblem, type Api } from '../shared/api.ts';
import type { Door } from '../shared/door.svelte.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import type { Scan } from '../shared/wedge.ts';

/** So long a badge waits for what is typed beside it: whoever presented it may have gone. */
const WAIT_MS = 60_000;

export class BadgeSignIn {
  /** What is asked for beside the badge; null where nothing is, or no badge was presented. */
  factor = $state<'pin' | 'password' | null>(null);
  /** What a person is to know or to do first. */
  hint = $state<MessageKey | null>(null);
  readonly submission: Submission;
  #secondFactor = $state('');
  #badge = '';
  #cancelWait = (): void => {};
  readonly #door: Door;
  readonly #api: Api;
  readonly #clock: Clock;

  constructor(door: Door, api: Api, clock: Clock) {
    this.#door = door;
    this.#api = api;
    this.#clock = clock;
    this.submission = new Submission(clock);
  }

  get secondFactor(): string {
    return this.#secondFactor;
  }

  set secondFactor(typed: string) {
    this.#secondFactor = typed;
    this.hint = null;
    this.#wait();
  }

  /** Another badge takes the place of the one before, with tries of its own. */
  async scanned(scan: Scan): Promise<void> {
    if (this.submission.sending) return;
    if (scan === null) {
      this.hint = 'badge.unreadable';
      return;
    }
    this.cancel();
    this.#badge = scan;
    await this.#send();
  }

  /** Sends the badge with what was typed beside it. */
  async submit(): Promise<void> {
    if (this.factor === null) return;
    this.hint = this.secondFactor === '' ? `badge.missing.${this.factor}` : null;
    if (this.hint === null) await this.#send();
  }

  /** Puts the badge aside, as if none had been presented. */
  cancel(): void {
    this.#cancelWait();
    this.#badge = '';
    this.#secondFactor = '';
    this.factor = null;
    this.hint = null;
    this.submission.forget();
  }

  async #send(): Promise<void> {
    this.#cancelWait();
    await this.submission.run(() => this.#signIn());
    // What was wrong is not to be mended: its characters are not to be seen.
    this.#secondFactor = '';
    if (this.factor !== null) this.#wait();
  }

  async #signIn(): Promise<void> {
    const { appId } = this.#door;
    try {
      const { session } = await this.#api.badgeSignIn({
        badge: this.#badge,
        ...(this.factor !== null && { secondFactor: this.#secondFactor }),
        ...(appId !== null && { appId }),
      });
      this.cancel();
      this.#door.signedIn(session);
    } catch (error) {
      this.#take(error);
    }
  }

  #take(error: unknown): void {
    if (isProblem(error, 'unreachable')) this.#door.reach();
    if (isProblem(error, 'second-factor-required') && error.factor !== undefined) {
      this.factor = error.factor;
      return;
    }
    const isChange = isProblem(error, 'password-change-required');
    if (!isChange || error.ticket === undefined || error.why === undefined) throw error;
    this.cancel();
    // The host does not tell whose badge it is before they are signed in.
    this.#door.change = { ticket: error.ticket, username: '', why: error.why };
  }

  #wait(): void {
    this.#cancelWait();
    this.#cancelWait = this.#clock.after(WAIT_MS, () => {
      this.cancel();
      this.hint = 'badge.timedOut';
    });
  }
}
