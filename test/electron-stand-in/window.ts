/** `BrowserWindow`, each a page in Chromium; where it is and whether it is shown is noted, not seen. */
import type { BrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron';
import { appEvents, needsReady } from './app.ts';
import { StandInContents } from './contents.ts';
import { modelled, ModelledEmitter, notModelled, preventable } from './modelled.ts';
import { screen } from './screen.ts';

export const windows: StandInWindow[] = [];
let focused: StandInWindow | null = null;

type AlwaysOnTopLevel = Parameters<BrowserWindow['setAlwaysOnTop']>[1];

export class StandInWindow
  extends ModelledEmitter
  implements
    Pick<
      BrowserWindow,
      | 'loadURL'
      | 'show'
      | 'showInactive'
      | 'hide'
      | 'focus'
      | 'blur'
      | 'moveTop'
      | 'close'
      | 'destroy'
      | 'isDestroyed'
      | 'isVisible'
      | 'isFocused'
      | 'isMinimized'
      | 'isMaximized'
      | 'isFullScreen'
      | 'isKiosk'
      | 'isAlwaysOnTop'
      | 'minimize'
      | 'maximize'
      | 'unmaximize'
      | 'restore'
      | 'getBounds'
      | 'getNormalBounds'
      | 'getContentBounds'
      | 'getSize'
      | 'getPosition'
      | 'setBounds'
      | 'setContentSize'
      | 'setSize'
      | 'setPosition'
      | 'setMinimumSize'
      | 'center'
      | 'setAlwaysOnTop'
      | 'setVisibleOnAllWorkspaces'
      | 'setFullScreen'
      | 'setKiosk'
      | 'setClosable'
      | 'setMinimizable'
      | 'setMaximizable'
      | 'setResizable'
      | 'setMovable'
      | 'setSkipTaskbar'
      | 'setContentProtection'
      | 'setTitle'
      | 'setMenu'
      | 'removeMenu'
      | 'setMenuBarVisibility'
      | 'setBackgroundColor'
      | 'flashFrame'
    >
{
  static getAllWindows(): StandInWindow[] {
    return [...windows];
  }

  static getFocusedWindow(): StandInWindow | null {
    return focused;
  }

  static fromWebContents(contents: object): StandInWindow | null {
    return windows.find(({ webContents }) => webContents === contents) ?? null;
  }

  static fromId(id: number): StandInWindow | null {
    return windows.find((window) => window.id === id) ?? null;
  }

  readonly id: number;
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents: StandInContents;
  /** What the app has switched, such as `closable`, by its name in the options. */
  readonly switched: Record<string, unknown>;
  readonly #proxy: StandInWindow;
  #bounds: Rectangle;
  #state: 'normal' | 'minimized' | 'maximized' = 'normal';
  #isVisible: boolean;
  #isFullScreen: boolean;
  #isKiosk: boolean;
  #isOnTop: boolean;
  #isDestroyed = false;

  constructor(options: BrowserWindowConstructorOptions = {}) {
    needsReady('Cannot create BrowserWindow');
    super('BrowserWindow', [
      'always-on-top-changed',
      'blur',
      'close',
      'closed',
      'enter-full-screen',
      'focus',
      'hide',
      'leave-full-screen',
      'maximize',
      'minimize',
      'move',
      'moved',
      'page-title-updated',
      'query-session-end',
      'ready-to-show',
      'resize',
      'resized',
      'responsive',
      'restore',
      'session-end',
      'show',
      'unmaximize',
      'unresponsive',
    ]);
    const { width = 800, height = 600, webPreferences: { preload, partition } = {} } = options;
    if (partition !== undefined) throw notModelled('webPreferences.partition');
    const { workArea } = screen.getPrimaryDisplay();
    const { x = middle(workArea.x, workArea.width, width), y = middle(workArea.y, workArea.height, height) } =
      options;
    this.options = options;
    this.switched = { ...options };
    this.#bounds = { x, y, width, height };
    this.#isVisible = options.show ?? true;
    this.#isKiosk = options.kiosk ?? false;
    this.#isFullScreen = options.fullscreen ?? this.#isKiosk;
    this.#isOnTop = options.alwaysOnTop ?? false;
    this.webContents = new StandInContents({ preload, ...sizeOf(this.getBounds()) });
    this.id = this.webContents.id;
    this.#proxy = modelled<StandInWindow>('BrowserWindow', this);
    windows.push(this.#proxy);
    this.webContents.once('did-finish-load', () => this.emit('ready-to-show'));
    appEvents.emit('browser-window-created', {}, this.#proxy);
    return this.#proxy;
  }

  loadURL(url: string): Promise<void> {
    return this.webContents.loadURL(url);
  }

  show(): void {
    this.showInactive();
    this.focus();
  }

  showInactive(): void {
    const wasVisible = this.#isVisible;
    this.#isVisible = true;
    if (!wasVisible) this.emit('show');
  }

  hide(): void {
    const wasVisible = this.#isVisible;
    this.blur();
    this.#isVisible = false;
    if (wasVisible) this.emit('hide');
  }

  focus(): void {
    if (focused === this.#proxy || !this.isVisible()) return;
    focused?.blur();
    focused = this.#proxy;
    this.emit('focus');
    appEvents.emit('browser-window-focus', {}, this.#proxy);
  }

  blur(): void {
    if (focused !== this.#proxy) return;
    focused = null;
    this.emit('blur');
    appEvents.emit('browser-window-blur', {}, this.#proxy);
  }

  moveTop(): void {}

  close(): void {
    const event = preventable({});
    this.emit('close', event);
    if (!event.defaultPrevented) this.destroy();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.blur();
    this.#isDestroyed = true;
    this.#isVisible = false;
    windows.splice(windows.indexOf(this.#proxy), 1);
    this.webContents.destroy();
    this.emit('closed');
    if (windows.length === 0 && !appEvents.emit('window-all-closed'))
      throw notModelled('quitting with the last window');
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  isVisible(): boolean {
    return this.#isVisible && this.#state !== 'minimized';
  }

  isFocused(): boolean {
    return focused === this.#proxy;
  }

  isMinimized(): boolean {
    return this.#state === 'minimized';
  }

  isMaximized(): boolean {
    return this.#state === 'maximized';
  }

  isFullScreen(): boolean {
    return this.#isFullScreen;
  }

  isKiosk(): boolean {
    return this.#isKiosk;
  }

  isAlwaysOnTop(): boolean {
    return this.#isOnTop;
  }

  minimize(): void {
    this.#enter('minimized', 'minimize');
    this.blur();
  }

  maximize(): void {
    this.#isVisible = true;
    this.#enter('maximized', 'maximize');
  }

  unmaximize(): void {
    this.#enter('normal', 'unmaximize');
  }

  restore(): void {
    this.#enter('normal', 'restore');
  }

  getBounds(): Rectangle {
    const display = screen.getDisplayMatching(this.#bounds);
    if (this.#isFullScreen || this.#isKiosk) return { ...display.bounds };
    return this.#state === 'maximized' ? { ...display.workArea } : this.getNormalBounds();
  }

  getNormalBounds(): Rectangle {
    return { ...this.#bounds };
  }

  getContentBounds(): Rectangle {
    return this.getBounds();
  }

  getSize(): number[] {
    const { width, height } = this.getBounds();
    return [width, height];
  }

  getPosition(): number[] {
    const { x, y } = this.getBounds();
    return [x, y];
  }

  setBounds(given: Partial<Rectangle>): void {
    this.#bounds = { ...this.#bounds, ...given };
    this.#tellBounds();
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height });
  }

  setContentSize(width: number, height: number): void {
    this.setBounds({ width, height });
  }

  setPosition(x: number, y: number): void {
    this.setBounds({ x, y });
  }

  center(): void {
    const { width, height } = this.#bounds;
    const { workArea } = screen.getDisplayMatching(this.#bounds);
    this.setPosition(middle(workArea.x, workArea.width, width), middle(workArea.y, workArea.height, height));
  }

  setAlwaysOnTop(flag: boolean, level: AlwaysOnTopLevel = 'floating'): void {
    this.#isOnTop = flag;
    this.switched['level'] = flag ? level : 'normal';
    this.emit('always-on-top-changed', {}, flag);
  }

  setFullScreen(flag: boolean): void {
    if (flag === this.#isFullScreen) return;
    this.#isFullScreen = flag;
    this.#tellBounds();
    this.emit(flag ? 'enter-full-screen' : 'leave-full-screen');
  }

  setKiosk(flag: boolean): void {
    this.#isKiosk = flag;
    this.setFullScreen(flag);
  }

  setMinimumSize(width: number, height: number): void {
    Object.assign(this.switched, { minWidth: width, minHeight: height });
  }

  setVisibleOnAllWorkspaces(flag: boolean): void {
    this.switched['visibleOnAllWorkspaces'] = flag;
  }

  setClosable(flag: boolean): void {
    this.switched['closable'] = flag;
  }

  setMinimizable(flag: boolean): void {
    this.switched['minimizable'] = flag;
  }

  setMaximizable(flag: boolean): void {
    this.switched['maximizable'] = flag;
  }

  setResizable(flag: boolean): void {
    this.switched['resizable'] = flag;
  }

  setMovable(flag: boolean): void {
    this.switched['movable'] = flag;
  }

  setSkipTaskbar(flag: boolean): void {
    this.switched['skipTaskbar'] = flag;
  }

  setContentProtection(flag: boolean): void {
    this.switched['contentProtection'] = flag;
  }

  setTitle(title: string): void {
    this.switched['title'] = title;
  }

  setBackgroundColor(color: string): void {
    this.switched['backgroundColor'] = color;
  }

  setMenu(menu: unknown): void {
    this.switched['menu'] = menu;
  }

  removeMenu(): void {
    this.setMenu(null);
  }

  setMenuBarVisibility(flag: boolean): void {
    this.switched['menuBarVisible'] = flag;
  }

  flashFrame(flag: boolean): void {
    this.switched['flashes'] = flag;
  }

  #enter(state: 'normal' | 'minimized' | 'maximized', event: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.emit(event);
    this.#tellBounds();
  }

  #tellBounds(): void {
    const { width, height } = this.getBounds();
    this.webContents.resize(width, height);
    this.emit('resize');
    this.emit('move');
  }
}

function middle(start: number, whole: number, part: number): number {
  return Math.round(start + (whole - part) / 2);
}

function sizeOf({ width, height }: Rectangle): { width: number; height: number } {
  return { width, height };
}
