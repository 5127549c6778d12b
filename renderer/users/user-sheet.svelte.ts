/** One user beside the list: being added or changed, and the secret that is shown once. */
import type { SealedView, UserListItemView } from '../../server/http/contract.ts';
import type { Api } from '../shared/api.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import {
  changedFields,
  changeOf,
  faultsFrom,
  faultsIn,
  fieldsOf,
  minutes,
  NO_FIELDS,
  type Field,
  type Faults,
  type UserFields,
} from './user-fields.ts';

/** What is shown this once, and never again. */
export interface Secret {
  readonly kind: 'one-time' | 'sealed';
  readonly username: string;
  readonly secret: string;
  /** Milliseconds since the epoch; null for a sealed one, which has no end. */
  readonly expiresAt: number | null;
}

export type Purpose = 'change' | 'add' | 'add-emergency';

/** What is asked back before it is done. */
export type Question = 'reset' | 'seal' | 'discard';

export class UserSheet {
  readonly purpose: Purpose;
  fields = $state.raw<UserFields>(NO_FIELDS);
  secret = $state.raw<Secret | null>(null);
  question = $state.raw<Question | null>(null);
  /** Said once after a change that the form alone would not show. */
  done = $state.raw<'saved' | 'unlocked' | null>(null);
  readonly saving: Submission;
  readonly acting: Submission;
  readonly changed = $derived.by(() => changedFields(this.#before, this.fields));
  readonly faults = $derived.by<Faults>(() =>
    this.#tried ? { ...this.#hostFaults, ...faultsIn(this.#checked) } : this.#hostFaults,
  );
  readonly busy = $derived.by(() => this.saving.sending || this.acting.sending);
  #before = $state.raw<UserFields>(NO_FIELDS);
  #hostFaults = $state.raw<Faults>({});
  #placed = $state(false);
  /** What was typed is judged once saving was tried, not while it is still being typed. */
  #tried = $state(false);
  readonly #api: Api;
  readonly #reload: () => Promise<void>;

  /** `user` is null where one is added; `reload` brings the list up to date. */
  constructor(
    purpose: Purpose,
    user: UserListItemView | null,
    api: Api,
    clock: Clock,
    reload: () => Promise<void>,
  ) {
    this.purpose = purpose;
    this.#api = api;
    this.#reload = reload;
    this.saving = new Submission(clock);
    this.acting = new Submission(clock);
    if (user !== null) this.#startFrom(fieldsOf(user));
  }

  get username(): string {
    return this.#before.name;
  }

  /** The host's problem, unless a field says it already. */
  get problemElsewhere(): boolean {
    return this.saving.problem !== null && !this.#placed;
  }

  type(change: Partial<UserFields>): void {
    this.fields = { ...this.fields, ...change };
    this.done = null;
    const typed = Object.keys(change) as Field[];
    const left = Object.entries(this.#hostFaults).filter(([field]) => !typed.includes(field as Field));
    this.#hostFaults = Object.fromEntries(left);
  }

  /** Saves what was typed, unless a field has a fault; whatever happens, it stays. */
  async save(): Promise<void> {
    this.#tried = true;
    this.#hostFaults = {};
    this.question = null;
    this.done = null;
    if (Object.keys(this.faults).length > 0) return;
    const { fields } = this;
    await this.saving.run(() => this.#send(fields));
    if (this.saving.problem === null) return;
    this.#hostFaults = faultsFrom(this.saving.problem, fields);
    this.#placed = Object.keys(this.#hostFaults).length > 0;
  }

  /** Makes a one-time secret; whoever is signed in with the password before is signed out. */
  async resetPassword(): Promise<void> {
    await this.#act(async () => {
      const { username, oneTimeSecret, expiresAt } = await this.#api.resetPassword(this.username);
      this.#show({ kind: 'one-time', username, secret: oneTimeSecret, expiresAt: Date.parse(expiresAt) });
    });
  }

  /** Makes a new code for the envelope; the one before opens nothing any more. */
  async seal(): Promise<void> {
    await this.#act(async () => this.#showSealed(await this.#api.sealEmergencyAccount(this.username)));
  }

  async unlock(): Promise<void> {
    await this.#act(async () => {
      await this.#api.unlockUser(this.username);
      this.done = 'unlocked';
    });
  }

  /** The person has the secret: it is gone from the page. */
  confirmSecret(): void {
    this.secret = null;
  }

  /** Takes back what was typed and not saved. */
  discard(): void {
    this.#startFrom(this.#before);
  }

  async #send(fields: UserFields): Promise<void> {
    const { name, displayName, type, limit } = fields;
    const names = { name, ...(displayName.trim() !== '' && { displayName: displayName.trim() }) };
    switch (this.purpose) {
      case 'change':
        await this.#api.changeUser(name, changeOf(this.#before, fields));
        this.done = 'saved';
        break;
      case 'add': {
        const added = await this.#api.addUser({ ...names, type, logoutTimeInMin: minutes(limit) });
        const { oneTimeSecret: secret, oneTimeSecretExpiresAt: end } = added;
        if (secret !== undefined && end !== undefined)
          this.#show({ kind: 'one-time', username: added.name, secret, expiresAt: Date.parse(end) });
        break;
      }
      case 'add-emergency':
        this.#showSealed(await this.#api.addEmergencyAccount(names));
    }
    this.#startFrom({ ...fields, displayName: displayName.trim() || name });
    void this.#reload();
  }

  async #act(work: () => Promise<void>): Promise<void> {
    this.question = null;
    this.done = null;
    await this.acting.run(async () => {
      await work();
      void this.#reload();
    });
  }

  #showSealed({ username, secret }: SealedView): void {
    this.#show({ kind: 'sealed', username, secret, expiresAt: null });
  }

  #show(secret: Secret): void {
    this.secret = secret;
  }

  #startFrom(fields: UserFields): void {
    this.#before = fields;
    this.fields = fields;
    this.#tried = false;
    this.#hostFaults = {};
    this.question = null;
  }

  /** A user who is there already keeps the name, whatever it looks like to the rules of today. */
  get #checked(): UserFields {
    return this.purpose === 'change' ? { ...this.fields, name: 'known' } : this.fields;
  }
}
