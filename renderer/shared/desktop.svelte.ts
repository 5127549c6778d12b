/** The desktop around this page, where there is one: what it tells, and what the page may ask of it. */

export class Desktop {
  /** Null in a browser. */
  readonly bridge: DesktopBridge | null;
  /** Milliseconds until nobody having touched the computer ends the session; null while somebody has. */
  idleLeftMs = $state<number | null>(null);
  /** Counts how often the tray has asked for another user. */
  switches = $state(0);

  constructor(bridge: DesktopBridge | undefined) {
    this.bridge = bridge ?? null;
    bridge?.onIdleLeft((leftMs) => (this.idleLeftMs = leftMs));
    bridge?.onSwitchUser(() => (this.switches += 1));
  }

  /** Whether this page is the small bar that stays on top of everything. */
  get isBar(): boolean {
    return this.bridge?.view === 'bar';
  }

  /** Whether the window may give way to the bar. */
  get hasBar(): boolean {
    return this.bridge !== null && !this.bridge.kiosk;
  }
}
