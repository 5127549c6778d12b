/** The way in when no other one works: the code of the sealed envelope, and why. */
import type { Api } from '../shared/api.ts';
import type { Door } from '../shared/door.svelte.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';
import type { Clock } from '../shared/ports.ts';
import { Submission } from '../shared/submission.svelte.ts';
import { missingCharacters, spell } from './code.ts';

/** As the host demands it. */
const REASON_LENGTH = 3;

export class EmergencyAccess {
  code = $state('');
  reason = $state('');
  /** What is wrong with what was typed, and in which field. */
  fault = $state.raw<{ readonly field: 'code' | 'reason'; readonly key: MessageKey } | null>(null);
  readonly submission: Submission;
  readonly missing = $derived.by(() => missingCharacters(this.code));
  readonly #door: Door;
  readonly #api: Api;

  constructor(door: Door, api: Api, clock: Clock) {
    this.#door = door;
    this.#api = api;
    this.submission = new Submission(clock);
  }

  /** Whether there is anything that leaving would lose. */
  get hasWork(): boolean {
    return this.code !== '' || this.reason.trim() !== '';
  }

  async submit(): Promise<void> {
    this.code = spell(this.code);
    this.fault = this.#fault();
    if (this.fault !== null) return;
    await this.submission.run(() => this.#signIn());
    const { problem } = this.submission;
    if (problem?.code === 'invalid-input' && problem.faultsByField.has('secret'))
      this.fault = { field: 'code', key: 'emergency.codeMistyped' };
    if (problem?.code === 'sign-in-refused') this.fault = { field: 'code', key: 'emergency.codeRefused' };
  }

  #fault(): typeof this.fault {
    if (this.code === '') return { field: 'code', key: 'emergency.codeMissing' };
    if (this.missing > 0) return { field: 'code', key: 'emergency.codeShort' };
    if (this.missing < 0) return { field: 'code', key: 'emergency.codeLong' };
    const isTold = this.reason.trim().length >= REASON_LENGTH;
    return isTold ? null : { field: 'reason', key: 'emergency.reasonMissing' };
  }

  async #signIn(): Promise<void> {
    const { appId } = this.#door;
    this.#door.unsealed = await this.#api.emergencySignIn({
      secret: this.code,
      reason: this.reason.trim(),
      ...(appId === null ? {} : { appId }),
    });
  }
}
