/** Stateful reconnect: what was sent is kept until it is acknowledged, and what comes twice is taken once. */
import type { Payload } from '../outbox.ts';
import { hubFault, isNumbered, TYPE, type HubMessage } from './messages.ts';

/** Both directions number their messages from 1 on, each on its own, across reconnects (HubProtocol.md). */
export class Replay {
  readonly #maxBytes: number;
  #unacknowledged: Payload[] = [];
  #bytes = 0;
  #firstId = 1;
  #received = 0;
  #nextId = 1;
  #told = 0;
  #isAligned = true;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether as much is kept as may be: what is new has to wait. */
  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Keeps a numbered message that is being sent. */
  keep(payload: Payload): void {
    this.#unacknowledged.push(payload);
    this.#bytes += payload.length;
  }

  /** Lets go of what the client has received. */
  acknowledged(sequenceId: number): void {
    const count = Math.min(sequenceId - this.#firstId + 1, this.#unacknowledged.length);
    if (count <= 0) return;
    for (const payload of this.#unacknowledged.splice(0, count)) this.#bytes -= payload.length;
    this.#firstId += count;
  }

  /** Begins anew on another transport: what is to be sent, after a sequence message with the number of the first. */
  resume(): { readonly firstId: number; readonly payloads: readonly Payload[] } {
    this.#isAligned = false;
    return { firstId: this.#firstId, payloads: [...this.#unacknowledged] };
  }

  /** Whether what came is to be acted on: it is not, where it came before. */
  takes(message: HubMessage): boolean {
    if (message.type === TYPE.sequence) {
      if (message.sequenceId > this.#received + 1)
        throw hubFault('messages before this sequence are missing');
      this.#nextId = message.sequenceId;
      this.#isAligned = true;
      return false;
    }
    if (!this.#isAligned) return false;
    if (!isNumbered(message)) return true;
    const id = this.#nextId;
    this.#nextId += 1;
    if (id <= this.#received) return false;
    this.#received = id;
    return true;
  }

  /** How far messages were received, where the client has not been told yet; null otherwise. */
  acknowledgement(): number | null {
    if (this.#told === this.#received) return null;
    this.#told = this.#received;
    return this.#received;
  }
}
