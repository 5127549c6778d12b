import { expect, test } from 'vitest';
import { backOffMs } from './back-off.ts';

test('waits from a quarter of a second to ten seconds', () => {
  const attempts = [0, 1, 2, 3, 4, 5, 6, 2000, Infinity];
  expect(attempts.map((attempt) => backOffMs(attempt, () => 0))).toEqual([
    250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000,
  ]);
  expect(attempts.map((attempt) => backOffMs(attempt, () => 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000,
  ]);
});
