import { describe, expect, test } from 'vitest';
import { configSchema } from '../config/schema.ts';
import { delayMs, lockoutRules } from './rules.ts';

const MINUTE_MS = 60_000;
const rulesOf = (lockout: object) => lockoutRules(configSchema.parse({ lockout }).lockout);

const STANDARD = {
  delayAfter: 3,
  maxDelayMs: 30_000,
  tries: 10,
  windowMs: 15 * MINUTE_MS,
  lockMs: 15 * MINUTE_MS,
  pairLockMs: 15 * MINUTE_MS,
  addressTries: 30,
  accountTries: 100,
  knownMs: 30 * 24 * 60 * MINUTE_MS,
};
const JUBE = {
  delayAfter: Infinity,
  maxDelayMs: 30_000,
  tries: Infinity,
  windowMs: Infinity,
  lockMs: Infinity,
  pairLockMs: 15 * MINUTE_MS,
  addressTries: Infinity,
  accountTries: 10,
  knownMs: 0,
};

describe('the numbers', () => {
  test.each([
    ['nothing set', {}, STANDARD],
    ['the preset standard', { preset: 'standard' }, STANDARD],
    ['the preset jube', { preset: 'jube' }, JUBE],
    ['no delay', { delayAfter: 0 }, { ...STANDARD, delayAfter: Infinity }],
    ['a delay in jube', { preset: 'jube', delayAfter: 5 }, { ...JUBE, delayAfter: 5 }],
    ['the longest delay', { maxDelaySec: 60 }, { ...STANDARD, maxDelayMs: 60_000 }],
    ['no tries', { tries: 0 }, { ...STANDARD, tries: Infinity }],
    ['no window', { windowMin: 0 }, { ...STANDARD, windowMs: Infinity }],
    ['another window', { windowMin: 60 }, { ...STANDARD, windowMs: 60 * MINUTE_MS }],
    ['another lock', { lockMin: 5 }, { ...STANDARD, lockMs: 5 * MINUTE_MS, pairLockMs: 5 * MINUTE_MS }],
    ['a lock that only an administrator ends', { lockMin: 0 }, { ...STANDARD, lockMs: Infinity }],
    ['no limit of an address', { addressTries: 0 }, { ...STANDARD, addressTries: Infinity }],
    ['fewer tries at an account', { accountTries: 5 }, { ...STANDARD, accountTries: 5 }],
    ['nobody known', { knownDays: 0 }, { ...STANDARD, knownMs: 0 }],
  ])('with %s', (_name, config, expected) => {
    expect(rulesOf(config)).toEqual(expected);
  });

  test.each([
    ['accountTries', 101],
    ['accountTries', 0],
    ['tries', 101],
    ['delayAfter', -1],
    ['windowMin', 1441],
    ['lockMin', 0.5],
    ['maxDelaySec', 0],
    ['knownDays', 366],
    ['addressTries', 10_001],
    ['preset', 'strict'],
  ])('%s is not set to %s', (key, value) => {
    expect(configSchema.safeParse({ lockout: { [key]: value } }).success).toBe(false);
  });
});

test('a delay doubles from one second up to the longest', () => {
  const rules = rulesOf({});
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 5000].map((failures) => delayMs(failures, 3, rules) / 1000)).toEqual([
    0, 0, 1, 2, 4, 8, 16, 30, 30, 30,
  ]);
  expect(delayMs(1_000_000, Infinity, rules)).toBe(0);
});
