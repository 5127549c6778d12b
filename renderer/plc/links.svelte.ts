/** The links page: the links as they are now, and which is open beside them. */
import type { LinkStatus } from '../../clients/js/src/messages.ts';
import type { Api } from '../shared/api.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import { Live, type Line } from '../shared/live.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import { LinkSheet } from './link-sheet.svelte.ts';

/** `Pump 2` before `Pump 10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

/** What is to be open next: a link, a new one, or none. */
export type Next = LinkStatus | 'add' | null;

export class Links {
  /** Null until the host has told. */
  statuses = $state.raw<readonly LinkStatus[] | null>(null);
  sheet = $state.raw<LinkSheet | null>(null);
  readonly live: Live;
  /** Getting a link's definition, to open it. */
  readonly opening: Submission;
  /** By app, then by PLC and word: no row moves while its link is the same. */
  readonly rows = $derived.by(() =>
    (this.statuses ?? []).toSorted((a, b) => ORDER.compare(this.#sortKey(a), this.#sortKey(b))),
  );
  /** The link in the sheet as it is now. */
  readonly opened = $derived.by(() => {
    const id = this.sheet?.link?.id;
    return this.statuses?.find((status) => status.id === id) ?? null;
  });
  /** What waits for the answer to "discard?"; undefined where nothing does. */
  #waiting: Next | undefined;
  #wanted: string | null = null;
  readonly #api: Api;
  readonly #ports: { readonly clock: Clock };
  readonly #appName: (appId: string) => string;

  constructor(
    api: Api,
    ports: { readonly clock: Clock },
    clock: HostClock,
    line: Line,
    appName: (appId: string) => string,
  ) {
    this.#api = api;
    this.#ports = ports;
    this.#appName = appName;
    this.opening = new Submission(ports.clock);
    this.live = new Live(line, clock, {
      topic: { topic: 'plc' },
      onMessage: (message) => {
        if (message.type === 'plc') this.statuses = message.links;
      },
    });
  }

  /** Since when nothing has been heard, milliseconds since the epoch; null while the news is live. */
  get staleSince(): number | null {
    return this.live.state === 'lost' ? this.live.heardAt : null;
  }

  /** Whether the sheet holds something that leaving would lose. */
  get holdsChanges(): boolean {
    return this.sheet !== null && this.sheet.changed.length > 0;
  }

  /** Opens `next` instead of what is open; asks first where that would lose something. */
  async go(next: Next): Promise<void> {
    if (isLink(next) && next.id === this.sheet?.link?.id) return;
    if (this.sheet !== null && this.holdsChanges) {
      this.#waiting = next;
      this.sheet.ask('discard');
      return;
    }
    await this.#open(next);
  }

  /** Drops what was typed and goes where the question came up. */
  async discard(): Promise<void> {
    this.sheet?.discard();
    await this.#open(this.#waiting ?? null);
  }

  async #open(next: Next): Promise<void> {
    this.#waiting = undefined;
    this.#wanted = isLink(next) ? next.id : null;
    if (!isLink(next)) {
      this.sheet = next === null ? null : this.#newSheet(null);
      return;
    }
    // A second click while the first is on its way: the last one counts.
    await this.opening.run(async () => {
      const links = await this.#api.links();
      const link = links.find(({ id }) => id === this.#wanted);
      if (link !== undefined) this.sheet = this.#newSheet(link);
    });
  }

  #newSheet(link: LinkSheet['link']): LinkSheet {
    return new LinkSheet(link, this.#api, this.#ports.clock, (id) => this.#forget(id));
  }

  #forget(id: string): void {
    this.statuses = this.statuses?.filter((status) => status.id !== id) ?? null;
    this.sheet = null;
  }

  #sortKey({ appId, connection, area, address, id }: LinkStatus): string {
    return [this.#appName(appId), connection, area, address, id].join(' ');
  }
}

function isLink(next: Next): next is LinkStatus {
  return typeof next === 'object' && next !== null;
}
