import { expect, test } from 'vitest';
import type { AppMessage } from './messages.ts';
import { createNewest } from './newest.ts';

function app(run: string, revision: number): AppMessage {
  return { type: 'app', appId: 'a', serverTime: '', run, revision, token: null } as unknown as AppMessage;
}

test('takes each newer state of a run once', () => {
  const newest = createNewest();
  expect([1, 3, 2, 3, 4].map((revision) => newest.takes(app('r', revision)))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
  expect(newest.since()).toEqual({ run: 'r', revision: 4 });
});

test('takes another run after another connect only', () => {
  const newest = createNewest();
  newest.takes(app('r', 7));
  expect(newest.takes(app('s', 9))).toBe(false);
  newest.connected();
  expect(newest.takes(app('s', 0))).toBe(true);
  expect(newest.takes(app('r', 8))).toBe(false);
});

test('knows the run of a host that has nothing new', () => {
  const newest = createNewest();
  newest.takes(app('r', 7));
  newest.connected();
  expect(newest.takes({ ...app('r', 7), type: 'unchanged' })).toBe(false);
  expect(newest.takes(app('s', 9))).toBe(false);
  expect(newest.takes(app('r', 8))).toBe(true);
});
