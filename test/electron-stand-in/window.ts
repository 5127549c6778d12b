/** `BrowserWindow`, each a page in Chromium; that it is shown or hidden is noted, not seen. */
import type { BrowserWindow, BrowserWindowConstructorOptions, WebContents } from 'electron';
import { appEvents, locale } from './app.ts';
import { openPage, type BrowserPage } from './chromium.ts';
import { sendSync } from './ipc.ts';
import { modelled, ModelledEmitter, preventable } from './modelled.ts';
import { mayTrust } from './session.ts';

export const windows: StandInWindow[] = [];

type OpenHandler = Parameters<WebContents['setWindowOpenHandler']>[0];

class StandInContents extends ModelledEmitter implements Pick<WebContents, 'setWindowOpenHandler'> {
  openHandler: OpenHandler | null = null;

  constructor() {
    // No page here can be redirected or hold a <webview>: those two are accepted and never happen.
    super('webContents', ['will-navigate', 'will-redirect', 'will-attach-webview']);
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }
}

export class StandInWindow
  extends ModelledEmitter
  implements
    Pick<BrowserWindow, 'loadURL' | 'show' | 'hide' | 'focus' | 'isVisible' | 'isMinimized' | 'close'>
{
  static getAllWindows(): StandInWindow[] {
    return windows;
  }

  readonly options: BrowserWindowConstructorOptions;
  readonly page: Promise<BrowserPage>;
  readonly #contents = new StandInContents();
  #isVisible: boolean;

  constructor(options: BrowserWindowConstructorOptions) {
    super('BrowserWindow', ['ready-to-show', 'close']);
    this.options = options;
    this.#isVisible = options.show ?? true;
    const contents = this.#contents;
    appEvents.emit('web-contents-created', preventable({}), modelled('webContents', contents));
    const { width = 800, height = 600, webPreferences: { preload = '' } = {} } = options;
    this.page = openPage(
      { preload, locale, viewport: { width, height } },
      {
        mayTrust,
        onSendSync: sendSync,
        mayNavigate(url) {
          const event = preventable({ url });
          contents.emit('will-navigate', event);
          return !event.defaultPrevented;
        },
        onPopup(url) {
          const { action } = contents.openHandler?.({ url } as Electron.HandlerDetails) ?? {
            action: 'allow',
          };
          if (action !== 'deny') throw new Error('electron stand-in: a second window is not modelled');
        },
      },
    );
    const window = modelled<StandInWindow>('BrowserWindow', this);
    windows.push(window);
    return window;
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.page;
    await page.load(url);
    this.emit('ready-to-show');
  }

  show(): void {
    this.#isVisible = true;
  }

  hide(): void {
    this.#isVisible = false;
  }

  focus(): void {}

  isVisible(): boolean {
    return this.#isVisible;
  }

  isMinimized(): boolean {
    return false;
  }

  close(): void {
    const event = preventable({});
    this.emit('close', event);
    if (!event.defaultPrevented)
      throw new Error('electron stand-in: a window without a page is not modelled');
  }
}
