/** The sessions that live, one's own or everyone's, kept fresh, and ended one by one or all at once. */
import type { SessionListView } from '../../server/http/contract.ts';
import { isProblem, Problem, type Api } from '../shared/api.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export type Scope = 'mine' | 'everyone';
export type SessionRow = SessionListView[number];
/** What is asked to be ended and waits for a yes: one session, or all others. */
export type Choice = { readonly id: string } | 'others';

export class SessionList {
  /** Null until the host has told; the last known ones while it does not answer. */
  rows = $state.raw<readonly SessionRow[] | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Ended by the latest *End all others*; null before and after. */
  endedCount = $state<number | null>(null);
  choice = $state.raw<Choice | null>(null);
  readonly ending: Submission;
  readonly others = $derived.by(() => (this.rows ?? []).filter((row) => !row.own));
  #scope = $state<Scope>('mine');
  readonly #api: Api;
  #loading = false;
  #stale = false;

  constructor(api: Api, clock: Clock) {
    this.#api = api;
    this.ending = new Submission(clock);
  }

  get scope(): Scope {
    return this.#scope;
  }

  set scope(scope: Scope) {
    if (scope === this.#scope) return;
    this.#scope = scope;
    this.rows = null;
    this.cancel();
    this.refresh();
  }

  /** Asks the host again: at once, or with the next look at the news where an answer is on its way. */
  refresh(): void {
    this.noteNews();
    this.catchUp();
  }

  /** Something has changed; it may come many times a second. */
  noteNews(): void {
    this.#stale = true;
  }

  /** Asks the host again if there is news. */
  catchUp(): void {
    if (this.#stale && !this.#loading) void this.#load();
  }

  choose(choice: Choice): void {
    this.choice = choice;
    this.endedCount = null;
    this.ending.problem = null;
  }

  cancel(): void {
    this.choice = null;
    this.ending.problem = null;
  }

  isChosen({ id }: SessionRow): boolean {
    return this.choice !== null && this.choice !== 'others' && this.choice.id === id;
  }

  /** Ends what was chosen. */
  async end(): Promise<void> {
    const { choice } = this;
    if (choice === null) return;
    await this.ending.run(async () => {
      if (choice === 'others') this.endedCount = (await this.#api.endOtherSessions(this.#scope)).ended;
      else await this.#endOne(choice.id);
      this.choice = null;
      this.refresh();
    });
  }

  async #endOne(id: string): Promise<void> {
    try {
      await this.#api.endSession(id);
    } catch (error) {
      // It has ended by itself meanwhile: what was wanted is so.
      if (!isProblem(error, 'not-found')) throw error;
    }
    this.rows = (this.rows ?? []).filter((row) => row.id !== id);
  }

  async #load(): Promise<void> {
    const scope = this.#scope;
    this.#loading = true;
    this.#stale = false;
    try {
      const rows = await this.#api.sessions(scope === 'everyone');
      if (scope === this.#scope) this.rows = inOrder(rows);
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
    }
    this.#loading = false;
    if (scope !== this.#scope) this.refresh();
  }
}

/** One's own first, then the latest; the order of a row never changes. */
function inOrder(rows: readonly SessionRow[]): SessionRow[] {
  return rows.toSorted(
    (a, b) =>
      Number(b.own) - Number(a.own) || b.openedAt.localeCompare(a.openedAt) || a.id.localeCompare(b.id),
  );
}
