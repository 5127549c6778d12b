/** What the desktop and its pages say to each other: channel -> signature; types only. */

/** Which of the desktop's windows a page is in: the full one, or the bar that stays on top of everything. */
export type View = 'window' | 'bar';

/** What a page has to know before it is shown. */
export interface Desktop {
  /** The AppId of this station, so that the page signs its user in at it. */
  readonly stationAppId: string;
  readonly view: View;
  /** The window fills the screen, and only an administrator may leave it. */
  readonly kiosk: boolean;
}

/** What a page may ask for. */
export interface Contract {
  /** Answered while the page waits, before any of its own code runs. */
  desktop: () => Desktop;
  /** Puts the bar in the place of the window, or the window in that of the bar. */
  show: (view: View) => void;
  /** Leaves the full screen; false where no administrator is signed in at the station. */
  'leave-kiosk': () => boolean;
}

/** What the desktop tells its pages. */
export interface Told {
  /** The tray asks for another user: the page offers to hand over, whether somebody is signed in or not. */
  'switch-user': [];
  /** Milliseconds until nobody having touched the computer ends the session; null once somebody has. */
  'idle-left': [leftMs: number | null];
}

export type Channel = keyof Contract;
export type Tidings = keyof Told;
