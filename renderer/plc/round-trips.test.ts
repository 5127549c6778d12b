import { expect, test } from 'vitest';
import { summaryOf } from './round-trips.ts';

test.each([
  [[], null],
  [[null, null], null],
  [[null, 3], { median: 3, slowest: 3 }],
  [[4, 1, null, 2], { median: 2, slowest: 4 }],
  [[10, 9, 2, 1], { median: 5.5, slowest: 10 }],
])('%j is %j', (roundTripsMs, summary) => {
  expect(summaryOf(roundTripsMs)).toEqual(summary);
});
