/** The users page: the list as it is searched, and who is open beside it. */
import type { EmergencyAccountView, UserListItemView } from '../../server/http/contract.ts';
import type { Api } from '../shared/api.ts';
import type { HostClock } from '../shared/host-clock.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import { UserSheet, type Purpose } from './user-sheet.svelte.ts';

/** What the list can be narrowed to. */
export const NARROWINGS = ['locked', 'secret', 'disabled', 'administrators', 'emergency'] as const;
export type Narrowing = (typeof NARROWINGS)[number];

/** `Pump 2` before `Pump 10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

/** What is to be open next: somebody, somebody new, or nobody. */
export type Next = UserListItemView | Exclude<Purpose, 'change'> | null;

export class Users {
  /** Null until the host has told. */
  list = $state.raw<readonly UserListItemView[] | null>(null);
  emergencies = $state.raw<readonly EmergencyAccountView[]>([]);
  search = $state('');
  narrowings = $state.raw<readonly Narrowing[]>([]);
  sheet = $state.raw<UserSheet | null>(null);
  readonly loading: Submission;
  readonly shown = $derived.by(() => this.#filter(this.narrowings));
  /** The user in the sheet as the list has them now. */
  readonly opened = $derived.by(
    () =>
      (this.sheet?.purpose === 'change' && this.list?.find(({ name }) => name === this.sheet?.username)) ||
      null,
  );
  /** What waits for the answer to "discard?"; undefined where nothing does. */
  #waiting: Next | undefined;
  #outdated = false;
  readonly #api: Api;
  readonly #ports: { readonly clock: Clock };
  readonly #clock: HostClock;

  constructor(api: Api, ports: { readonly clock: Clock }, clock: HostClock) {
    this.#api = api;
    this.#ports = ports;
    this.#clock = clock;
    this.loading = new Submission(ports.clock);
  }

  /** Asks the host for the list; the one before stays until it has come. */
  readonly load = async (): Promise<void> => {
    this.#outdated = true;
    // What is on its way may be from before the change that this is called for.
    if (this.loading.sending) return;
    while (this.#outdated) {
      this.#outdated = false;
      await this.loading.run(() => this.#fetch());
    }
  };

  /** How many a narrowing would leave of those who are found now. */
  count(narrowing: Narrowing): number {
    return this.#filter([...this.narrowings.filter((other) => other !== narrowing), narrowing]).length;
  }

  toggle(narrowing: Narrowing): void {
    const without = this.narrowings.filter((other) => other !== narrowing);
    this.narrowings = without.length < this.narrowings.length ? without : [...without, narrowing];
  }

  showAll(): void {
    this.search = '';
    this.narrowings = [];
  }

  isLocked({ lock }: UserListItemView): boolean {
    return lock !== null && (lock.until === null || Date.parse(lock.until) > this.#clock.now);
  }

  /** Whether the sheet holds something that leaving would lose. */
  get holds(): 'secret' | 'changes' | null {
    if (this.sheet === null) return null;
    if (this.sheet.secret !== null) return 'secret';
    return this.sheet.changed.length > 0 ? 'changes' : null;
  }

  /** Opens `next` instead of what is open; asks first where that would lose something. */
  go(next: Next): void {
    if (this.holds === 'secret') return;
    if (isUser(next) && this.sheet?.purpose === 'change' && this.sheet.username === next.name) return;
    if (this.holds === 'changes') {
      this.#waiting = next;
      if (this.sheet !== null) this.sheet.question = 'discard';
      return;
    }
    this.#open(next);
  }

  /** Drops what was typed and goes where the question came up. */
  discard(): void {
    this.#open(this.#waiting ?? null);
  }

  /** The secret is in the person's hands: back to the user, or to the list after adding one. */
  confirmSecret(): void {
    this.sheet?.confirmSecret();
    if (this.sheet?.purpose !== 'change') this.#open(null);
  }

  async #fetch(): Promise<void> {
    const [list, emergencies] = await Promise.all([this.#api.users(), this.#api.emergencyAccounts()]);
    this.list = list.toSorted((a, b) => ORDER.compare(a.name, b.name));
    this.emergencies = emergencies;
  }

  #open(next: Next): void {
    this.#waiting = undefined;
    if (next === null) {
      this.sheet = null;
      return;
    }
    const [purpose, user] = isUser(next) ? (['change', next] as const) : ([next, null] as const);
    this.sheet = new UserSheet(purpose, user, this.#api, this.#ports.clock, this.load);
  }

  #filter(narrowings: readonly Narrowing[]): UserListItemView[] {
    const words = this.search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    return (this.list ?? []).filter((user) => {
      const text = `${user.name} ${user.displayName}`.toLocaleLowerCase();
      return (
        words.every((word) => text.includes(word)) &&
        narrowings.every((narrowing) => this.#is(narrowing, user))
      );
    });
  }

  #is(narrowing: Narrowing, user: UserListItemView): boolean {
    switch (narrowing) {
      case 'locked':
        return this.isLocked(user);
      case 'secret':
        return user.password === 'one-time';
      case 'disabled':
        return !user.enabled;
      case 'administrators':
        return user.type === 'Admin' && !user.emergency;
      case 'emergency':
        return user.emergency;
    }
  }
}

function isUser(next: Next): next is UserListItemView {
  return typeof next === 'object' && next !== null;
}
