/** The two windows as things on a display: their size, their place, and that they can always be reached. */
import { screen, type BrowserWindow } from 'electron';
import type { Clock } from '../../server/ports/clock.ts';
import type { Memory } from './memory.ts';
import { createPane, type Pane } from './pane.ts';
import { isCentredOn, isReachable, middleOf, topRightOf, type Area } from './place.ts';

const WINDOW_SIZE = { width: 1280, height: 800 };
const BAR_SIZE = { width: 420, height: 64 };

export interface FullWindow extends Pane {
  /** Shows it, the first time as large as it was; maximising alone would show it as well. */
  reveal(): void;
}

/** Makes the full window, at its former place or in the middle of the primary display. */
export function createWindow(memory: Memory, clock: Clock): FullWindow {
  const middle = (): Area => middleOf(screen.getPrimaryDisplay().workArea, WINDOW_SIZE);
  const { window: former, maximised, kiosk } = memory.now;
  const pane = createPane({ ...(reachable(former) ?? middle()), kiosk }, clock);
  const { window } = pane;
  let isToBeMaximised = maximised && !kiosk;

  function reveal(): void {
    if (isToBeMaximised) window.maximize();
    isToBeMaximised = false;
    window.show();
  }

  function note(): void {
    if (isToBeMaximised || window.isKiosk() || window.isFullScreen() || window.isMinimized()) return;
    const { x, y, width, height } = window.getNormalBounds();
    memory.note({ window: { x, y, width, height }, maximised: window.isMaximized() });
  }
  window.on('resize', note);
  window.on('move', note);
  window.on('maximize', note);
  window.on('unmaximize', note);
  keepReachable(window, middle);
  return { ...pane, reveal };
}

/** Makes the bar, which stays on top: at its former place, or at the top right of the display of `beside`. */
export function createBar(memory: Memory, clock: Clock, beside: BrowserWindow): Pane {
  const corner = (): Area => topRightOf(screen.getDisplayMatching(beside.getBounds()).workArea, BAR_SIZE);
  const pane = createPane(
    {
      ...(reachable(memory.now.bar) ?? corner()),
      ...BAR_SIZE,
      frame: false,
      resizable: false,
      maximizable: false,
      minimizable: false,
      fullscreenable: false,
      skipTaskbar: true,
      alwaysOnTop: true,
    },
    clock,
  );
  const { window } = pane;
  window.on('move', () => {
    const { x, y } = window.getBounds();
    memory.note({ bar: { x, y, ...BAR_SIZE } });
  });
  keepReachable(window, corner);
  return pane;
}

function reachable(former: Area | null): Area | null {
  return former !== null && isReachable(former, workAreas()) ? former : null;
}

function displays(): Area[] {
  return screen.getAllDisplays().map(({ bounds }) => bounds);
}

function workAreas(): Area[] {
  return screen.getAllDisplays().map(({ workArea }) => workArea);
}

/** Brings the window back to a display that is there, when its own was unplugged or has shrunk. */
function keepReachable(window: BrowserWindow, place: () => Area): void {
  const look = (): void => {
    const isKiosk = window.isKiosk();
    // These reach over the edges of a work area, on purpose.
    const fills = isKiosk || window.isFullScreen() || window.isMaximized();
    const bounds = window.getBounds();
    if (fills ? isCentredOn(bounds, displays()) : isReachable(bounds, workAreas())) return;
    window.setKiosk(false);
    window.setBounds(place());
    window.setKiosk(isKiosk);
  };
  screen.on('display-removed', look);
  screen.on('display-metrics-changed', look);
}
