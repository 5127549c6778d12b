/** The audit trail as far as it is loaded: newest first, older ones as one scrolls, newer ones announced. */
import type { AuditEntryView } from '../../server/http/contract.ts';
import { Problem, type Api } from '../shared/api.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import { filterToQuery, newerQuery, pageQuery, type Filter } from './filter.ts';

/** Asked for at a time. */
export const PAGE_ENTRIES = 100;
/** A search that finds little goes on by itself for so long, then says how far it has come. */
const SEARCH_MS = 1500;
/** The host's clock may have run a little ahead of what this page thinks it is. */
const MARGIN_MS = 60_000;

/** Entries that came in since; `more` where there are more of them than were counted. */
export interface Newer {
  readonly count: number;
  readonly more: boolean;
}

export class Trail {
  entries = $state.raw<readonly AuditEntryView[]>([]);
  /** What is on its way: everything anew, or what is older. */
  loading = $state.raw<'first' | 'older' | null>(null);
  problem = $state.raw<Problem | null>(null);
  /** Nothing here has to wait before it is tried again. */
  readonly waitSec = 0;
  /** Milliseconds since the epoch: older entries have not been looked at; null where a page was found full. */
  searchedBackTo = $state.raw<number | null>(null);
  newer = $state.raw<Newer | null>(null);
  /** Has been loaded at least once. */
  known = $state(false);
  readonly hasOlder = $derived.by(() => this.#next !== null);
  readonly #api: Api;
  readonly #clock: HostClock;
  #query = '';
  #next = $state.raw<number | null>(null);
  #loadedAt = 0;
  /** Counts what was asked for, so that an answer to something else is dropped. */
  #turn = 0;

  constructor(api: Api, clock: HostClock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** The filter as it was asked for, with its times fixed. */
  get query(): string {
    return this.#query;
  }

  /** Starts over with the newest; what was shown stays until they have come. */
  async load(filter: Filter): Promise<void> {
    this.#loadedAt = this.#clock.read();
    this.#query = filterToQuery(filter, this.#loadedAt);
    const turn = this.#turn + 1;
    await this.#fetch('first');
    // What was shown is not what is asked for now.
    if (turn === this.#turn && this.problem !== null) this.#forget();
  }

  /** Does once more what has failed. */
  async retry(filter: Filter): Promise<void> {
    await (this.known ? this.searchFurther() : this.load(filter));
  }

  /** Loads what is older, unless a search had to stop: then a person says whether it goes on. */
  async older(): Promise<void> {
    if (this.searchedBackTo === null && this.problem === null) await this.searchFurther();
  }

  /** Loads what is older whatever the search has cost already. */
  async searchFurther(): Promise<void> {
    if (this.hasOlder && this.loading === null) await this.#fetch('older');
  }

  /** Counts what has come in since, without touching what is shown; fails without a word. */
  async lookForNewer(): Promise<void> {
    if (this.loading !== null || !this.known) return;
    const turn = this.#turn;
    const page = await this.#api.audit(this.#newerQuery()).catch(() => null);
    if (page === null || turn !== this.#turn) return;
    const count = page.entries.filter(({ seq }) => seq > this.#newestSeq).length;
    this.newer = count === 0 ? null : { count, more: count === PAGE_ENTRIES };
  }

  /** Starts over at the top, with what has come in. */
  async showNewer(): Promise<void> {
    await this.#fetch('first');
  }

  get #newestSeq(): number {
    return this.entries[0]?.seq ?? 0;
  }

  async #fetch(what: 'first' | 'older'): Promise<void> {
    const turn = ++this.#turn;
    this.loading = what;
    await this.#guard(turn, async () => {
      const since = this.#clock.read();
      let before = what === 'first' ? null : this.#next;
      let found = 0;
      do {
        const page = await this.#api.audit(pageQuery(this.#query, PAGE_ENTRIES, before));
        if (turn !== this.#turn) return;
        this.#take(page.entries, what === 'first' && before === null);
        found += page.entries.length;
        before = this.#next = page.next;
        const isFull = page.next === null || found >= PAGE_ENTRIES;
        this.searchedBackTo = isFull || page.searchedBackTo === null ? null : Date.parse(page.searchedBackTo);
      } while (this.searchedBackTo !== null && this.#clock.read() - since < SEARCH_MS);
    });
  }

  #forget(): void {
    this.entries = [];
    this.#next = null;
    this.searchedBackTo = null;
    this.newer = null;
    this.known = false;
  }

  #take(entries: readonly AuditEntryView[], anew: boolean): void {
    this.entries = anew ? entries : [...this.entries, ...entries];
    this.known = true;
    if (anew) this.newer = null;
  }

  async #guard(turn: number, work: () => Promise<void>): Promise<void> {
    this.problem = null;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (turn === this.#turn) this.problem = error;
    } finally {
      if (turn === this.#turn) this.loading = null;
    }
  }

  /** Only the end of the trail: what is older is known, and must not be searched again every few seconds. */
  #newerQuery(): string {
    const newest = this.entries[0];
    const since = newest === undefined ? this.#loadedAt : Math.min(Date.parse(newest.at), this.#loadedAt);
    return newerQuery(this.#query, PAGE_ENTRIES, since - MARGIN_MS);
  }
}
