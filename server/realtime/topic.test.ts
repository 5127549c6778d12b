import { expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import type { Payload } from './outbox.ts';
import { createTopic } from './topic.ts';

const loop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(repeatMs?: number) {
  const clock = createFixedClock();
  let value = 0;
  let renderings = 0;
  const topic = createTopic(
    clock,
    () => {
      renderings += 1;
      return `${value} at ${clock.monotonic()}`;
    },
    { name: 'level', ...(repeatMs !== undefined && { repeatMs }) },
  );
  function join() {
    const seen: Payload[] = [];
    const keys = new Set<string>();
    const leave = topic.join({
      post(key, make) {
        keys.add(key);
        seen.push(make());
      },
    });
    return { seen, keys, leave };
  }
  return { clock, topic, join, set: (to: number) => (value = to), renderings: () => renderings };
}

test('is told at once, and once however many changes there are in a turn of the loop', async () => {
  const { topic, join, set } = open();
  const { seen, keys } = join();
  expect(seen).toEqual(['0 at 0']);
  for (const value of [1, 2, 3]) {
    set(value);
    topic.change();
  }
  await loop();
  expect(seen).toEqual(['0 at 0', '3 at 0']);
  expect([...keys]).toEqual(['level']);
});

test('is rendered once for all who are told at about the same time', async () => {
  const { topic, join, renderings } = open();
  const subscribers = Array.from({ length: 100 }, join);
  topic.change();
  await loop();
  expect(renderings()).toBe(2);
  expect(new Set(subscribers.map(({ seen }) => seen.length))).toEqual(new Set([2]));
});

test('who comes later is told the time that it is then', async () => {
  const { clock, join } = open();
  join();
  await clock.advance(60_000);
  expect(join().seen).toEqual(['0 at 60000']);
});

test('who comes between a change and its telling hears of it at once', () => {
  const { topic, join, set } = open();
  join();
  set(1);
  topic.change();
  expect(join().seen).toEqual(['1 at 0']);
});

test('who has left is told nothing more', async () => {
  const { topic, join } = open();
  const [one, other] = [join(), join()];
  one.leave();
  one.leave();
  topic.change();
  await loop();
  expect([one.seen.length, other.seen.length]).toEqual([1, 2]);
});

test('is repeated while somebody listens, by one timer for all, and not otherwise', async () => {
  const { clock, join, renderings } = open(1000);
  await clock.advance(5000);
  expect(renderings()).toBe(0);
  const [one, other] = [join(), join()];
  await clock.advance(2000);
  expect(one.seen).toEqual(['0 at 5000', '0 at 6000', '0 at 7000']);
  expect(renderings()).toBe(3);
  one.leave();
  other.leave();
  await clock.advance(5000);
  expect(renderings()).toBe(3);
  expect(join().seen).toEqual(['0 at 12000']);
});
