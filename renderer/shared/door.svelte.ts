/** The way in and out of this page: where it signs in, who is signed in, and why nobody is any more. */
import { backOffMs } from '../../clients/js/src/back-off.ts';
import type {
  EmergencyAuthenticationView,
  ProblemView,
  SessionView,
  WelcomeView,
} from '../../server/http/contract.ts';
import type { EndReason } from '../../server/sessions/session.ts';
import { isProblem, type Api } from './api.ts';
import type { Clock, Memory } from './ports.ts';

/** A password that must be replaced before signing in. */
export interface Change {
  readonly ticket: string;
  readonly username: string;
  readonly why: NonNullable<ProblemView['why']>;
}

/** Why the sign-in page is back: what the host said, or what the page knows. */
export type Ending = EndReason | 'unknown' | 'ticket';

/** What covers a page whose person has to sign in again, or hands over. */
export interface Pause {
  /** Why the session is over; null while it lives. */
  readonly reason: Ending | null;
  /** Another person is to come in, and the first stays until they have. */
  readonly handover: boolean;
}

const USERNAME_KEY = 'keyswitch.username';
/** Where the page that waits for its person was signed in: a reload must not hide that it is locked. */
const LOCKED_KEY = 'keyswitch.locked';

export class Door {
  /** The app asked for in the address, known to the host or not; null for Keyswitch itself. */
  readonly appId: string | null;
  welcome = $state.raw<WelcomeView | null>(null);
  session = $state.raw<SessionView | null>(null);
  change = $state.raw<Change | null>(null);
  ending = $state.raw<{ readonly reason: Ending; readonly place: string } | null>(null);
  /** The page is covered, and waits as it is for the same person. */
  pause = $state.raw<Pause | null>(null);
  /** Another person has signed in (by a badge, say) where somebody's work waits: whether it may be lost is still to be said. */
  stranger = $state.raw<SessionView | null>(null);
  /** An emergency sign-in whose new envelope is not sealed yet. */
  unsealed = $state.raw<EmergencyAuthenticationView | null>(null);
  /** Counts the people who came in; a person who comes back to the page they left is not counted again. */
  visits = $state(0);
  /** Another person is here than the one before. */
  isNewcomer = false;
  reachable = $state(true);
  readonly page = $derived.by(() => {
    if (this.unsealed !== null) return 'envelope';
    if (this.change !== null) return 'password-change';
    if (this.session !== null) return 'home';
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
  readonly #hasWork: () => boolean;
  #reaching = false;
  #formerUserId: string | null = null;

  /** `hasWork`: whether another person's page would lose something of the present one. */
  constructor(
    appId: string | null,
    api: Api,
    clock: Clock,
    memory: Memory,
    hasWork: () => boolean = () => false,
  ) {
    this.appId = appId;
    this.#api = api;
    this.#clock = clock;
    this.#memory = memory;
    this.#hasWork = hasWork;
    const place = memory.getItem(LOCKED_KEY);
    if (place !== null) this.ending = { reason: 'screen-locked', place };
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

  /** Lets a person in: to the page that waits for them, or to a new one; asks first where that would lose work. */
  signedIn(session: SessionView): void {
    // A handover has asked before.
    const waits = this.pause !== null && !this.pause.handover;
    if (waits && session.user.id !== this.session?.user.id && this.#hasWork()) {
      this.change = null;
      this.stranger = session;
    } else this.#letIn(session);
  }

  /** Lets in the person who has signed in where somebody's work waits, and loses that. */
  takeOver(): void {
    if (this.stranger !== null) this.#letIn(this.stranger);
  }

  #letIn(session: SessionView): void {
    const returns = this.pause !== null && session.user.id === this.session?.user.id;
    const former = this.session?.user.id ?? this.#formerUserId;
    // The name of an emergency account is no help to the next one who signs in.
    if (this.unsealed === null) this.#memory.setItem(USERNAME_KEY, session.user.name);
    this.#memory.removeItem(LOCKED_KEY);
    this.isNewcomer = former !== null && former !== session.user.id;
    this.change = null;
    this.ending = null;
    this.pause = null;
    this.stranger = null;
    this.unsealed = null;
    if (!returns) this.visits += 1;
    this.session = session;
  }

  /** The page stays where it is until the same person has signed in again. */
  wait(reason: Ending | null): void {
    this.pause = { reason, handover: this.pause?.handover ?? false };
    if (reason === 'screen-locked') this.#memory.setItem(LOCKED_KEY, this.#placeOfSession());
  }

  /** Another person may come in; until they have, the present one stays signed in. */
  handOver(): void {
    this.pause = { reason: null, handover: true };
  }

  /** A person thinks better of it: back to the page, or where the session is over, to the way in again. */
  goOn(): void {
    if (this.pause === null) return;
    const { reason } = this.pause;
    this.pause = reason === null ? null : { reason, handover: false };
  }

  /** Back to the sign-in page, saying why; null where a person chose to go back. */
  leave(reason: Ending | null): void {
    if (this.change !== null && this.pause !== null) {
      this.change = null;
      if (reason !== null) this.wait(reason);
      return;
    }
    this.ending = reason && { reason, place: this.#placeOfSession() };
    this.#memory.removeItem(LOCKED_KEY);
    this.#formerUserId = this.session?.user.id ?? this.#formerUserId;
    this.session = null;
    this.change = null;
    this.pause = null;
    this.stranger = null;
  }

  /** Asks again what the host says of itself, as nobody in particular. */
  async welcomeAgain(): Promise<WelcomeView> {
    this.welcome = await this.#api.welcome(this.appId, 'as-nobody');
    return this.welcome;
  }

  /** Takes over a session that another tab of this browser has opened meanwhile. */
  async look(): Promise<void> {
    const isClosed = this.session === null || (this.pause !== null && this.pause.reason !== null);
    if (!isClosed || this.change !== null || this.unsealed !== null || this.welcome === null) return;
    const session = await this.#askSession().catch(() => null);
    const stillClosed = this.session === null || this.pause !== null;
    if (session === null || !stillClosed || this.change !== null || !this.admits(session)) return;
    if (this.pause === null || session.user.id === this.session?.user.id) this.signedIn(session);
  }

  /** Whether `session` is one of this page's app; a page without an app takes any. */
  admits(session: SessionView): boolean {
    return this.appId === null || session.app?.id === this.appId;
  }

  #placeOfSession(): string {
    return this.session?.app?.name ?? this.place;
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
      this.#clock.after(
        backOffMs(count, () => 0),
        () => void this.#attempt(count + 1),
      );
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
