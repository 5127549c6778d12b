/** What the desktop's preload script offers its pages (electron/ipc/contract.ts); a browser has none. */
interface Window {
  readonly keyswitch: DesktopBridge | undefined;
}

interface DesktopBridge {
  readonly stationAppId: string;
  readonly view: 'window' | 'bar';
  readonly kiosk: boolean;
  /** Puts the bar in the place of the window, or the window in that of the bar. */
  show(view: 'window' | 'bar'): Promise<void>;
  /** Leaves the full screen; false where no administrator is signed in at the station. */
  leaveKiosk(): Promise<boolean>;
  /** The tray asks for another user. */
  onSwitchUser(listener: () => void): void;
  /** Milliseconds until nobody having touched the computer ends the session; null once somebody has. */
  onIdleLeft(listener: (leftMs: number | null) => void): void;
}
