/** What is on the screen: the full window on the host's pages, the bar in its place, or the full screen that few may leave. */
import { app, type WebContents } from 'electron';
import type { Clock } from '../../server/ports/clock.ts';
import type { View } from '../ipc/contract.ts';
import { tell } from '../ipc/handle.ts';
import { leadsOut, nextKiosk, type Kiosk, type KioskEvent } from './kiosk.ts';
import type { Memory } from './memory.ts';
import type { Pane, Ways } from './pane.ts';
import type { Station } from '../station.ts';
import type { StatusPage } from './status-page.ts';
import { createBar, createWindow } from './windows.ts';

export interface Views {
  /** The full window, wherever it was, with the keyboard. */
  open(): void;
  /** One in the place of the other. */
  show(view: View): void;
  hide(): void;
  /** Opens the window and has its page offer to hand over. */
  switchUser(): void;
  /**
   * Tells all pages; while it is not null the bar shows it, without taking the keyboard, unless the full window has the
   * keyboard: another program may cover one that has not.
   */
  tellIdleLeft(leftMs: number | null): void;
  /** Leaves the full screen; false where no administrator is at the controls. */
  leaveKiosk(): boolean;
}

/** What the start of the desktop does with them, beside. */
export interface Frame extends Views {
  /** Says how the start goes; where it has failed, in a window that is shown whatever was shown last. */
  say(status: StatusPage, ways?: Ways): void;
  /** Goes over to the pages of a host. */
  enter(url: string, station: Station, isKiosk: boolean): void;
  /** Whether the window fills the screen, unless an administrator has left it for a while. */
  isKiosk(): boolean;
  /** Which window a page is in; null for none of ours. */
  viewOf(contents: WebContents): View | null;
  /** Takes everything off the screen, for the desktop ends. */
  dismiss(): void;
}

/** What the windows are about once there is a host. */
interface Entered {
  readonly url: string;
  readonly station: Station;
}

export function setupViews(memory: Memory, clock: Clock): Frame {
  const full = createWindow(memory, clock);
  const { window } = full;
  let bar: Pane | null = null;
  /** The bar is there only because nothing else might tell of the session that is about to end. */
  let isBarCalled = false;
  /** Asked while there was no page to hear it. */
  let isSwitchAsked = false;
  let entered: Entered | null = null;
  /** What closing the window does. */
  let leave = hide;
  let kiosk: Kiosk = memory.now.kiosk ? 'on' : 'off';
  applyKiosk();

  function open(): void {
    if (window.isMinimized()) window.restore();
    full.reveal();
    window.focus();
    bar?.window.hide();
    isBarCalled = false;
    memory.note({ view: 'window' });
  }

  function openBar({ url }: Entered): Pane {
    const made = createBar(memory, clock, window);
    made.window.on('close', (event) => {
      event.preventDefault();
      hide();
    });
    made.load(`${url}/bar`);
    return made;
  }

  function show(view: View): void {
    // In a full screen there is nothing to go to.
    if (view === 'window' || kiosk !== 'off' || entered === null) return open();
    bar ??= openBar(entered);
    bar.window.show();
    window.hide();
    isBarCalled = false;
    memory.note({ view });
  }

  function hide(): void {
    if (kiosk === 'on') return;
    window.hide();
    bar?.window.hide();
    isBarCalled = false;
  }

  /** No system tells whether another program covers a window; none covers the one with the keyboard, nor a full screen. */
  function isSeen(): boolean {
    return kiosk === 'on' || window.isFocused() || (bar?.window.isVisible() ?? false);
  }

  /** The bar comes for the countdown, and goes with it where it came for it alone. */
  function callBar(isWanted: boolean): void {
    if (isWanted && entered !== null && !isSeen()) {
      bar ??= openBar(entered);
      bar.window.showInactive();
      isBarCalled = true;
    }
    if (!isWanted && isBarCalled) {
      bar?.window.hide();
      isBarCalled = false;
    }
  }

  function applyKiosk(): void {
    const isOn = kiosk === 'on';
    memory.note({ kiosk: kiosk !== 'off' });
    window.setKiosk(isOn);
    window.setClosable(!isOn);
    window.setMinimizable(!isOn);
    window.setMovable(!isOn);
    if (isOn) open();
  }

  function onKiosk(event: KioskEvent): void {
    const next = nextKiosk(kiosk, event);
    if (next === kiosk) return;
    kiosk = next;
    applyKiosk();
  }

  function offerSwitch(): void {
    const { webContents } = window;
    isSwitchAsked = webContents.isLoading() || !webContents.getURL().startsWith('https:');
    if (!isSwitchAsked) tell(webContents, 'switch-user');
  }

  window.on('close', (event) => {
    event.preventDefault();
    leave();
  });
  window.webContents.on('did-stop-loading', () => {
    if (isSwitchAsked) offerSwitch();
  });
  // Whatever the window manager has done to it.
  const comeBack = (): void => void (kiosk === 'on' && applyKiosk());
  window.on('leave-full-screen', comeBack);
  window.on('minimize', comeBack);
  window.webContents.on('before-input-event', (event, input) => {
    if (kiosk === 'on' && leadsOut(input)) event.preventDefault();
  });
  app.on('second-instance', open);
  app.on('activate', open);

  return {
    open,
    show,
    hide,
    switchUser() {
      open();
      offerSwitch();
    },
    tellIdleLeft(leftMs) {
      callBar(leftMs !== null);
      tell(window.webContents, 'idle-left', leftMs);
      if (bar !== null) tell(bar.window.webContents, 'idle-left', leftMs);
    },
    leaveKiosk() {
      const isAdministrator = entered?.station.isAdministrator() ?? false;
      onKiosk({ type: 'leave', isAdministrator });
      return isAdministrator;
    },
    say(status, ways) {
      full.say(status, ways);
      // Without a host there is no tray to come back from.
      leave = ways?.quit ?? hide;
      if (!status.isWaiting) open();
      // It is told again of a page that comes later, in a window that somebody has hidden meanwhile.
      else if (memory.now.view === 'window' && !window.isVisible()) window.once('ready-to-show', full.reveal);
    },
    enter(url, station, isKiosk) {
      entered = { url, station };
      kiosk = isKiosk ? 'on' : 'off';
      applyKiosk();
      full.load(url);
      if (memory.now.view === 'bar') show('bar');
      station.follow(() => onKiosk({ type: 'session', isAdministrator: station.isAdministrator() }));
    },
    isKiosk: () => kiosk !== 'off',
    viewOf(contents) {
      if (contents === window.webContents) return 'window';
      return contents === bar?.window.webContents ? 'bar' : null;
    },
    dismiss() {
      memory.flush();
      window.hide();
      bar?.window.hide();
    },
  };
}
