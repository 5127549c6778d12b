/** `screen`: the displays, which a test plugs and unplugs. */
import type { Display, Point, Rectangle, Screen } from 'electron';
import { needsReady } from './app.ts';
import { modelled, ModelledEmitter } from './modelled.ts';

/** The height of what the operating system keeps for itself at the bottom of each display. */
const TASKBAR = 40;

const displays: Display[] = [createDisplay({ x: 0, y: 0, width: 1920, height: 1080 }, 1)];

class StandInScreen
  extends ModelledEmitter
  implements
    Pick<
      Screen,
      | 'getAllDisplays'
      | 'getPrimaryDisplay'
      | 'getDisplayMatching'
      | 'getDisplayNearestPoint'
      | 'getCursorScreenPoint'
    >
{
  constructor() {
    super('screen', ['display-added', 'display-removed', 'display-metrics-changed']);
  }

  getAllDisplays(): Display[] {
    needsReady('The screen module cannot be used');
    return [...displays];
  }

  getPrimaryDisplay(): Display {
    const [first] = this.getAllDisplays();
    if (first === undefined) throw new Error('electron stand-in: no display is modelled');
    return first;
  }

  getDisplayMatching(bounds: Rectangle): Display {
    return best(this.getAllDisplays(), ({ bounds: own }) => overlap(own, bounds)) ?? this.getPrimaryDisplay();
  }

  getDisplayNearestPoint(point: Point): Display {
    return best(this.getAllDisplays(), ({ bounds }) => -distance(bounds, point)) ?? this.getPrimaryDisplay();
  }

  getCursorScreenPoint(): Point {
    return { x: 0, y: 0 };
  }
}

export const screen = modelled('screen', new StandInScreen());

/** Connects one more display, as a test asks. */
export function plug(bounds: Rectangle): Display {
  const display = createDisplay(bounds, 1 + Math.max(...displays.map(({ id }) => id)));
  displays.push(display);
  screen.emit('display-added', {}, display);
  return display;
}

export function unplug(id: number): void {
  const place = displays.findIndex((display) => display.id === id);
  const [display] = displays.splice(place, 1);
  screen.emit('display-removed', {}, display);
}

function createDisplay(bounds: Rectangle, id: number): Display {
  const { x, y, width, height } = bounds;
  const workArea = { x, y, width, height: height - TASKBAR };
  const modelledParts = {
    id,
    bounds,
    workArea,
    size: { width, height },
    workAreaSize: { width, height: workArea.height },
    label: `Display ${id}`,
    scaleFactor: 1,
    rotation: 0,
    internal: false,
    touchSupport: 'unknown',
  } satisfies Partial<Display>;
  return modelled('display', modelledParts) as Display;
}

function best<Item>(items: readonly Item[], score: (item: Item) => number): Item | undefined {
  return items.toSorted((a, b) => score(b) - score(a))[0];
}

function overlap(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(width, 0) * Math.max(height, 0);
}

function distance({ x, y, width, height }: Rectangle, point: Point): number {
  const dx = Math.max(x - point.x, 0, point.x - (x + width));
  const dy = Math.max(y - point.y, 0, point.y - (y + height));
  return Math.hypot(dx, dy);
}
