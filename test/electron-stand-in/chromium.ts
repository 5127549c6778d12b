/** The page of a window: Debian's Chromium, its requests held until the app has judged them. */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { chromium, type Browser, type Frame, type Page, type Request, type Route } from 'playwright-core';

/** Debian's, or the one that CHROMIUM names. */
export const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Where the preload script's `sendSync` goes: a request that is answered here and never leaves the browser. */
const IPC_PATH = '/.electron-stand-in/ipc';

/** What the app decides, asked while Chromium waits. */
export interface Judge {
  /** Whether to go on with a navigation that the page, not the app, began. */
  mayNavigate(url: string): boolean;
  mayTrust(hostname: string, certificate: X509Certificate): Promise<boolean>;
  onPopup(url: string): void;
  onSendSync(frame: Frame, channel: string, given: unknown[]): unknown;
}

export interface BrowserPage {
  /** Rejects as Electron's `loadURL` does. */
  load(url: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
}

let browser: Promise<Browser> | null = null;

function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    // Signals are the app's own business.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
}

export interface Look {
  readonly preload: string;
  readonly locale: string;
  readonly viewport: { readonly width: number; readonly height: number };
}

export async function openPage({ preload, ...look }: Look, judge: Judge): Promise<BrowserPage> {
  browser ??= launch();
  // Every certificate passes Chromium, for the app is to judge: see `proceed`.
  const context = await (await browser).newContext({ ignoreHTTPSErrors: true, ...look });
  await context.addInitScript({ content: inject(readFileSync(preload, 'utf8')) });
  const page = await context.newPage();
  let loading = '';
  await context.route('**/*', (route) => proceed(route, page, () => loading, judge));
  context.on('page', (popup) => {
    void popup.close();
    judge.onPopup(popup.url());
  });
  return {
    async load(url) {
      loading = url;
      try {
        await page.goto(url);
      } catch (cause) {
        // Chromium's own page about it would cut off what is loaded next.
        await page.waitForURL('chrome-error://**');
        throw new Error(`ERR_FAILED (-2) loading '${url}'`, { cause });
      } finally {
        loading = '';
      }
    },
    evaluate: (expression) => page.evaluate(expression),
  };
}

async function proceed(route: Route, page: Page, loading: () => string, judge: Judge): Promise<void> {
  const request = route.request();
  const url = new URL(request.url());
  const frame = frameOf(request);
  if (frame?.page() !== page) return route.abort('aborted');
  if (url.pathname === IPC_PATH) {
    const { channel, given } = request.postDataJSON() as { channel: string; given: unknown[] };
    return route.fulfill({ json: { value: judge.onSendSync(frame, channel, given) } });
  }
  const isOfPage = request.isNavigationRequest() && frame === page.mainFrame() && !isSame(url, loading());
  if (isOfPage && !judge.mayNavigate(url.href)) return route.abort('aborted');
  if (url.protocol === 'https:' && !(await judge.mayTrust(url.hostname, await certificateOf(url)))) {
    return route.abort('failed');
  }
  return route.continue();
}

/** A popup's first navigation has no frame yet. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}

function isSame(url: URL, other: string): boolean {
  return URL.canParse(other) && new URL(other).href === url.href;
}

/** Playwright does not tell it before the request is sent, so the server is asked for it once more. */
async function certificateOf({ hostname, port }: URL): Promise<X509Certificate> {
  const socket = connect({ host: hostname, port: Number(port || 443), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (certificate === undefined) throw new Error(`${hostname} shows no certificate`);
  return certificate;
}

/** Runs the preload script before the page's own, in the main frame alone; without an isolated world of its own. */
function inject(preload: string): string {
  const electron = `{
    contextBridge: { exposeInMainWorld: (name, value) => Object.defineProperty(window, name, { value: Object.freeze(value) }) },
    ipcRenderer: {
      sendSync: (channel, ...given) => {
        const request = new XMLHttpRequest();
        request.open('POST', '${IPC_PATH}', false);
        request.send(JSON.stringify({ channel, given }));
        return JSON.parse(request.responseText).value;
      },
    },
  }`;
  return `if (window === window.top && location.protocol === 'https:') {
    ((require, module, exports) => {${preload}\n})(() => (${electron}), { exports: {} }, {});
  }`;
}
