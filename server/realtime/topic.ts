/** A topic: what many subscribers are told in the same words, at once and after every change. */
import { every, type CancelTimer, type Clock } from '../ports/clock.ts';
import { fresh } from './fresh.ts';
import type { Outbox } from './outbox.ts';

export interface Topic {
  /** Tells at once and after each change, until the returned function is called. */
  join(outbox: Pick<Outbox, 'post'>): () => void;
  /** Notes that there is something new; the changes of one turn of the event loop are told as one. */
  change(): void;
}

export interface TopicOptions {
  /** Also how what waits for a slow subscriber is replaced by the next. */
  readonly name: string;
  /** Tells it again after this time while somebody listens, changed or not. */
  readonly repeatMs?: number;
}

export function createTopic(clock: Clock, make: () => string, { name, repeatMs }: TopicOptions): Topic {
  const outboxes = new Map<object, Pick<Outbox, 'post'>>();
  let text = fresh(clock, make);
  let isScheduled = false;
  let stopRepeating: CancelTimer | null = null;
  const present = (): string => text();

  function tell(): void {
    for (const outbox of outboxes.values()) outbox.post(name, present);
  }

  function change(): void {
    text = fresh(clock, make);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      tell();
    });
  }

  function leave(place: object): void {
    if (!outboxes.delete(place) || outboxes.size > 0) return;
    stopRepeating?.();
    stopRepeating = null;
  }

  return {
    join(outbox) {
      const place = {};
      outboxes.set(place, outbox);
      if (repeatMs !== undefined) stopRepeating ??= every(clock, repeatMs, tell);
      outbox.post(name, present);
      return () => leave(place);
    },
    change,
  };
}
