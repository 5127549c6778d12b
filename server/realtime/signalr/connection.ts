/** One SignalR connection as a state machine: bytes and transports come in, messages go out; it knows no socket. */
import { isKeyswitchError, KeyswitchError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { createOutbox, type Line, type Outbox, type Payload } from '../outbox.ts';
import type { Places } from '../places.ts';
import { textFraming, type Framing } from './framing.ts';
import { HANDSHAKE_DONE, handshakeRefused, readHandshake } from './handshake.ts';
import type { Hub, HubClient, HubSession } from './hub.ts';
import { jsonProtocol } from './json-protocol.ts';
import { hubFault, TYPE, type Close, type HubProtocol, type Invocation } from './messages.ts';
import { Replay } from './replay.ts';
import type { Carried, Ending, Transport } from './transport.ts';

export interface ConnectionNeeds {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  /** WebSockets hold a place there already; what is without one holds its own. */
  readonly places: Places;
  /** Calls back once, when it is over. */
  onClosed(connection: Connection): void;
}

export interface ConnectionOptions {
  readonly maxMessageBytes: number;
  readonly maxBehindMs: number;
}

export interface Opening {
  /** Public. */
  readonly id: string;
  /** Secret: who has it is the client. */
  readonly token: string;
  /** The key that the client has shown. */
  readonly key: string | null;
  /** The client asks to keep its state when its transport is lost. */
  readonly isStateful: boolean;
  readonly address: string | null;
  /** A place was taken for it. */
  readonly hasPlace: boolean;
}

/** The defaults of the official servers, which the clients' own defaults go with. */
const PING_MS = 15_000;
const SILENCE_MS = 30_000;
const HANDSHAKE_MS = 15_000;
/** How long a connection without a transport is kept. */
const ABSENCE_MS = 15_000;
/** What is kept for a client that reconnects with its state; the official servers keep as much. */
const REPLAY_BYTES = 100_000;

/**
 * `waiting` for its first transport, `shaking-hands`, `open`, or `away`: without a transport, which the client may
 * replace. `closed` is for good.
 */
type Phase = 'waiting' | 'shaking-hands' | 'open' | 'away' | 'closed';

export class Connection implements Carried, HubClient, Line {
  readonly id: string;
  readonly token: string;
  key: string | null;
  protocol: HubProtocol = jsonProtocol;
  readonly #needs: ConnectionNeeds;
  readonly #options: ConnectionOptions;
  readonly #isStateful: boolean;
  readonly #address: string | null;
  #hasPlace: boolean;
  #phase: Phase = 'waiting';
  #since: number;
  #heardAt = 0;
  #saidAt = 0;
  #transport: Transport | null = null;
  #framing: Framing | null = null;
  #outbox: Outbox | null = null;
  #session: HubSession | null = null;
  #replay: Replay | null = null;

  constructor(needs: ConnectionNeeds, options: ConnectionOptions, opening: Opening) {
    this.#needs = needs;
    this.#options = options;
    this.id = opening.id;
    this.token = opening.token;
    this.key = opening.key;
    this.#isStateful = opening.isStateful;
    this.#address = opening.address;
    this.#hasPlace = opening.hasPlace;
    this.#since = needs.clock.monotonic();
  }

  /** Goes on over `transport`; `already-exists` where another one is in use. */
  attach(transport: Transport): void {
    if (this.#phase === 'waiting') {
      this.#transport = transport;
      this.#framing = textFraming(this.#options.maxMessageBytes);
      if (transport.traits.isDuplex) this.#givePlaceBack();
      this.#enter('shaking-hands');
    } else if (this.#replay !== null && transport.traits.isDuplex && this.#phase !== 'closed') {
      this.#resume(transport, this.#replay);
    } else {
      throw new KeyswitchError('already-exists', 'This connection is in use already. Negotiate another one.');
    }
  }

  /** Takes what came by POST; false where the transport is none that goes with it. */
  takePosted(bytes: Buffer): boolean {
    if (this.#transport?.traits.isDuplex !== false) return false;
    this.receive(this.#transport, bytes);
    return true;
  }

  receive(transport: Transport, bytes: Buffer): void {
    // Of a transport that was replaced something may still be on its way.
    if (transport !== this.#transport) return;
    this.#heardAt = this.#needs.clock.monotonic();
    try {
      this.#framing?.append(bytes);
      for (let message = this.#framing?.next(); message; message = this.#framing?.next()) this.#take(message);
    } catch (error) {
      this.#refuse(error);
    }
  }

  drained(transport: Transport): void {
    if (transport === this.#transport && !this.isBehind) this.#outbox?.drained();
  }

  lost(transport: Transport): void {
    if (transport !== this.#transport) return;
    this.#transport = null;
    if (this.#replay === null || !this.#takePlace()) this.#finish();
    else this.#enter('away');
  }

  /** The client ends it by other means than a message. */
  hangUp(): void {
    this.#end('done');
  }

  /** Sees, about every second, what has taken too long and what is to be said from time to time. */
  tick(now: number): void {
    const inPhase = now - this.#since;
    if (this.#phase === 'waiting' || this.#phase === 'away') {
      if (inPhase >= ABSENCE_MS) this.#finish();
    } else if (this.#phase === 'shaking-hands') {
      // The official client takes the end of a stream that it has given up for the end of the one that it has, and
      // does not recover: such a stream is let be.
      if (inPhase >= HANDSHAKE_MS && this.#transport?.traits.opensLate === false)
        this.#refuse(hubFault('the handshake did not come in time'));
    } else if (this.#phase === 'open') {
      this.#acknowledge();
      if (this.#transport?.traits.keepsAlive === false) this.#keepAlive(now);
    }
  }

  post(subject: string, make: () => Payload): void {
    this.#outbox?.post(subject, make);
  }

  fail(): void {
    this.#close({ error: 'The host could not answer.' }, 'defect');
  }

  /** Closes because the host stops: the client may come back. */
  stop(): void {
    if (this.#phase === 'open')
      this.#close({ error: 'The host is stopping.', allowReconnect: true }, 'stopping');
    else this.#end('stopping');
  }

  /** Sends a numbered message, or keeps it until the client is back. */
  write(payload: Payload): void {
    this.#replay?.keep(payload);
    this.#say(payload);
  }

  get isBehind(): boolean {
    if (this.#replay?.isFull === true) return true;
    return this.#transport === null ? this.#replay === null : this.#transport.isBehind;
  }

  /** Ends it over being behind for too long. */
  drop(): void {
    this.#needs.log.info({ connection: this.id }, 'a subscriber that reads too slowly was dropped');
    this.#close({ error: 'You read too slowly. Connect again.', allowReconnect: true }, 'too-slow');
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#since = this.#needs.clock.monotonic();
  }

  #takePlace(): boolean {
    this.#hasPlace = this.#needs.places.take(this.#address) === 'taken';
    return this.#hasPlace;
  }

  #givePlaceBack(): void {
    if (this.#hasPlace) this.#needs.places.giveBack(this.#address);
    this.#hasPlace = false;
  }

  #say(payload: Payload): void {
    this.#saidAt = this.#needs.clock.monotonic();
    this.#transport?.write(payload);
  }

  #take(message: Buffer): void {
    if (this.#phase === 'shaking-hands') this.#shakeHands(message);
    else this.#act(message);
  }

  #shakeHands(message: Buffer): void {
    const { protocol, version } = readHandshake(message);
    const { isBinary, isDuplex } = (this.#transport as Transport).traits;
    if (protocol.isBinary && !isBinary) throw hubFault(`${protocol.name} needs a transport for bytes`);
    const early = this.#framing?.rest();
    this.protocol = protocol;
    this.#framing = protocol.framing(this.#options.maxMessageBytes);
    if (early !== undefined) this.#framing.append(early);
    if (this.#isStateful && isDuplex && version >= 2) this.#replay = new Replay(REPLAY_BYTES);
    this.#outbox = createOutbox(this, this.#needs, this.#options);
    this.#enter('open');
    this.#say(protocol.isBinary ? Buffer.from(HANDSHAKE_DONE) : HANDSHAKE_DONE);
    this.#session = this.#needs.hub.connected(this);
  }

  #act(bytes: Buffer): void {
    const message = this.protocol.decode(bytes);
    if (message === null || this.#replay?.takes(message) === false) return;
    switch (message.type) {
      case TYPE.invocation:
      case TYPE.streamInvocation:
        this.#invoke(message);
        break;
      case TYPE.ack:
        this.#replay?.acknowledged(message.sequenceId);
        if (!this.isBehind) this.#outbox?.drained();
        break;
      case TYPE.close:
        this.#end('done');
        break;
      // Pings are heard by having come; parts of streams belong to no method that we have.
    }
  }

  #invoke({ type, invocationId, target, arguments: args }: Invocation): void {
    const error = type === TYPE.streamInvocation ? NO_STREAM : this.#call(target, args);
    if (invocationId !== undefined) {
      const completion = { type: TYPE.completion, invocationId, ...(error !== null && { error }) };
      this.post(`completion of ${invocationId}`, () => this.protocol.encode(completion));
    } else if (error !== null) {
      // Nobody waits for an answer, and a client that is told nothing would wait for changes for ever.
      this.#close({ error }, 'bad-message');
    }
  }

  /** Answers what went wrong, in the words that the official servers have for it; null where nothing did. */
  #call(target: string, args: readonly unknown[]): string | null {
    try {
      this.#session?.invoke(target, args);
      return null;
    } catch (error) {
      const failed = `An unexpected error occurred invoking '${target}' on the server.`;
      if (isKeyswitchError(error)) return `${failed} HubException: ${error.message}`;
      this.#needs.log.error({ err: error }, 'a call of a SignalR client failed');
      return failed;
    }
  }

  #resume(transport: Transport, replay: Replay): void {
    const former = this.#transport;
    this.#transport = transport;
    former?.end('done');
    this.#givePlaceBack();
    this.#framing = this.protocol.framing(this.#options.maxMessageBytes);
    this.#heardAt = this.#needs.clock.monotonic();
    this.#enter('open');
    const { firstId, payloads } = replay.resume();
    this.#say(this.protocol.encode({ type: TYPE.sequence, sequenceId: firstId }));
    for (const payload of payloads) this.#say(payload);
    this.drained(transport);
  }

  #acknowledge(): void {
    const sequenceId = this.#replay?.acknowledgement() ?? null;
    if (sequenceId !== null) this.#say(this.protocol.encode({ type: TYPE.ack, sequenceId }));
  }

  #keepAlive(now: number): void {
    if (now - this.#heardAt >= SILENCE_MS) {
      this.#close({ error: 'No sign of life came from you. Connect again.', allowReconnect: true }, 'silent');
    } else if (now - this.#saidAt >= PING_MS && !this.isBehind) {
      this.#say(this.protocol.encode({ type: TYPE.ping }));
    }
  }

  /** Ends it over what the client has sent, or over a defect of ours. */
  #refuse(error: unknown): void {
    if (!isKeyswitchError(error, 'hub-protocol')) {
      this.#needs.log.error({ err: error }, 'a message of a SignalR client failed');
      this.fail();
    } else if (this.#phase === 'shaking-hands') {
      this.#say(handshakeRefused(error.message));
      this.#end('bad-message');
    } else {
      this.#close({ error: error.message }, 'bad-message');
    }
  }

  #close(close: Omit<Close, 'type'> & { readonly error: string }, ending: Ending): void {
    if (this.#phase === 'open') this.#say(this.protocol.encode({ type: TYPE.close, ...close }));
    this.#end(ending);
  }

  #end(ending: Ending): void {
    this.#transport?.end(ending);
    this.#finish();
  }

  #finish(): void {
    if (this.#phase === 'closed') return;
    this.#enter('closed');
    this.#givePlaceBack();
    this.#transport = null;
    this.#framing = null;
    this.#replay = null;
    this.#outbox?.close();
    this.#session?.gone();
    this.#needs.onClosed(this);
  }
}

const NO_STREAM = 'No method of this hub is a stream. Invoke it instead.';
