/** One link beside the list: being added or changed, tested, its default written, removed. */
import type { LinkTestView, LinkView } from '../../server/http/contract.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import {
  changedFields,
  faultsFrom,
  faultsIn,
  fieldsOf,
  linkOf,
  NO_FIELDS,
  type Fault,
  type Faults,
  type Field,
  type LinkFields,
} from './link-fields.ts';

/** What is asked back before it is done. */
export type Question = 'write-default' | 'remove' | 'discard';

export class LinkSheet {
  /** As the host has it; null while it is being added. */
  link = $state.raw<LinkView | null>(null);
  fields = $state.raw<LinkFields>(NO_FIELDS);
  question = $state.raw<Question | null>(null);
  /** What the latest test found, until something else is typed. */
  found = $state.raw<LinkTestView | null>(null);
  /** Said once after a change that the form alone would not show. */
  done = $state.raw<'saved' | 'default-written' | null>(null);
  readonly saving: Submission;
  readonly testing: Submission;
  readonly acting: Submission;
  readonly changed = $derived.by(() => changedFields(this.#before, this.fields));
  readonly busy = $derived.by(() => this.saving.sending || this.acting.sending);
  /** What is to be said at the fields now. */
  readonly faults = $derived.by<Faults>(() => ({
    ...this.#hostFaults,
    ...Object.fromEntries(
      Object.entries(faultsIn(this.fields)).filter(([field, fault]) => this.#isSaid(field as Field, fault)),
    ),
  }));
  #before = $state.raw<LinkFields>(NO_FIELDS);
  #hostFaults = $state.raw<Faults>({});
  #placed = $state.raw<Submission | null>(null);
  #left = $state.raw<readonly Field[]>([]);
  /** Saving or testing was tried: now everything is said. */
  #tried = $state(false);
  readonly #api: Api;
  readonly #onRemoved: (id: string) => void;

  /** `link` is null where one is added. */
  constructor(link: LinkView | null, api: Api, clock: Clock, onRemoved: (id: string) => void) {
    this.#api = api;
    this.#onRemoved = onRemoved;
    this.saving = new Submission(clock);
    this.testing = new Submission(clock);
    this.acting = new Submission(clock);
    this.#startFrom(link);
  }

  get adds(): boolean {
    return this.link === null;
  }

  /** Whether the fields say the problem of `submission` already. */
  isPlaced(submission: Submission): boolean {
    return this.#placed === submission;
  }

  type(change: Partial<LinkFields>): void {
    this.fields = { ...this.fields, ...change };
    this.done = null;
    this.found = null;
    this.testing.forget();
    const typed = Object.keys(change) as Field[];
    this.#left = this.#left.filter((field) => !typed.includes(field));
    const kept = Object.entries(this.#hostFaults).filter(([field]) => !typed.includes(field as Field));
    this.#hostFaults = Object.fromEntries(kept);
  }

  /** The field is done with for now: what is missing in it may be said. */
  leave(field: Field): void {
    if (!this.#left.includes(field) && this.fields[field] !== this.#before[field])
      this.#left = [...this.#left, field];
  }

  /** Saves what was typed, unless a field has a fault; whatever happens, it stays. */
  async save(): Promise<void> {
    if (!this.#check()) return;
    const { fields, link } = this;
    const input = linkOf(fields);
    await this.saving.run(async () => {
      const saved =
        link === null ? await this.#api.addLink(input) : await this.#api.changeLink(link.id, input);
      this.#startFrom(saved);
      this.done = 'saved';
    });
    this.#place(this.saving);
  }

  /** Looks for what is typed in the PLC, saved or not. */
  async test(): Promise<void> {
    if (!this.#check()) return;
    const { fields } = this;
    this.found = null;
    await this.testing.run(async () => {
      const found = await this.#api.testLink(linkOf(fields));
      // What has been typed meanwhile was not tested.
      if (changedFields(fields, this.fields).length === 0) this.found = found;
    });
    this.#place(this.testing);
  }

  /** Writes the default value; whoever is signed in at the app is signed out. */
  async writeDefault(): Promise<void> {
    await this.#act(async (id) => {
      await this.#api.writeLinkDefault(id);
      this.done = 'default-written';
    });
  }

  async remove(): Promise<void> {
    await this.#act(async (id) => {
      try {
        await this.#api.removeLink(id);
      } catch (error) {
        // Somebody else has removed it meanwhile: what was wanted is so.
        if (!isProblem(error, 'not-found')) throw error;
      }
      this.#onRemoved(id);
    });
  }

  ask(question: Question | null): void {
    this.question = question;
    this.acting.forget();
  }

  /** Takes back what was typed and not saved. */
  discard(): void {
    this.#startFrom(this.link);
  }

  /** Whether all is as it can be saved; if not, every fault is said from now on. */
  #check(): boolean {
    this.#tried = true;
    this.#hostFaults = {};
    this.#placed = null;
    this.question = null;
    this.done = null;
    return Object.keys(faultsIn(this.fields)).length === 0;
  }

  #place(submission: Submission): void {
    if (submission.problem === null) return;
    this.#hostFaults = faultsFrom(submission.problem);
    if (Object.keys(this.#hostFaults).length > 0) this.#placed = submission;
  }

  async #act(work: (id: string) => Promise<void>): Promise<void> {
    const { link } = this;
    if (link === null) return;
    this.done = null;
    await this.acting.run(() => work(link.id));
    this.question = null;
  }

  #startFrom(link: LinkView | null): void {
    this.link = link;
    this.#before = link === null ? NO_FIELDS : fieldsOf(link);
    this.fields = this.#before;
    this.#tried = false;
    this.#left = [];
    this.#hostFaults = {};
    this.question = null;
  }

  #isSaid(field: Field, fault: Fault): boolean {
    const unfinished = 'unfinished' in fault && fault.unfinished === true;
    return this.#tried || !unfinished || this.#left.includes(field);
  }
}
