/** One's own PIN, which signs in together with a badge: the rules as they are met, and a new one. */
import { brokenPinRules, LONGEST_PIN, type PinRule } from '../../server/badges/pin-rules.ts';
import { isProblem, type Api } from '../shared/api.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import { mayBeSent, type Rule } from '../shared/password-rules.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';

export class OwnPin {
  currentPassword = $state('');
  newSecret = $state('');
  repetition = $state('');
  /** The PIN has just been set. */
  isSet = $state(false);
  /** What is wrong with what was typed, and in which field. */
  fault = $state.raw<{ readonly field: 'current' | 'new'; readonly key: MessageKey } | null>(null);
  readonly setting: Submission;
  readonly rules = $derived.by(() => this.#rules());
  readonly #api: Api;
  readonly #minLength: number;

  constructor(minLength: number, api: Api, clock: Clock) {
    this.#api = api;
    this.#minLength = minLength;
    this.setting = new Submission(clock);
  }

  /** Whether there is anything that leaving would lose. */
  get hasWork(): boolean {
    return this.currentPassword !== '' || this.newSecret !== '' || this.repetition !== '';
  }

  /** Takes back what was typed, and how the last try ended. */
  forget(): void {
    this.currentPassword = this.newSecret = this.repetition = '';
    this.fault = null;
    this.setting.forget();
  }

  async set(): Promise<void> {
    this.isSet = false;
    this.fault = this.#fault();
    if (this.fault === null) await this.setting.run(() => this.#set());
  }

  #rules(): Rule[] {
    const broken = brokenPinRules(this.newSecret, this.#minLength);
    const isMet = (...rules: PinRule[]): boolean =>
      this.newSecret !== '' && !rules.some((rule) => broken.includes(rule));
    const count = [...this.newSecret].length;
    return [
      {
        key: 'pin.length',
        values: { min: this.#minLength, max: LONGEST_PIN, count },
        met: isMet('only-digits', 'min-length', 'max-length'),
      },
      { key: 'pin.notSimple', values: {}, met: isMet('not-simple') },
      { key: 'change.equal', values: {}, met: this.newSecret !== '' && this.newSecret === this.repetition },
    ];
  }

  #fault(): typeof this.fault {
    if (this.currentPassword === '') return { field: 'current', key: 'account.currentMissing' };
    return mayBeSent(this.rules) ? null : { field: 'new', key: 'pin.unmet' };
  }

  async #set(): Promise<void> {
    try {
      await this.#api.replacePin(this.currentPassword, this.newSecret);
    } catch (error) {
      if (isProblem(error, 'sign-in-refused')) this.fault = { field: 'current', key: 'account.currentWrong' };
      throw error;
    }
    this.forget();
    this.isSet = true;
  }
}
