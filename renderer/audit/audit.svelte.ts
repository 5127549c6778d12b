/** The audit page: what it shows, how it is narrowed down, and the entry that is open. */
import type { AuditEntryView } from '../../server/http/contract.ts';
import type { Api } from '../shared/api.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import { EVERYTHING, isFiltered, isInOrder, type Filter } from './filter.ts';
import { TrailStatus } from './trail-status.svelte.ts';
import { Trail } from './trail.svelte.ts';

/** What is typed is looked for when the typing rests. */
const TYPING_MS = 400;

export type ExportFormat = 'csv' | 'jsonl';

export class Audit {
  filter = $state.raw<Filter>(EVERYTHING);
  opened = $state.raw<AuditEntryView | null>(null);
  exportStarted = $state(false);
  readonly trail: Trail;
  readonly status: TrailStatus;
  readonly exporting: Submission;
  readonly filtered = $derived.by(() => isFiltered(this.filter));
  readonly inOrder = $derived.by(() => isInOrder(this.filter));
  readonly #api: Api;
  readonly #clock: Clock;
  #cancelTyping = (): void => {};
  /** Up to here it is known whether there is something newer. */
  #lookedAtSeq = 0;

  constructor(filter: Filter, api: Api, ports: { readonly clock: Clock }, clock: HostClock) {
    this.filter = filter;
    this.#api = api;
    this.#clock = ports.clock;
    this.trail = new Trail(api, clock);
    this.status = new TrailStatus(api, ports.clock);
    this.exporting = new Submission(ports.clock);
  }

  async start(): Promise<void> {
    await Promise.all([this.#load(), this.status.load()]);
  }

  stop(): void {
    this.#cancelTyping();
    this.status.stop();
  }

  /** Narrows down anew, at once. */
  change(change: Partial<Filter>): void {
    this.#cancelTyping();
    this.filter = { ...this.filter, ...change };
    void this.#load();
  }

  /** Narrows down by what is being typed. */
  type(change: Partial<Filter>): void {
    this.#cancelTyping();
    this.filter = { ...this.filter, ...change };
    this.#cancelTyping = this.#clock.after(TYPING_MS, () => void this.#load());
  }

  showAll(): void {
    this.change(EVERYTHING);
  }

  /** Looks whether the trail has grown, and by how much of what is shown here. */
  async refresh(): Promise<void> {
    await this.status.load();
    const lastSeq = this.status.now?.lastSeq ?? 0;
    if (lastSeq <= this.#lookedAtSeq) return;
    await this.trail.lookForNewer();
    this.#lookedAtSeq = lastSeq;
  }

  async showNewer(): Promise<void> {
    await this.trail.showNewer();
  }

  /** Opens the entry `by` rows further down. */
  move(by: number): void {
    const { entries } = this.trail;
    const at = entries.findIndex(({ seq }) => seq === this.opened?.seq);
    const to = entries[at + by];
    if (at >= 0 && to !== undefined) this.opened = to;
    if (at + by >= entries.length - 1) void this.trail.older();
  }

  /** Where the browser downloads what is filtered. */
  exportAddress(format: ExportFormat): string {
    return `/api/v1/audit/export?${[`format=${format}`, this.trail.query].filter(Boolean).join('&')}`;
  }

  /** Lets `download` run if the host answers: a download that fails would say so nowhere on the page. */
  async export(download: () => void): Promise<void> {
    this.exportStarted = false;
    await this.exporting.run(async () => {
      await this.#api.auditStatus();
      download();
      this.exportStarted = true;
    });
  }

  async #load(): Promise<void> {
    // Otherwise the page says what is wrong, and shows what it had.
    if (this.inOrder) await this.trail.load(this.filter);
  }
}
