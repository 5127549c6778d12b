/** What waits for one consumer: its newest states while it is behind, and the patience that the host has with it. */
import type { CancelTimer, Clock } from '../ports/clock.ts';

export type Payload = string | Uint8Array;

/** The way to one consumer, as its transport gives it. */
export interface Line {
  /** Hands over; never waits. */
  write(payload: Payload): void;
  /** Whether the transport still holds what was handed over before. */
  readonly isBehind: boolean;
  /** The consumer has been behind for too long. */
  drop(): void;
}

export interface Outbox {
  /** Sends, or, while the consumer is behind, keeps `make` in the place of an older one of the same key. */
  post(key: string, make: () => Payload): void;
  /** The transport has taken everything: what waits is made and sent, the longest waiting key first. */
  drained(): void;
  close(): void;
}

/** Coalesces per key; nobody else is delayed, for nothing here waits. */
export function createOutbox(
  line: Line,
  { clock }: { readonly clock: Clock },
  { maxBehindMs }: { readonly maxBehindMs: number },
): Outbox {
  // Thousands of consumers are never behind, and need none.
  let waiting: Map<string, () => Payload> | null = null;
  let cancelPatience: CancelTimer | null = null;
  let isClosed = false;

  const hasWaiting = (): boolean => waiting !== null && waiting.size > 0;

  function close(): void {
    isClosed = true;
    waiting = null;
    calm();
  }

  function beginPatience(): void {
    cancelPatience ??= clock.after(maxBehindMs, () => {
      close();
      line.drop();
    });
  }

  function calm(): void {
    cancelPatience?.();
    cancelPatience = null;
  }

  return {
    post(key, make) {
      if (isClosed) return;
      if (!hasWaiting() && !line.isBehind) {
        line.write(make());
        return;
      }
      waiting ??= new Map();
      waiting.set(key, make);
      beginPatience();
    },
    drained() {
      calm();
      for (const [key, make] of waiting ?? []) {
        if (line.isBehind || isClosed) break;
        waiting?.delete(key);
        line.write(make());
      }
      // It has taken something: patience begins anew.
      if (hasWaiting()) beginPatience();
    },
    close,
  };
}
