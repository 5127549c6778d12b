/** Long polling: each GET waits for what there is to say and is answered with it; the client speaks by POST. */
import type { ServerResponse } from 'node:http';
import type { CancelTimer, Clock } from '../../../ports/clock.ts';
import type { Payload } from '../../outbox.ts';
import type { Carried, Traits, Transport } from '../transport.ts';

/** The official clients wait for 100 s. */
const POLL_MS = 90_000;
/** How long a client may be without a poll. */
const ABSENCE_MS = 30_000;

const TRAITS: Traits = { isBinary: true, keepsAlive: true, opensLate: false, isDuplex: false };

export interface LongPollingNeeds {
  readonly clock: Clock;
  /** Calls back once, when no further poll is expected. */
  onOver(): void;
}

export class LongPolling implements Transport {
  readonly traits = TRAITS;
  readonly #carried: Carried;
  readonly #needs: LongPollingNeeds;
  #pending: Payload[] = [];
  #poll: ServerResponse | null = null;
  #cancelTimer: CancelTimer = () => {};
  #isFirst = true;
  #isEnded = false;

  /** Takes `carried` over; `already-exists` where another transport has it. */
  constructor(carried: Carried, needs: LongPollingNeeds) {
    this.#carried = carried;
    this.#needs = needs;
    carried.attach(this);
  }

  /** Answers when there is something to say, or at once; a poll that still waits gives way to this one. */
  poll(response: ServerResponse): void {
    this.#answer(204);
    this.#cancelTimer();
    this.#poll = response;
    // Gone away in the middle of its poll; one that was answered is no longer ours when it closes.
    response.on('close', () => {
      if (this.#poll === response) this.#pause();
    });
    this.#cancelTimer = this.#needs.clock.after(POLL_MS, () => this.#answer(200));
    if (this.#isFirst) {
      // It only tells that the connection stands.
      this.#isFirst = false;
      this.#answer(200);
      return;
    }
    this.#carried.drained(this);
    this.#flush();
  }

  write(payload: Payload): void {
    // What is said in one turn of the event loop goes out in one answer.
    if (this.#pending.push(payload) === 1) queueMicrotask(() => this.#flush());
  }

  get isBehind(): boolean {
    return this.#poll === null;
  }

  /** What was written waits for one more poll. */
  end(): void {
    this.#isEnded = true;
    this.#flush();
  }

  #flush(): void {
    if (this.#pending.length > 0) this.#answer(200);
    else if (this.#isEnded) this.#answer(204);
    if (this.#isEnded && this.#pending.length === 0) this.#over();
  }

  #answer(status: 200 | 204): void {
    const response = this.#poll;
    if (response === null) return;
    this.#pause();
    response.setHeader('Cache-Control', 'no-cache, no-store');
    if (status === 204) {
      response.writeHead(204).end();
      return;
    }
    const payloads = this.#pending.splice(0);
    const isText = payloads.every((payload) => typeof payload === 'string');
    const body = Buffer.concat(payloads.map((payload) => Buffer.from(payload as string)));
    response.writeHead(200, {
      'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/octet-stream',
      'Content-Length': body.length,
    });
    response.end(body);
  }

  /** Waits for the next poll, for so long. */
  #pause(): void {
    this.#poll = null;
    this.#cancelTimer();
    this.#cancelTimer = this.#needs.clock.after(ABSENCE_MS, () => {
      this.#over();
      this.#carried.lost(this);
    });
  }

  #over(): void {
    this.#cancelTimer();
    this.#needs.onOver();
  }
}
