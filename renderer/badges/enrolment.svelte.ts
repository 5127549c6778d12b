/** A badge being enrolled: whose it is, its number, and what is printed on it. */
import type { BadgeRulesView, BadgeView, UserListItemView } from '../../server/http/contract.ts';
import type { Api, Problem } from '../shared/api.ts';
import type { Fault } from '../shared/fault.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import type { Scan } from '../shared/wedge.ts';

export interface BadgeFields {
  readonly userName: string;
  readonly badge: string;
  readonly label: string;
}

export type Field = keyof BadgeFields;
export type Faults = Readonly<Partial<Record<Field, Fault>>>;

/** As the host's contract has it. */
const LABEL_LIMIT = 64;

export class Enrolment {
  fields = $state.raw<BadgeFields>({ userName: '', badge: '', label: '' });
  /** How the number came: by the reader, or as something that is none; null where it was typed. */
  read = $state<'number' | 'nothing' | null>(null);
  readonly saving: Submission;
  readonly faults = $derived.by<Faults>(() =>
    this.#tried ? { ...this.#hostFaults, ...this.#faults() } : this.#hostFaults,
  );
  /** The host's problem, where no field says it already. */
  readonly problemElsewhere = $derived.by(
    () => this.saving.problem !== null && Object.keys(this.#hostFaults).length === 0,
  );
  /** Null until the host has told. */
  users = $state.raw<readonly UserListItemView[] | null>(null);
  #hostFaults = $state.raw<Faults>({});
  /** What was typed is judged once saving was tried, not while it is still being typed. */
  #tried = $state(false);
  readonly #api: Api;
  readonly #minLength: number;

  constructor(api: Api, clock: Clock, { minLength }: Pick<BadgeRulesView, 'minLength'>) {
    this.#api = api;
    this.#minLength = minLength;
    this.saving = new Submission(clock);
  }

  get hasWork(): boolean {
    return Object.values(this.fields).some((text) => text !== '');
  }

  type(change: Partial<BadgeFields>): void {
    this.fields = { ...this.fields, ...change };
    if (change.badge !== undefined) this.read = null;
    const left = Object.entries(this.#hostFaults).filter(([field]) => !(field in change));
    this.#hostFaults = Object.fromEntries(left);
  }

  scanned(scan: Scan): void {
    if (this.saving.sending) return;
    if (scan !== null) this.type({ badge: scan });
    this.read = scan === null ? 'nothing' : 'number';
  }

  /** Enrols it, unless a field has a fault; what was typed stays until it is done. */
  async save(): Promise<BadgeView | null> {
    this.#tried = true;
    this.#hostFaults = {};
    if (Object.keys(this.faults).length > 0) return null;
    let badge: BadgeView | null = null;
    await this.saving.run(async () => {
      const { userName, badge: number, label } = this.fields;
      badge = await this.#api.addBadge({
        userName: this.#nameOf(userName),
        badge: number,
        label: label.trim(),
      });
    });
    if (this.saving.problem !== null) this.#hostFaults = faultsFrom(this.saving.problem, this.fields);
    return badge;
  }

  /** The name as the host writes it. */
  #nameOf(typed: string): string {
    return this.#userOf(typed)?.name ?? typed.trim();
  }

  /** Letter case tells users apart; where it does not, nobody needs to mind it. */
  #userOf(typed: string): UserListItemView | undefined {
    const wanted = typed.trim();
    const alike = (this.users ?? []).filter(({ name }) => name.toLowerCase() === wanted.toLowerCase());
    return alike.find(({ name }) => name === wanted) ?? (alike.length === 1 ? alike[0] : undefined);
  }

  #faults(): Faults {
    const { userName, badge, label } = this.fields;
    const isUnknown = this.users !== null && this.#userOf(userName) === undefined;
    return {
      ...(userName.trim() === ''
        ? { userName: { key: 'badges.fault.userMissing' } as const }
        : isUnknown && { userName: { key: 'badges.fault.userUnknown' } as const }),
      ...(badge.trim().length < this.#minLength && {
        badge: { key: 'badges.fault.short', values: { min: this.#minLength } } as const,
      }),
      ...(label.trim().length > LABEL_LIMIT && { label: { key: 'badges.fault.labelLong' } as const }),
    };
  }
}

/** Puts what the host refused at the fields that it is about. */
function faultsFrom({ code, detail, faultsByField }: Problem, fields: BadgeFields): Faults {
  if (code === 'already-exists') return { badge: { key: 'badges.fault.taken' } };
  if (code === 'not-found') return { userName: { key: 'badges.fault.userUnknown' } };
  if (code === 'forbidden') return { userName: { text: detail } };
  const known = [...faultsByField].filter(([field]) => field in fields);
  return Object.fromEntries(known.map(([field, text]) => [field, { text }]));
}
