import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createOutbox, type Line } from './outbox.ts';

const MAX_BEHIND_MS = 10_000;

/** A consumer whose transport takes `room` payloads and is behind from then on, until it drains. */
function open(room = Infinity) {
  const clock = createFixedClock();
  const seen: string[] = [];
  let left = room;
  let drops = 0;
  const line: Line = {
    write(payload) {
      seen.push(payload as string);
      left -= 1;
    },
    get isBehind() {
      return left <= 0;
    },
    drop: () => (drops += 1),
  };
  const outbox = createOutbox(line, { clock }, { maxBehindMs: MAX_BEHIND_MS });
  return {
    clock,
    seen,
    post: (key: string, value: string) => outbox.post(key, () => value),
    /** There is room, and nobody has been told. */
    free: () => void (left = 5),
    drain(more: number) {
      left = more;
      outbox.drained();
    },
    close: outbox.close,
    drops: () => drops,
  };
}

test('sends at once to a consumer that keeps up, everything and in order', () => {
  const { post, seen } = open();
  post('a', 'a1');
  post('b', 'b1');
  post('a', 'a2');
  expect(seen).toEqual(['a1', 'b1', 'a2']);
});

test('keeps the newest of each key while the consumer is behind, in the order in which the keys began to wait', () => {
  const { post, seen, drain } = open(1);
  for (const value of ['a1', 'b1', 'a2', 'c1', 'b2']) post(value.charAt(0), value);
  expect(seen).toEqual(['a1']);
  drain(10);
  expect(seen).toEqual(['a1', 'b2', 'a2', 'c1']);
});

test('makes what it sends when it is sent, and nothing that was overtaken', () => {
  const made: string[] = [];
  const clock = createFixedClock();
  const line = {
    write: (payload: unknown) => made.push(`sent ${String(payload)}`),
    isBehind: true,
    drop() {},
  };
  const outbox = createOutbox(line, { clock }, { maxBehindMs: MAX_BEHIND_MS });
  for (const value of ['a1', 'a2']) {
    outbox.post('a', () => {
      made.push(`made ${value}`);
      return value;
    });
  }
  expect(made).toEqual([]);
  line.isBehind = false;
  outbox.drained();
  expect(made).toEqual(['made a2', 'sent a2']);
});

test('stops in the middle where the consumer falls behind again, and goes on with the next drain', () => {
  const { post, seen, drain } = open(0);
  for (const key of ['a', 'b', 'c']) post(key, key);
  drain(2);
  expect(seen).toEqual(['a', 'b']);
  drain(2);
  expect(seen).toEqual(['a', 'b', 'c']);
});

test('what comes after what waits does not overtake it', () => {
  const { post, seen, drain } = open(0);
  post('a', 'a1');
  drain(0);
  post('b', 'b1');
  post('a', 'a2');
  drain(5);
  expect(seen).toEqual(['a2', 'b1']);
});

test('nothing overtakes what waits, though the transport could take it before it says so', () => {
  const { post, seen, drain, free } = open(0);
  post('a', 'a1');
  free();
  post('a', 'a2');
  post('b', 'b1');
  expect(seen).toEqual([]);
  drain(5);
  expect(seen).toEqual(['a2', 'b1']);
});

test('drops a consumer that is behind for the whole time, once, and forgets what waited for it', async () => {
  const { clock, post, seen, drain, drops } = open(0);
  post('a', 'a1');
  await clock.advance(MAX_BEHIND_MS - 1);
  post('a', 'a2');
  expect(drops()).toBe(0);
  await clock.advance(1);
  expect(drops()).toBe(1);
  post('a', 'a3');
  drain(5);
  await clock.advance(10 * MAX_BEHIND_MS);
  expect([seen, drops()]).toEqual([[], 1]);
});

test('drops nobody who takes something now and then, however slowly', async () => {
  const { clock, post, drain, drops } = open(0);
  for (let at = 0; at < 20; at += 1) {
    post('a', `a${at}`);
    post('b', `b${at}`);
    await clock.advance(MAX_BEHIND_MS - 1);
    drain(1);
  }
  expect(drops()).toBe(0);
});

test('has no patience to lose with a consumer that has taken everything', async () => {
  const { clock, post, drain, drops } = open(0);
  post('a', 'a1');
  drain(1);
  await clock.advance(10 * MAX_BEHIND_MS);
  expect(drops()).toBe(0);
});

test('is silent once closed', async () => {
  const { clock, post, seen, drain, close, drops } = open(0);
  post('a', 'a1');
  close();
  drain(5);
  post('a', 'a2');
  await clock.advance(10 * MAX_BEHIND_MS);
  expect([seen, drops()]).toEqual([[], 0]);
});

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ post: fc.constantFrom('a', 'b', 'c') }) },
    { weight: 2, arbitrary: fc.record({ drain: fc.integer({ min: 0, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 2 * MAX_BEHIND_MS }) }) },
  ),
  { maxLength: 60 },
);

test('whatever the order of posts, drains and stalls: of each key only what is newer, the newest at the end, and dropped is who stalls too long', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 3 }), async (sequence, room) => {
      const { clock, post, drain, seen, drops } = open(room);
      const newest = new Map<string, number>();
      let left = room;
      const waiting = new Set<string>();
      let stalledMs = 0;
      for (const step of sequence) {
        if ('post' in step) {
          const number = (newest.get(step.post) ?? 0) + 1;
          newest.set(step.post, number);
          post(step.post, `${step.post}${number}`);
          if (waiting.size === 0 && left > 0) left -= 1;
          else waiting.add(step.post);
        } else if ('drain' in step) {
          drain(step.drain);
          for (left = step.drain; left > 0 && waiting.size > 0; left -= 1) waiting.delete([...waiting][0]!);
          stalledMs = 0;
        } else {
          await clock.advance(step.pass);
          if (waiting.size > 0) stalledMs += step.pass;
        }
        if (waiting.size === 0) stalledMs = 0;
        expect(drops()).toBe(stalledMs >= MAX_BEHIND_MS ? 1 : 0);
        if (drops() > 0) break;
      }
      const isDropped = drops() > 0;
      drain(Infinity);
      for (const [key, last] of newest) {
        const numbers = seen.filter((value) => value.startsWith(key)).map((value) => Number(value.slice(1)));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        if (!isDropped) expect(numbers.at(-1)).toBe(last);
      }
    }),
    { numRuns: 300 },
  );
});
