/** The way in and out of this page: where it signs in, who is signed in, and why nobody is any more. */
import type { SessionView, WelcomeView } from '../../server/http/contract.ts';
import type { EndReason } from '../../server/sessions/session.ts';
import { isProblem, type Api } from './api.ts';
import { backOffMs } from './live.svelte.ts';
import type { Clock, Memory } from './ports.ts';

/** Why the sign-in page is back: what the host said, or what the page knows. */
export type Ending = EndReason | 'unknown' | 'ticket';

const USERNAME_KEY = 'keyswitch.username';

export class Door {
  /** The app asked for in the address, known to the host or not; null for Keyswitch itself. */
  readonly appId: string | null;
  welcome = $state.raw<WelcomeView | null>(null);
  session = $state.raw<SessionView | null>(null);
  change = $state.raw<{ readonly ticket: string; readonly username: string } | null>(null);
  ending = $state.raw<{ readonly reason: Ending; readonly place: string } | null>(null);
  reachable = $state(true);
  readonly page = $derived.by(() => {
    if (this.session !== null) return 'home';
    if (this.change !== null) return 'password-change';
    return this.welcome === null && this.reachable ? 'starting' : 'sign-in';
  });
  readonly appUnknown = $derived.by(
    () => this.appId !== null && this.welcome !== null && this.welcome.app === null,
  );
  /** What a person signs in at. */
  readonly place = $derived(this.welcome?.app?.name ?? 'Keyswitch');
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #memory: Memory;
  #reaching = false;

  constructor(appId: string | null, api: Api, clock: Clock, memory: Memory) {
    this.appId = appId;
    this.#api = api;
    this.#clock = clock;
    this.#memory = memory;
  }

  /** The user who signed in here last. */
  get lastUsername(): string {
    return this.#memory.getItem(USERNAME_KEY) ?? '';
  }

  /** Asks the host who it is and whether this page is signed in already, again and again until it answers. */
  reach(): void {
    if (this.#reaching) return;
    this.#reaching = true;
    void this.#attempt(0);
  }

  signedIn(session: SessionView): void {
    this.#memory.setItem(USERNAME_KEY, session.user.name);
    this.change = null;
    this.ending = null;
    this.session = session;
  }

  /** Back to the sign-in page, saying why; null where a person chose to go back. */
  leave(reason: Ending | null): void {
    this.ending = reason && { reason, place: this.session?.app?.name ?? this.place };
    this.session = null;
    this.change = null;
  }

  /** Whether `session` is one of this page's app; a page without an app takes any. */
  admits(session: SessionView): boolean {
    return this.appId === null || session.app?.id === this.appId;
  }

  async #attempt(count: number): Promise<void> {
    try {
      this.welcome = await this.#api.welcome(this.appId);
      const session = await this.#askSession();
      if (session !== null && this.admits(session) && this.change === null) this.signedIn(session);
      this.reachable = true;
      this.#reaching = false;
    } catch {
      this.reachable = false;
      this.#clock.after(backOffMs(count), () => void this.#attempt(count + 1));
    }
  }

  async #askSession(): Promise<SessionView | null> {
    try {
      return (await this.#api.session()).session;
    } catch (error) {
      if (isProblem(error, 'not-signed-in')) return null;
      throw error;
    }
  }
}
