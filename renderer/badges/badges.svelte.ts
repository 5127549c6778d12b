/** The badges page: the list as it is searched, and what is open beside it. */
import type { BadgeRulesView, BadgeView } from '../../server/http/contract.ts';
import type { Api } from '../shared/api.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import { Enrolment } from './enrolment.svelte.ts';

/** What the list can be narrowed to. */
export const NARROWINGS = ['good', 'revoked'] as const;
export type Narrowing = (typeof NARROWINGS)[number];

/** What is to be open next: a badge, a new one, or nothing. */
export type Next = BadgeView | 'enrol' | null;

/** `Pump 2` before `Pump 10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

export class Badges {
  /** Null until the host has told. */
  list = $state.raw<readonly BadgeView[] | null>(null);
  search = $state('');
  narrowing = $state<Narrowing | null>(null);
  enrolment = $state.raw<Enrolment | null>(null);
  question = $state<'revoke' | 'discard' | null>(null);
  /** Said once of the badge that is open. */
  done = $state<'enrolled' | 'revoked' | null>(null);
  readonly loading: Submission;
  readonly revoking: Submission;
  readonly shown = $derived.by(() => this.#filter(this.narrowing));
  /** The badge in the sheet as the list has it now. */
  readonly opened = $derived.by(() => this.list?.find(({ id }) => id === this.#openedId) ?? null);
  #openedId = $state<string | null>(null);
  /** What waits for the answer to "discard?". */
  #waiting: Next = null;
  readonly #api: Api;
  readonly #clock: Clock;
  readonly #rules: BadgeRulesView;

  constructor(api: Api, clock: Clock, rules: BadgeRulesView) {
    this.#api = api;
    this.#clock = clock;
    this.#rules = rules;
    this.loading = new Submission(clock);
    this.revoking = new Submission(clock);
  }

  /** Asks the host for the list; the one before stays until it has come. */
  readonly load = async (): Promise<void> => {
    await this.loading.run(async () => {
      const list = await this.#api.badges();
      this.list = list.toSorted(inOrder);
    });
  };

  /** Whether leaving the sheet would lose something. */
  get holds(): boolean {
    return this.enrolment?.hasWork ?? false;
  }

  /** How many a narrowing would leave of those who are found now. */
  count(narrowing: Narrowing): number {
    return this.#filter(narrowing).length;
  }

  toggle(narrowing: Narrowing): void {
    this.narrowing = this.narrowing === narrowing ? null : narrowing;
  }

  showAll(): void {
    this.search = '';
    this.narrowing = null;
  }

  /** Opens `next` instead of what is open; asks first where that would lose something. */
  go(next: Next): void {
    if (this.enrolment !== null && next === 'enrol') return;
    if (this.holds) {
      this.#waiting = next;
      this.question = 'discard';
      return;
    }
    this.#open(next);
  }

  /** Drops what was typed and goes where the question came up. */
  discard(): void {
    this.#open(this.#waiting);
  }

  /** Enrols what was typed, and opens it. */
  async enrol(): Promise<void> {
    this.question = null;
    const badge = (await this.enrolment?.save()) ?? null;
    if (badge === null) return;
    this.list = [...(this.list ?? []), badge].toSorted(inOrder);
    this.#open(badge);
    this.done = 'enrolled';
  }

  /** Revokes the badge that is open, for good. */
  async revoke(): Promise<void> {
    const badge = this.opened;
    if (badge === null) return;
    this.question = null;
    this.done = null;
    await this.revoking.run(async () => {
      await this.#api.revokeBadge(badge.id);
      this.done = 'revoked';
    });
    await this.load();
  }

  #open(next: Next): void {
    this.#waiting = null;
    this.question = null;
    this.done = null;
    this.revoking.forget();
    this.enrolment = null;
    this.#openedId = next === 'enrol' ? null : (next?.id ?? null);
    if (next === 'enrol') void this.#beginEnrolment();
  }

  /** Without the list of users the host alone knows who there is. */
  async #beginEnrolment(): Promise<void> {
    const enrolment = new Enrolment(this.#api, this.#clock, this.#rules);
    this.enrolment = enrolment;
    const users = await this.#api.users().catch(() => null);
    enrolment.users = users?.filter(({ emergency }) => !emergency) ?? null;
  }

  #filter(narrowing: Narrowing | null): BadgeView[] {
    const words = this.search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return (this.list ?? []).filter((badge) => {
      const text = `${badge.userName} ${badge.displayName} ${badge.label}`.toLocaleLowerCase();
      const isNarrow = narrowing === null || (narrowing === 'revoked') === (badge.revokedAt !== null);
      return isNarrow && words.every((word) => text.includes(word));
    });
  }
}

/** By user, and of one user the latest first. */
function inOrder(a: BadgeView, b: BadgeView): number {
  return ORDER.compare(a.userName, b.userName) || Date.parse(b.enrolledAt) - Date.parse(a.enrolledAt);
}
