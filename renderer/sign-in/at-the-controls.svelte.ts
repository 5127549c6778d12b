/** Who is at the controls of this page's app, told to a page that is not signed in, and their sign-out. */
import type { AppStateView } from '../../server/http/contract.ts';
import type { Api } from '../shared/api.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import { Live, type Line } from '../shared/live.svelte.ts';
import type { Ports } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export class AtTheControls {
  /** Null until the host has told. */
  current = $state.raw<AppStateView | null>(null);
  readonly live: Live;
  readonly signingOut: Submission;
  readonly #api: Api;
  readonly #appId: string;

  constructor(appId: string, api: Api, ports: Ports, line: Line, clock: HostClock) {
    this.#appId = appId;
    this.#api = api;
    this.signingOut = new Submission(ports.clock);
    this.live = new Live(line, clock, {
      topic: { topic: 'app', appId },
      onMessage: (message) => {
        if (message.type === 'app') this.current = message.state;
      },
    });
  }

  async signOut(): Promise<void> {
    await this.signingOut.run(async () => {
      await this.#api.signOutApp(this.#appId);
    });
  }
}
