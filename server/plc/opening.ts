/** Opens a connection to a PLC with nodes7: TCP, rack and slot (ISO), sizes (S7); what its bytes mean is the driver's to say. */
import NodeS7 from 'nodes7';
import type { PlcEndpoint } from './connection-string.ts';

/** What happens on the connection, from the first step to its end. */
export interface OpeningEvents {
  /** TCP stands; nodes7 asks for the CPU in its rack and slot. */
  reached(): void;
  heard(chunk: Buffer): void;
  failed(cause: unknown): void;
  /** The peer has closed, or its half only: it takes no more calls. */
  closed(): void;
}

/** The reference under which nodes7 asks for the sizes. */
export const SETUP_REFERENCE = 0;

/**
 * A nodes7 that connects once. nodes7 takes each chunk of the stream for one whole frame, heals connections by itself
 * late and in the background, and packs more items into a PDU than S7 allows; so it asks the two questions that open
 * a connection, and every event and every byte of the answers goes to the driver.
 */
export class Opening extends NodeS7 {
  readonly #events: OpeningEvents;

  constructor(events: OpeningEvents) {
    super({ silent: true });
    this.#events = events;
  }

  /** `patienceMs`: after which nodes7 gives up of its own accord; the driver's own limit is to come first. */
  open({ host, port, rack, slot }: PlcEndpoint, patienceMs: number): void {
    try {
      this.initiateConnection({ host, port, rack, slot, noDelay: true, timeout: patienceMs });
    } catch (cause) {
      this.#events.failed(cause);
    }
  }

  /** Takes the whole frame in which the peer confirmed the ISO connection: nodes7 asks for the sizes. */
  confirm(frame: Buffer): void {
    super.onISOConnectReply(frame);
  }

  /** The sizes are known. */
  opened(): void {
    clearTimeout(this.PDUTimeout);
  }

  send(frame: Buffer): void {
    this.isoclient?.write(frame);
  }

  /** Ends the connection, `abruptly` with a reset. */
  stop(abruptly: boolean): void {
    clearTimeout(this.connectTimeout);
    clearTimeout(this.PDUTimeout);
    if (abruptly && this.isoclient?.connecting === false) this.isoclient.resetAndDestroy();
    else this.isoclient?.destroy();
  }

  override onTCPConnect(): void {
    this.#events.reached();
    super.onTCPConnect();
  }

  override onISOConnectReply(chunk: Buffer): void {
    this.#events.heard(chunk);
  }

  override onPDUReply(chunk: Buffer): void {
    this.#events.heard(chunk);
  }

  override connectError(cause: unknown): void {
    this.#events.failed(cause);
  }

  override readWriteError(cause: unknown): void {
    this.#events.failed(cause);
  }

  override connectionReset(): void {
    this.#events.failed(new Error('the confirmation is no ISO'));
  }

  override onClientDisconnect(): void {
    this.#events.closed();
  }

  override onClientClose(): void {
    this.#events.closed();
  }

  /** The driver's own limit counts. */
  override packetTimeout(): void {}
}
