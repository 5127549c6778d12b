/** The full screen that only an administrator may leave: when it is on, and which keys would lead out of it. */

/** `off`: not asked for. `left`: an administrator has left it, until their session ends. */
export type Kiosk = 'off' | 'on' | 'left';

export type KioskEvent =
  /** Whoever is at the controls asks to leave it. */
  | { readonly type: 'leave'; readonly isAdministrator: boolean }
  /** Somebody has come or gone. */
  | { readonly type: 'session'; readonly isAdministrator: boolean };

export function nextKiosk(kiosk: Kiosk, { type, isAdministrator }: KioskEvent): Kiosk {
  if (kiosk === 'off') return 'off';
  if (!isAdministrator) return 'on';
  return type === 'leave' ? 'left' : kiosk;
}

/** A key as Electron's `before-input-event` tells it. */
export interface KeyInput {
  readonly key: string;
  readonly control: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

/** The keys of a browser rather than of its page: find, reload, caret browsing, full screen, developer tools. */
const FUNCTION_KEYS = /^(F([3-9]|1[0-2])|Browser\w+|Launch\w+|ContextMenu|PrintScreen)$/;

/** With Alt: closes the window, opens its menu, or goes to another one. */
const WITH_ALT = /^(F4| |Tab|Escape)$/;

/** With Ctrl, or Cmd: what edits text, which alone stays. */
const EDITING = /^([acvxyz]|Arrow\w+|Home|End|Backspace|Delete|Insert|Enter|Control|Meta|Shift)$/i;

/** With Shift as well: what browsers take; the rest belongs to the pages. */
const WITH_SHIFT = /^([bcijkmnopqrstw0=+-]|Tab|Escape|Delete)$/i;

/** Whether a key is to be kept from the page and from Chromium while the screen is filled. */
export function leadsOut({ key, control, alt, shift, meta }: KeyInput): boolean {
  if (FUNCTION_KEYS.test(key)) return true;
  // On Windows AltGr, which types characters, is Ctrl and Alt.
  if (alt) return WITH_ALT.test(key);
  if (!control && !meta) return false;
  return shift ? WITH_SHIFT.test(key) : !EDITING.test(key);
}
