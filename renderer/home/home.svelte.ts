/** Home: who is at the controls, how long still, and what goes on at the other apps and PLCs. */
import type { OverviewMessage, ServerMessage, SessionView } from '../../server/http/contract.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { Door, Ending } from '../shared/door.svelte.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import { Live } from '../shared/live.svelte.ts';
import type { Ports } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

const ATTENTION_MS = 2 * 60_000;
/** The host is told of activity at most this often. */
const ACTIVITY_MS = 60_000;

export class Home {
  session = $state.raw() as SessionView;
  overview = $state.raw<OverviewMessage | null>(null);
  readonly live: Live;
  readonly signingOut: Submission;
  readonly openedAt = $derived(Date.parse(this.session.openedAt));
  readonly limit = $derived.by(() => limitOf(this.session));
  readonly leftMs = $derived.by(() => Math.max(0, this.limit.at - this.#clock.now));
  readonly attention = $derived(this.leftMs < ATTENTION_MS);
  /** Of the whole time, 0 to 1. */
  readonly leftPart = $derived.by(() => this.leftMs / Math.max(this.#wholeMs(), this.leftMs, 1));
  readonly otherApps = $derived.by(() =>
    this.overview?.apps.filter((app) => app.id !== this.session.app?.id),
  );
  readonly #door: Door;
  readonly #api: Api;
  readonly #clock: HostClock;
  /** The longest idle time seen: what a renewal gives. */
  #idleSpanMs = $state(0);
  #activityToldAt = -Infinity;

  constructor(session: SessionView, door: Door, api: Api, ports: Ports, clock: HostClock) {
    this.session = session;
    this.#door = door;
    this.#api = api;
    this.#clock = clock;
    this.signingOut = new Submission(ports.clock);
    this.live = new Live(ports, api, clock, {
      request: { type: 'subscribe', topic: 'overview' },
      onMessage: (message) => this.#hear(message),
      onRefused: () => this.#door.leave(this.#likelyReason()),
    });
  }

  async signOut(): Promise<void> {
    await this.signingOut.run(async () => {
      try {
        await this.#api.signOut();
        this.#door.leave('signed-out');
      } catch (error) {
        if (!isProblem(error, 'not-signed-in')) throw error;
        this.#door.leave(this.#likelyReason());
      }
    });
  }

  /** Tells the host, now and then, that somebody is using the page. */
  noteActivity(): void {
    const now = this.#clock.read();
    if (this.session.idleExpiresAt === null || now - this.#activityToldAt < ACTIVITY_MS) return;
    if (this.live.send({ type: 'activity' })) this.#activityToldAt = now;
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'overview') this.overview = message;
    if (message.type !== 'session') return;
    if (message.session === null) this.#door.leave((message.reason ?? 'unknown') as Ending);
    else this.#renew(message.session);
  }

  #renew(session: SessionView): void {
    if (!this.#door.admits(session)) return this.#door.leave('unknown');
    this.session = session;
    if (session.idleExpiresAt === null) return;
    this.#idleSpanMs = Math.max(this.#idleSpanMs, Date.parse(session.idleExpiresAt) - this.#clock.read());
  }

  #wholeMs(): number {
    return this.limit.idle ? this.#idleSpanMs : this.limit.at - this.openedAt;
  }

  /** A session that ended while the connection was lost takes its reason with it; its limit may tell. */
  #likelyReason(): Ending {
    if (this.limit.at > this.#clock.read()) return 'unknown';
    return this.limit.idle ? 'idle' : 'time-limit';
  }
}

/** The end that comes first. */
function limitOf({ expiresAt, idleExpiresAt }: SessionView): { at: number; idle: boolean } {
  const absolute = Date.parse(expiresAt);
  const idle = idleExpiresAt === null ? Infinity : Date.parse(idleExpiresAt);
  return idle < absolute ? { at: idle, idle: true } : { at: absolute, idle: false };
}
