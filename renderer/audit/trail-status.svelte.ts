/** How the audit trail is: verified or not, copied off the box, and whether there is room for more of it. */
import type { AuditStatusView } from '../../server/http/contract.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

/** While a verification runs, its progress is asked for so often. */
const PROGRESS_MS = 1000;

export class TrailStatus {
  /** Null until the host has told. */
  now = $state.raw<AuditStatusView | null>(null);
  /** The last answer is not the newest: the host did not answer again. */
  stale = $state(false);
  readonly verifying: Submission;
  readonly running = $derived.by(() => this.now?.verification.state === 'running');
  /** Of what is to be verified, 0 to 1. */
  readonly progress = $derived.by(() => {
    const { checked = 0, total = 0 } = this.now?.verification ?? {};
    return total === 0 ? 0 : Math.min(1, checked / total);
  });
  readonly #api: Api;
  readonly #clock: Clock;
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(api: Api, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
    this.verifying = new Submission(clock);
  }

  async load(): Promise<void> {
    try {
      this.now = await this.#api.auditStatus();
      this.stale = false;
    } catch {
      this.stale = true;
    }
    if (this.running) this.#follow();
  }

  /** Has the whole trail verified; one that runs already is followed. */
  async verify(): Promise<void> {
    await this.verifying.run(async () => {
      try {
        await this.#api.verifyAudit();
      } catch (error) {
        if (!isProblem(error, 'busy')) throw error;
      }
      await this.load();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #follow(): void {
    this.#cancel?.();
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(PROGRESS_MS, () => void this.load());
  }
}
