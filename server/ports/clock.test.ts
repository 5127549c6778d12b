import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createFixedClock, createSystemClock, every } from './clock.ts';

const DAY_MS = 86_400_000;

describe('the clock of the machine', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** When a timer set now fires, in milliseconds; null if not within `patienceMs`. */
  function firesAfter(delayMs: number, patienceMs: number): number | null {
    const start = Date.now();
    let fired: number | null = null;
    createSystemClock().after(delayMs, () => (fired = Date.now() - start));
    vi.advanceTimersByTime(patienceMs);
    return fired;
  }

  test.each([
    ['a moment', 1, 1],
    ['a second', 1000, 1000],
    ['the longest time a timer of Node takes', 2 ** 31 - 1, 2 ** 31 - 1],
    ['one millisecond more than that', 2 ** 31, 2 ** 31],
    ['ninety days', 90 * DAY_MS, 90 * DAY_MS],
  ])('waits %s, no less and no more', (_name, delayMs, expected) => {
    expect(firesAfter(delayMs, 100 * DAY_MS)).toBe(expected);
  });

  test.each([0, -1, -DAY_MS])('fires at once for a delay of %d ms', (delayMs) => {
    expect(firesAfter(delayMs, 1)).toBeLessThanOrEqual(1);
  });

  test('never fires what was cancelled, however far it had come', () => {
    let fired = 0;
    const cancel = createSystemClock().after(60 * DAY_MS, () => (fired += 1));
    vi.advanceTimersByTime(59 * DAY_MS);
    cancel();
    cancel();
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(fired).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('tells the wall clock in UTC', () => {
    expect(createSystemClock().now()).toBe(Date.UTC(2026, 0, 1));
  });
});

test('a timer of the machine does not keep the process alive', () => {
  const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0)) as NodeJS.Timeout, 'unref');
  createSystemClock().after(DAY_MS, () => {})();
  expect(unref).toHaveBeenCalledOnce();
  unref.mockRestore();
});

test('the monotonic clock of the machine never goes back', () => {
  const { monotonic } = createSystemClock();
  const readings = Array.from({ length: 1000 }, monotonic);
  expect(readings).toEqual(readings.toSorted((a, b) => a - b));
});

describe('every', () => {
  test('calls after each interval, the first time after one', async () => {
    const clock = createFixedClock();
    const calls: number[] = [];
    every(clock, 100, () => calls.push(clock.monotonic()));
    await clock.advance(350);
    expect(calls).toEqual([100, 200, 300]);
  });

  test('goes on although a call throws', async () => {
    const clock = createFixedClock();
    let calls = 0;
    every(clock, 100, () => {
      calls += 1;
      throw new Error('a defect');
    });
    await expect(clock.advance(100)).rejects.toThrow('a defect');
    await expect(clock.advance(100)).rejects.toThrow('a defect');
    expect(calls).toBe(2);
  });

  test('stops when it is cancelled, from outside and from within a call', async () => {
    const clock = createFixedClock();
    const calls: string[] = [];
    const cancelOuter = every(clock, 100, () => calls.push('outer'));
    const cancelInner = every(clock, 100, () => {
      calls.push('inner');
      cancelInner();
    });
    await clock.advance(100);
    cancelOuter();
    await clock.advance(1000);
    expect(calls).toEqual(['outer', 'inner']);
  });
});

describe('the fixed twin', () => {
  test('stands still until it is moved', async () => {
    const clock = createFixedClock(1000);
    expect([clock.now(), clock.monotonic()]).toEqual([1000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1250, 250]);
  });

  test('fires in the order of what is due, and of what was set first where that is the same', async () => {
    const clock = createFixedClock();
    const fired: string[] = [];
    for (const [name, delayMs] of [
      ['late', 30],
      ['first of two', 20],
      ['second of two', 20],
      ['early', 10],
      ['overdue', -5],
    ] as const) {
      clock.after(delayMs, () => fired.push(`${name} at ${clock.monotonic()}`));
    }
    await clock.advance(30);
    expect(fired).toEqual([
      'overdue at 0',
      'early at 10',
      'first of two at 20',
      'second of two at 20',
      'late at 30',
    ]);
  });

  test('also fires what a timer sets while it is moved', async () => {
    const clock = createFixedClock();
    const fired: number[] = [];
    clock.after(10, () => clock.after(10, () => fired.push(clock.monotonic())));
    await clock.advance(20);
    expect(fired).toEqual([20]);
  });

  test('settles promises after each timer, before the next', async () => {
    const clock = createFixedClock();
    const steps: string[] = [];
    clock.after(10, () => void Promise.resolve().then(() => steps.push('settled')));
    clock.after(20, () => steps.push('next'));
    await clock.advance(20);
    expect(steps).toEqual(['settled', 'next']);
  });

  test('does not fire what was cancelled', async () => {
    const clock = createFixedClock();
    let fired = 0;
    clock.after(10, () => (fired += 1))();
    await clock.advance(20);
    expect(fired).toBe(0);
  });

  test('lets the wall clock be set back without moving a timer', async () => {
    const clock = createFixedClock(1_000_000);
    let firedAt: number | null = null;
    clock.after(100, () => (firedAt = clock.monotonic()));
    await clock.advance(40);
    clock.setWallClock(500_000);
    expect([clock.now(), clock.monotonic()]).toEqual([500_000, 40]);
    await clock.advance(59);
    expect(firedAt).toBeNull();
    await clock.advance(1);
    expect(firedAt).toBe(100);
    expect(clock.now()).toBe(500_060);
  });
});
