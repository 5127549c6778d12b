/** `webContents`: a window's page in Chromium. */
import type { WebContents } from 'electron';
import type { Frame } from 'playwright-core';
import { appEvents } from './app.ts';
import { invoke, sendSync, webFrameOf, type WebFrame } from './ipc.ts';
import { modelled, ModelledEmitter, notModelled, preventable } from './modelled.ts';
import { openPage, type BrowserPage, type Look } from './page.ts';
import { mayRequest, mayTrust, session } from './session.ts';

type OpenHandler = Parameters<WebContents['setWindowOpenHandler']>[0];

let lastId = 0;

export class StandInContents
  extends ModelledEmitter
  implements
    Pick<
      WebContents,
      | 'id'
      | 'send'
      | 'loadURL'
      | 'reload'
      | 'getURL'
      | 'isDestroyed'
      | 'isCrashed'
      | 'isLoading'
      | 'focus'
      | 'setWindowOpenHandler'
      | 'setVisualZoomLevelLimits'
      | 'forcefullyCrashRenderer'
      | 'sendInputEvent'
      | 'executeJavaScript'
    >
{
  readonly id = ++lastId;
  readonly session = session.defaultSession;
  readonly #proxy: StandInContents;
  readonly #look: Look;
  #page: Promise<BrowserPage>;
  #mainFrame: Frame | null = null;
  #openHandler: OpenHandler | null = null;
  #url = '';
  #loads = 0;
  #isCrashed = false;
  #isDestroyed = false;

  constructor(look: Look) {
    super('webContents', [
      'before-input-event',
      'certificate-error',
      'context-menu',
      'destroyed',
      'devtools-opened',
      'did-fail-load',
      'did-finish-load',
      'did-navigate',
      'did-start-loading',
      'did-stop-loading',
      'dom-ready',
      'login',
      'preload-error',
      'render-process-gone',
      'responsive',
      'select-bluetooth-device',
      'select-client-certificate',
      'unresponsive',
      // No page here is redirected, and none can hold a <webview>: accepted, and never happening.
      'will-attach-webview',
      'will-frame-navigate',
      'will-navigate',
      'will-prevent-unload',
      'will-redirect',
    ]);
    this.#look = look;
    this.#proxy = modelled<StandInContents>('webContents', this);
    this.#page = this.#open();
    appEvents.emit('web-contents-created', preventable({}), this.#proxy);
    return this.#proxy;
  }

  /** The page itself, for a test. */
  get page(): Promise<BrowserPage> {
    return this.#page;
  }

  get mainFrame(): WebFrame {
    if (this.#mainFrame === null) throw new Error('electron stand-in: the page is not there yet');
    return webFrameOf(this.#mainFrame);
  }

  async loadURL(url: string): Promise<void> {
    this.#url = url;
    await this.#load(async (page) => page.load(url), url);
  }

  reload(): void {
    this.#load((page) => (this.#url === '' ? Promise.resolve() : page.reload()), this.#url).catch(() => {});
  }

  send(channel: string, ...given: unknown[]): void {
    if (this.#isDestroyed) throw new Error('Object has been destroyed');
    // Between two documents nobody listens.
    void this.#page.then((page) => page.send(channel, given)).catch(() => {});
  }

  getURL(): string {
    return this.#mainFrame?.url() ?? this.#url;
  }

  isLoading(): boolean {
    return this.#loads > 0;
  }

  isCrashed(): boolean {
    return this.#isCrashed;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  focus(): void {}

  setWindowOpenHandler(handler: OpenHandler): void {
    this.#openHandler = handler;
  }

  async setVisualZoomLevelLimits(): Promise<void> {}

  forcefullyCrashRenderer(): void {
    void this.#page.then((page) => page.crash());
  }

  async executeJavaScript(code: string): Promise<unknown> {
    return (await this.#page).evaluate(code);
  }

  /** A key goes to the page unless the app keeps it; nothing else is modelled. */
  sendInputEvent(given: Parameters<WebContents['sendInputEvent']>[0]): void {
    if (given.type !== 'keyDown') throw notModelled(`webContents.sendInputEvent of ${given.type}`);
    const { keyCode: key, modifiers = [] } = given as Electron.KeyboardInputEvent;
    const has = (name: string): boolean => (modifiers as readonly string[]).includes(name);
    const [control, alt, shift, meta] = [
      has('control') || has('ctrl'),
      has('alt'),
      has('shift'),
      has('meta'),
    ];
    const event = preventable({});
    this.emit('before-input-event', event, {
      type: 'keyDown',
      key,
      code: key.length === 1 ? `Key${key.toUpperCase()}` : key,
      isAutoRepeat: false,
      isComposing: false,
      ...{ control, alt, shift, meta, location: 0, modifiers },
    });
    if (event.defaultPrevented) return;
    const keys = [control && 'Control', alt && 'Alt', shift && 'Shift', meta && 'Meta', key].filter(Boolean);
    void this.#page.then((page) => page.press(keys.join('+')));
  }

  resize(width: number, height: number): void {
    void this.#page.then((page) => page.resize(width, height)).catch(() => {});
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.emit('destroyed');
    void this.#page.then((page) => page.close()).catch(() => {});
  }

  async #load(load: (page: BrowserPage) => Promise<void>, url: string): Promise<void> {
    // A page whose process has gone is replaced by another one.
    if (this.#isCrashed) {
      this.#isCrashed = false;
      const gone = this.#page;
      this.#page = this.#open();
      await (await gone).close();
      load = (page) => page.load(url);
    }
    this.#loads += 1;
    this.emit('did-start-loading');
    try {
      await load(await this.#page);
      this.emit('dom-ready', {});
      this.emit('did-navigate', {}, this.getURL(), 200, '');
      this.emit('did-finish-load');
    } catch (error) {
      if (this.#isDestroyed) return;
      const [, name = 'ERR_FAILED', code = '-2'] = /(ERR_\w+) \((-?\d+)\)/.exec(String(error)) ?? [];
      this.emit('did-fail-load', {}, Number(code), name, url, true, 0, 0);
      throw error;
    } finally {
      this.#loads -= 1;
      this.emit('did-stop-loading');
    }
  }

  async #open(): Promise<BrowserPage> {
    const page = await openPage(this.#look, {
      mayRequest,
      mayTrust,
      mayNavigate: (url, frame) => this.#mayNavigate(url, frame),
      onSendSync: (frame, channel, given) => sendSync(this.#proxy, frame, channel, given),
      onInvoke: (frame, channel, given) => invoke(this.#proxy, frame, channel, given),
      onPopup: (url) => {
        const { action } = this.#openHandler?.({ url } as Electron.HandlerDetails) ?? { action: 'allow' };
        if (action !== 'deny') throw notModelled('a second window');
      },
      onCrash: () => {
        this.#isCrashed = true;
        this.emit('render-process-gone', preventable({}), { reason: 'crashed', exitCode: 5 });
        appEvents.emit('render-process-gone', preventable({}), this.#proxy, {
          reason: 'crashed',
          exitCode: 5,
        });
      },
    });
    this.#mainFrame = page.mainFrame;
    return page;
  }

  #mayNavigate(url: string, frame: Frame): boolean {
    const isMainFrame = frame.parentFrame() === null;
    const event = preventable({ url, isMainFrame, isSameDocument: false, frame: webFrameOf(frame) });
    this.emit('will-frame-navigate', event);
    if (isMainFrame && !event.defaultPrevented) this.emit('will-navigate', event, url);
    return !event.defaultPrevented;
  }
}
