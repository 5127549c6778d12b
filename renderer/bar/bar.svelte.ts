/** What the bar shows of the station: who is at its controls and how long still; and their way out. */
import { isProblem } from '../shared/api.ts';
import type { Live } from '../shared/live.svelte.ts';
import type { Shell } from '../shared/shell.ts';
import type { Submission } from '../shared/submission.svelte.ts';
import { AtTheControls } from '../sign-in/at-the-controls.svelte.ts';

export type BarNeeds = Pick<Shell, 'api' | 'clock' | 'desktop' | 'line' | 'ports'>;

export class Bar {
  readonly live: Live;
  /** Signing out or locking. */
  readonly leaving: Submission;
  /** The host has told who is there. */
  readonly isKnown = $derived.by(() => this.#controls.current !== null);
  /** Whoever is at the controls; null while nobody is. */
  readonly user = $derived.by(() => {
    const state = this.#controls.current;
    return state?.authenticated ? state.displayName || state.user : null;
  });
  readonly leftMs = $derived.by(() => Math.max(0, this.#until() - this.#needs.clock.now));
  /** Of the whole time, 0 to 1. */
  readonly leftPart = $derived.by(() => {
    const openedAt = Date.parse(this.#controls.current?.openedAt ?? '');
    return Math.min(1, this.leftMs / Math.max(1, this.#until() - openedAt)) || 0;
  });
  readonly #needs: BarNeeds;
  readonly #controls: AtTheControls;

  constructor(needs: BarNeeds) {
    const { api, clock, desktop, line, ports } = needs;
    this.#needs = needs;
    this.#controls = new AtTheControls(desktop.bridge?.stationAppId ?? '', api, ports, line, clock);
    this.live = this.#controls.live;
    this.leaving = this.#controls.signingOut;
  }

  async signOut(): Promise<void> {
    await this.#controls.signOut();
  }

  /** Ends the session; the window's page waits. Whoever signed in elsewhere than in the window is signed out. */
  async lock(): Promise<void> {
    const { api, desktop } = this.#needs;
    await this.leaving.run(async () => {
      try {
        await api.lock();
      } catch (error) {
        if (!isProblem(error, 'not-signed-in')) throw error;
        await api.signOutApp(desktop.bridge?.stationAppId ?? '');
      }
    });
  }

  #until(): number {
    return Date.parse(this.#controls.current?.expiresAt ?? '');
  }
}
