import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCentredOn, isReachable, middleOf, topRightOf, type Area } from './place.ts';

const DESK: Area = { x: 0, y: 0, width: 1920, height: 1040 };
const LEFT: Area = { x: -2560, y: -200, width: 2560, height: 1400 };

/** Work areas and windows as monitors of any arrangement have them. */
const position = fc.integer({ min: -8000, max: 8000 });
const workArea = fc.record({
  x: position,
  y: position,
  width: fc.integer({ min: 320, max: 8000 }),
  height: fc.integer({ min: 200, max: 5000 }),
});
const size = fc.record({
  width: fc.integer({ min: 1, max: 9000 }),
  height: fc.integer({ min: 1, max: 9000 }),
});

describe('a window', () => {
  test.each([
    ['in the middle of the desk', { x: 300, y: 100, width: 1280, height: 800 }, true],
    ['on the monitor on the left', { x: -2000, y: -150, width: 1280, height: 800 }, true],
    ['of which 100 points are left at the right edge', { x: 1820, y: 0, width: 1280, height: 800 }, true],
    ['of which 99 points are left at the right edge', { x: 1821, y: 0, width: 1280, height: 800 }, false],
    ['over two monitors, with enough on one', { x: -640, y: 100, width: 1280, height: 800 }, true],
    ['whose title bar is above the screen', { x: 300, y: -1, width: 1280, height: 800 }, false],
    ['whose title bar is below the screen', { x: 300, y: 1001, width: 1280, height: 800 }, false],
    ['on a monitor that is not there', { x: 4000, y: 100, width: 1280, height: 800 }, false],
    ['narrower than a grip, but whole', { x: 0, y: 0, width: 64, height: 64 }, true],
  ])('%s: can be reached is %j', (_where, window, expected) => {
    const areas = window.x < 0 ? [DESK, LEFT] : [DESK];
    expect(isReachable(window, areas)).toBe(expected);
  });

  test('that fills its monitor is on it, although it reaches over its edges', () => {
    expect(isCentredOn({ x: -8, y: -8, width: 1936, height: 1056 }, [DESK])).toBe(true);
    expect(isCentredOn({ x: 1920, y: 0, width: 1920, height: 1080 }, [DESK])).toBe(false);
  });
});

test('whatever the display and the size, the middle of it can be reached', () => {
  fc.assert(
    fc.property(workArea, size, (area, wanted) => {
      const place = middleOf(area, wanted);
      expect(isReachable(place, [area])).toBe(true);
      expect(place.x).toBeGreaterThanOrEqual(area.x);
      expect(place.y).toBeGreaterThanOrEqual(area.y);
      expect(place.x + place.width).toBeLessThanOrEqual(area.x + area.width);
      expect(place.y + place.height).toBeLessThanOrEqual(area.y + area.height);
    }),
  );
});

test('whatever the display, the bar in its corner can be reached', () => {
  fc.assert(
    fc.property(workArea, (area) => {
      expect(isReachable(topRightOf(area, { width: 420, height: 64 }), [area])).toBe(true);
    }),
  );
});

test('a window can be reached exactly where a strip of its title bar lies on a display', () => {
  const window = fc.record({
    x: position,
    y: position,
    width: fc.integer({ min: 100, max: 4000 }),
    height: fc.integer({ min: 40, max: 3000 }),
  });
  fc.assert(
    fc.property(window, fc.array(workArea, { maxLength: 4 }), (placed, areas) => {
      const isOn = (x: number, y: number, area: Area): boolean =>
        x >= area.x && x < area.x + area.width && y >= area.y && y < area.y + area.height;
      const hasStrip = areas.some((area) => {
        const from = Math.max(placed.x, area.x);
        const isWithin = from + 99 < placed.x + placed.width;
        return isWithin && isOn(from, placed.y, area) && isOn(from + 99, placed.y + 39, area);
      });
      expect(isReachable(placed, areas)).toBe(hasStrip);
    }),
  );
});
