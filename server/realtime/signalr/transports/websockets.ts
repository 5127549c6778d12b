/** WebSockets: both directions over one socket, text or bytes as the protocol of the hub has it. */
import { CLOSE } from '../../close-codes.ts';
import type { Payload } from '../../outbox.ts';
import type { AcceptedSocket } from '../../sockets.ts';
import type { Carried, Ending, Traits, Transport } from '../transport.ts';

const TRAITS: Traits = { isBinary: true, keepsAlive: false, opensLate: false, isDuplex: true };

/** Codes and reasons; the message before says more, and a reason has room for 123 bytes only. */
const CLOSES: Readonly<Record<Ending, readonly [code: number, reason: string]>> = {
  done: [1000, ''],
  'bad-message': [CLOSE.badMessage, 'mend what the last message says, and connect again'],
  'too-slow': [CLOSE.tooSlow, 'read faster, and connect again'],
  silent: [CLOSE.tooSlow, 'send a ping every 15 s, and connect again'],
  stopping: [CLOSE.goingAway, 'the host is stopping'],
  defect: [CLOSE.internal, 'the host could not answer; connect again'],
};

/** Keeps what comes until it is known whose it is. */
export class SocketTransport implements Transport {
  readonly traits = TRAITS;
  readonly #socket: AcceptedSocket;
  #carried: Carried | null = null;
  #early: Buffer[] = [];
  #isGone = false;

  constructor(socket: AcceptedSocket) {
    this.#socket = socket;
    socket.onMessage((data) => this.#receive(typeof data === 'string' ? Buffer.from(data) : data));
    socket.onDrained(() => this.#carried?.drained(this));
    socket.onGone(() => {
      this.#isGone = true;
      this.#carried?.lost(this);
    });
  }

  /** Serves `carried` from now on; `already-exists` where another transport has it. */
  carry(carried: Carried): void {
    carried.attach(this);
    this.#carried = carried;
    for (const bytes of this.#early.splice(0)) carried.receive(this, bytes);
    if (this.#isGone) carried.lost(this);
  }

  write(payload: Payload): void {
    this.#socket.write(payload);
  }

  get isBehind(): boolean {
    return this.#socket.isBehind;
  }

  end(ending: Ending): void {
    this.#socket.close(...CLOSES[ending]);
    // Whoever does not read would not read the end either.
    if (ending === 'too-slow') this.#socket.terminate();
  }

  #receive(bytes: Buffer): void {
    if (this.#carried === null) this.#early.push(bytes);
    else this.#carried.receive(this, bytes);
  }
}
