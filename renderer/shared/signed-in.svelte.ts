/** What every page of a signed-in person stands on: the session and how long still, the live overview, the way out. */
import { createContext } from 'svelte';
import type { OverviewMessage, ServerMessage, SessionView } from '../../server/http/contract.ts';
import { isProblem } from './api.ts';
import type { Ending } from './door.svelte.ts';
import { Live } from './live.svelte.ts';
import type { Shell } from './shell.ts';
import { Submission } from './submission.svelte.ts';

const ATTENTION_MS = 2 * 60_000;
/** The host is told of activity at most this often. */
const ACTIVITY_MS = 60_000;
/** After these endings the same person cannot, or does not want to, go on where they were. */
const FINAL: readonly Ending[] = ['signed-out', 'user-disabled', 'station-left'];

export type SignedInNeeds = Pick<
  Shell,
  'alarm' | 'api' | 'clock' | 'desktop' | 'door' | 'line' | 'ports' | 'router'
>;

export const [getSignedIn, setSignedIn] = createContext<SignedIn>();

export class SignedIn {
  session = $state.raw() as SessionView;
  /** Null until the host has told; a new object after every change of sessions, apps or links. */
  overview = $state.raw<OverviewMessage | null>(null);
  /** When the session of the page ended that waits. */
  endedAt = $state(0);
  readonly live: Live;
  readonly signingOut: Submission;
  readonly locking: Submission;
  readonly isAdministrator = $derived(this.session.user.type === 'Admin');
  /** Came in by an envelope: there is no password to come in by again. */
  readonly isEmergency = $derived.by(() =>
    this.#needs.alarm.emergencies.some(({ user }) => user === this.session.user.name),
  );
  readonly openedAt = $derived(Date.parse(this.session.openedAt));
  /** The desktop, which knows of every key and touch on the computer, counts down to the idle limit. */
  readonly isIdleCounted = $derived.by(() => this.#countedMs() !== null);
  readonly limit = $derived.by(() => this.#findLimit());
  readonly leftMs = $derived.by(() => Math.max(0, this.limit.at - this.#needs.clock.now));
  /** The end is near: in the last two minutes, or in the last half of a limit that is shorter than four. */
  readonly attention = $derived.by(
    () => this.isIdleCounted || this.leftMs < Math.min(ATTENTION_MS, this.#wholeMs() / 2),
  );
  /** Of the whole time, 0 to 1. */
  readonly leftPart = $derived.by(() => this.leftMs / Math.max(this.#wholeMs(), this.leftMs, 1));
  readonly #needs: SignedInNeeds;
  /** The longest idle time seen: what a renewal gives. */
  #idleSpanMs = $state(0);
  #activityToldAt = -Infinity;

  constructor(session: SessionView, needs: SignedInNeeds) {
    const { ports, clock, line } = needs;
    this.session = session;
    this.#needs = needs;
    this.signingOut = new Submission(ports.clock);
    this.locking = new Submission(ports.clock);
    this.live = new Live(line, clock, {
      topic: { topic: 'overview' },
      onMessage: (message) => this.#hear(message),
      onRefused: () => this.#end(this.#likelyReason()),
    });
  }

  /** Follows `session` from now on: the first one, or that of the same person signed in again. */
  enter(session: SessionView): void {
    this.live.stop();
    this.session = session;
    this.#activityToldAt = -Infinity;
    this.#noteIdleSpan(session);
    // The host takes a connection for that of whoever was signed in when it was made.
    this.#needs.line.identityChanged();
    this.live.start();
  }

  stop(): void {
    this.live.stop();
    this.#needs.alarm.emergencies = [];
  }

  async signOut(): Promise<void> {
    const { api, door } = this.#needs;
    await this.signingOut.run(async () => {
      try {
        await api.signOut();
        door.leave('signed-out');
      } catch (error) {
        if (!isProblem(error, 'not-signed-in')) throw error;
        door.leave(this.#likelyReason());
      }
    });
  }

  /** Ends the session at once; the page waits for the same person. */
  async lock(): Promise<void> {
    const { api, door } = this.#needs;
    // Over already, or on its way in again.
    if (door.pause !== null && door.pause.reason !== null) return;
    await this.locking.run(async () => {
      try {
        await api.lock();
        this.#end('screen-locked');
      } catch (error) {
        if (!isProblem(error, 'not-signed-in')) throw error;
        this.#end(this.#likelyReason());
      }
    });
  }

  /** Tells the host, now and then, that somebody is using the page. */
  noteActivity(): void {
    // A short limit is near its end before a minute has passed.
    const everyMs = Math.min(ACTIVITY_MS, this.#idleSpanMs / 10);
    if (this.#needs.clock.read() - this.#activityToldAt >= everyMs) this.stay();
  }

  /** Starts the idle limit anew; the absolute limit stays. */
  stay(): void {
    if (this.session.idleExpiresAt === null) return;
    if (this.live.noteActivity()) this.#activityToldAt = this.#needs.clock.read();
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'overview') {
      this.overview = message;
      this.#needs.alarm.emergencies = message.emergencies;
    }
    if (message.type !== 'session') return;
    if (message.session === null) this.#end((message.reason ?? 'unknown') as Ending);
    else this.#renew(message.session);
  }

  #renew(session: SessionView): void {
    if (!this.#needs.door.admits(session)) return this.#end('unknown');
    this.session = session;
    this.#noteIdleSpan(session);
  }

  #noteIdleSpan({ idleExpiresAt }: SessionView): void {
    if (idleExpiresAt === null) return;
    this.#idleSpanMs = Math.max(this.#idleSpanMs, Date.parse(idleExpiresAt) - this.#needs.clock.read());
  }

  /** Leaves, unless the page may wait for the same person: locked it always does, otherwise for what was typed. */
  #end(reason: Ending): void {
    const { door, router } = this.#needs;
    // The host closes the connection after the reason: it has nothing to add.
    this.live.stop();
    if (door.session?.id !== this.session.id) return;
    this.endedAt = this.#needs.clock.read();
    const waits = reason === 'screen-locked' || router.hasWork || door.pause !== null;
    if (waits && !this.isEmergency && !FINAL.includes(reason)) door.wait(reason);
    else door.leave(reason);
  }

  /** What the desktop tells is about the user at its station. */
  #countedMs(): number | null {
    const { bridge, idleLeftMs } = this.#needs.desktop;
    return this.session.app?.id === bridge?.stationAppId ? idleLeftMs : null;
  }

  #findLimit(): { at: number; idle: boolean } {
    const countedMs = this.#countedMs();
    if (countedMs === null) return limitOf(this.session);
    return { at: this.#needs.clock.now + countedMs, idle: true };
  }

  #wholeMs(): number {
    return this.limit.idle ? this.#idleSpanMs : this.limit.at - this.openedAt;
  }

  /** A session that ended while the connection was lost takes its reason with it; its limit may tell. */
  #likelyReason(): Ending {
    if (this.limit.at > this.#needs.clock.read()) return 'unknown';
    return this.limit.idle ? 'idle' : 'time-limit';
  }
}

/** The end that comes first. */
function limitOf({ expiresAt, idleExpiresAt }: SessionView): { at: number; idle: boolean } {
  const absolute = Date.parse(expiresAt);
  const idle = idleExpiresAt === null ? Infinity : Date.parse(idleExpiresAt);
  return idle < absolute ? { at: idle, idle: true } : { at: absolute, idle: false };
}
