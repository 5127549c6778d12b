import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countdownOf, judge, reasonOf, sleptBetween, type Policy, type Tiding } from './presence-rules.ts';

const POLICY: Policy = { onScreenLock: 'lock', onSuspend: 'end', onUserSwitch: 'ignore' };

describe('what the operating system tells', () => {
  test.each([
    ['lock-screen', 'screen-locked'],
    ['suspend', 'station-left'],
    ['user-did-resign-active', null],
    ['shutdown', 'station-left'],
    ['session-end', 'station-left'],
  ] as const)('%s, goes by the policy: %s', (tiding, reason) => {
    expect(reasonOf(tiding, POLICY)).toBe(reason);
  });

  test('the end of the system ends the session, whatever the policy', () => {
    const ignoring: Policy = { onScreenLock: 'ignore', onSuspend: 'ignore', onUserSwitch: 'ignore' };
    const tidings: Tiding[] = ['lock-screen', 'suspend', 'user-did-resign-active', 'shutdown', 'session-end'];
    expect(tidings.filter((tiding) => reasonOf(tiding, ignoring) !== null)).toEqual([
      'shutdown',
      'session-end',
    ]);
  });
});

describe('a look', () => {
  const NOTHING = { tellsIdleTime: true, isLocked: false };
  test.each([
    [0, true],
    [1, true],
    [2, false],
    [600, false],
  ])('at %d s since the last input: somebody is active is %s', (idleSec, isActive) => {
    expect(judge(NOTHING, { idleSec, isLocked: false }).isActive).toBe(isActive);
  });

  test('believes in activity only once the system has told another idle time than 0', () => {
    let seen = { ...NOTHING, tellsIdleTime: false };
    const active = [0, 0, 3, 0].map((idleSec) => {
      const judged = judge(seen, { idleSec, isLocked: false });
      seen = judged.seen;
      return judged.isActive;
    });
    expect(active).toEqual([false, false, false, true]);
  });

  test('finds a lock once', () => {
    let seen = NOTHING;
    const found = [false, true, true, false, true].map((isLocked) => {
      const judged = judge(seen, { idleSec: 5, isLocked });
      seen = judged.seen;
      return judged.hasLocked;
    });
    expect(found).toEqual([false, true, false, false, true]);
  });
});

describe('the countdown', () => {
  test.each([
    [300_000, 60_001, null],
    [300_000, 60_000, 60_000],
    [300_000, 1, 1],
    [300_000, -20, 0],
    [60_000, 30_001, null],
    [60_000, 30_000, 30_000],
  ])('of a limit of %d ms with %d ms left shows %s', (limitMs, leftMs, shown) => {
    expect(countdownOf({ limitMs, leftMs })).toBe(shown);
  });

  test('is none without an idle limit', () => {
    expect(countdownOf(null)).toBeNull();
  });
});

test('what was slept is the time that the timers have not seen, and never negative', () => {
  const ms = fc.integer({ min: -1e12, max: 1e12 });
  fc.assert(
    fc.property(ms, ms, fc.nat(1e9), fc.nat(1e9), (wall, monotonic, awake, asleep) => {
      const suspended = { wall, monotonic };
      // Timers that stand still, and timers that go on.
      expect(
        sleptBetween(suspended, { wall: wall + awake + asleep, monotonic: monotonic + awake }),
      ).toBeCloseTo(asleep);
      expect(sleptBetween(suspended, { wall: wall + awake, monotonic: monotonic + awake })).toBe(0);
      // The wall clock was set back meanwhile.
      expect(sleptBetween(suspended, { wall: wall - asleep, monotonic: monotonic + awake })).toBe(0);
    }),
  );
});
