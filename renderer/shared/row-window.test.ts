import { expect, test } from 'vitest';
import { rowAfterKey, rowWindow, scrollToShow } from './row-window.ts';

const ROW = 36;

test.each([
  ['at the top', 1000, 0, 360, { start: 0, end: 23 }],
  ['in the middle', 1000, 360, 360, { start: 0, end: 33 }],
  ['far down', 100_000, 36_000, 720, { start: 988, end: 1033 }],
  ['at the end', 1000, 36_000 - 360, 360, { start: 978, end: 1000 }],
  ['of fewer rows than fit', 3, 0, 360, { start: 0, end: 3 }],
  ['of no rows', 0, 0, 360, { start: 0, end: 0 }],
  ['beyond rows that have gone', 5, 10_000, 360, { start: 0, end: 5 }],
  ['pulled over the top', 1000, -50, 360, { start: 0, end: 23 }],
])('draws what is seen and a few rows around it, %s', (_, count, scrollTop, height, drawn) => {
  expect(rowWindow(ROW, count, scrollTop, height)).toEqual(drawn);
});

test('draws no more rows however many there are', () => {
  const { start, end } = rowWindow(ROW, 1_000_000, 500_000 * ROW, 720);
  expect(end - start).toBeLessThan(50);
});

test.each([
  ['is seen already', 5, 100, 100],
  ['is above', 2, 500, 72],
  ['is below', 30, 0, 31 * ROW - 360],
  ['is the first', 0, 500, 0],
])('scrolls as little as it takes to a row that %s', (_, index, from, to) => {
  expect(scrollToShow(ROW, index, from, 360)).toBe(to);
});

test.each([
  ['ArrowDown', -1, 0],
  ['ArrowDown', 9, 9],
  ['ArrowUp', -1, 9],
  ['ArrowUp', 0, 0],
  ['ArrowUp', 4, 3],
  ['PageDown', 2, 7],
  ['PageUp', 2, 0],
  ['Home', 7, 0],
  ['End', 7, 9],
  ['a', 7, null],
])('%s leads from row %i to row %s', (key, from, to) => {
  expect(rowAfterKey(key, from, 10, 5)).toBe(to);
});

test('no key leads anywhere without rows', () => {
  expect(rowAfterKey('ArrowDown', -1, 0, 5)).toBeNull();
});
