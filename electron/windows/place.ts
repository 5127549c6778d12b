/** Where a window stands, and whether somebody can reach it there. */

/** In the points of the operating system; the same as Electron's `Rectangle`. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** As much of its title bar as it takes to see a window and to pull it. */
const GRIP: Size = { width: 100, height: 40 };

/** Whether enough of the window's title bar lies on one of the areas. */
export function isReachable(window: Area, workAreas: readonly Area[]): boolean {
  const needed = Math.min(GRIP.width, window.width);
  return workAreas.some((area) => {
    const width = Math.min(right(window), right(area)) - Math.max(window.x, area.x);
    return width >= needed && window.y >= area.y && window.y + GRIP.height <= bottom(area);
  });
}

/** Whether the middle of the window lies on one of the areas. */
export function isCentredOn({ x, y, width, height }: Area, areas: readonly Area[]): boolean {
  const [midX, midY] = [x + width / 2, y + height / 2];
  return areas.some((area) => midX >= area.x && midX < right(area) && midY >= area.y && midY < bottom(area));
}

/** The middle of an area, for a window of this size or, where that is too large, as large as goes. */
export function middleOf(area: Area, size: Size): Area {
  const width = Math.min(size.width, area.width);
  const height = Math.min(size.height, area.height);
  return {
    x: area.x + Math.floor((area.width - width) / 2),
    y: area.y + Math.floor((area.height - height) / 2),
    width,
    height,
  };
}

/** The place of something small at the top right of an area, a little off its edges. */
export function topRightOf(area: Area, { width, height }: Size): Area {
  const margin = 16;
  return {
    x: Math.max(area.x, right(area) - width - margin),
    y: area.y + Math.min(margin, Math.max(0, area.height - height)),
    width,
    height,
  };
}

function right({ x, width }: Area): number {
  return x + width;
}

function bottom({ y, height }: Area): number {
  return y + height;
}
