/** The page of a window: its requests wait until the app has judged them. */
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import type { BrowserContext, Frame, Page, Request, Route } from 'playwright-core';
import { chromium } from './chromium.ts';
import { grantPermissions } from './session.ts';
import { makeWorld, type Wire } from './world.ts';

const WIRE: Wire = {
  path: '/.electron-stand-in/ipc',
  url: 'https://electron-stand-in.invalid/.electron-stand-in/ipc',
  binding: '__electronStandIn',
  inbox: 'electron stand-in: inbox',
};

const OPEN = '__electronStandInOpen';
/** Electron asks before it makes a window; Chromium would have sent its first request by then, now and then. */
const ASK_TO_OPEN = `window.open = (url = 'about:blank') => {
  ${OPEN}(new URL(url, location.href).href);
  return null;
};`;

/** What the app decides, asked while Chromium waits, and what it is told. */
export interface Judge {
  mayRequest(request: Request): Promise<boolean>;
  /** Whether to go on with a navigation that the page, not the app, began. */
  mayNavigate(url: string, frame: Frame): boolean;
  mayTrust(hostname: string, certificate: X509Certificate): Promise<boolean>;
  onPopup(url: string): void;
  onSendSync(frame: Frame, channel: string, given: unknown[]): unknown;
  onInvoke(frame: Frame, channel: string, given: unknown[]): Promise<unknown>;
  onCrash(): void;
}

export interface Look {
  readonly preload: string | undefined;
  readonly width: number;
  readonly height: number;
}

export interface BrowserPage {
  /** Rejects as Electron's `loadURL` does. */
  load(url: string): Promise<void>;
  reload(): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  /** Gives the page what the main process sends; one without a preload script takes nothing. */
  send(channel: string, given: unknown[]): Promise<void>;
  press(key: string): Promise<void>;
  resize(width: number, height: number): Promise<void>;
  crash(): void;
  close(): Promise<void>;
  readonly mainFrame: Frame;
}

interface Judged {
  readonly judge: Judge;
  /** What the app itself loads, which nobody is asked about. */
  loading: string;
}

const judged = new Map<Page, Judged>();
const certificates = new Map<string, Promise<X509Certificate>>();
let watched: Promise<BrowserContext> | null = null;

export async function openPage({ preload, width, height }: Look, judge: Judge): Promise<BrowserPage> {
  const context = await (watched ??= watchAll());
  const page = await context.newPage();
  const state: Judged = { judge, loading: '' };
  judged.set(page, state);
  page.on('crash', () => judge.onCrash());
  // The app has been asked by then: a second window is none of ours. Closed any sooner, before its requests are waited
  // for, it may still send one.
  page.on('popup', (popup) => void popup.close().catch(() => {}));
  const script = preload === undefined ? null : readFileSync(preload, 'utf8');
  const session = await context.newCDPSession(page);
  session.on('Page.windowOpen', ({ url }) => judge.onPopup(url));
  await Promise.all([
    session.send('Page.enable'),
    // Else only the last page to be opened would be painted.
    session.send('Emulation.setFocusEmulationEnabled', { enabled: true }),
    page.setViewportSize({ width, height }),
    page.exposeBinding(WIRE.binding, ({ frame }, channel: string, given: unknown[]) =>
      judge.onInvoke(frame, channel, given).then(
        (value) => ({ value }),
        (error: unknown) => ({ error: `Error invoking remote method '${channel}': ${String(error)}` }),
      ),
    ),
  ]);
  await page.exposeBinding(OPEN, (_source, url: string) => judge.onPopup(url));
  await page.addInitScript({ content: ASK_TO_OPEN });
  if (script !== null) await page.addInitScript({ content: inject(script) });

  async function go(url: string, navigate: () => Promise<unknown>): Promise<void> {
    state.loading = url;
    try {
      await navigate();
    } catch (cause) {
      const text = String(cause);
      const isOvertaken = text.includes('interrupted by another navigation') || text.includes('ERR_ABORTED');
      if (isOvertaken) throw new Error(`ERR_ABORTED (-3) loading '${url}'`, { cause });
      // Chromium's own page about it would cut off what is loaded next.
      await page.waitForURL('chrome-error://**');
      throw new Error(`ERR_FAILED (-2) loading '${url}'`, { cause });
    } finally {
      if (state.loading === url) state.loading = '';
    }
  }

  return {
    mainFrame: page.mainFrame(),
    load: (url) => go(url, () => page.goto(url)),
    reload: () => go(page.url(), () => page.reload()),
    evaluate: (expression) => page.evaluate(expression),
    send: (channel, given) =>
      page.evaluate(
        ([inbox, ...message]) => {
          const take = Reflect.get(globalThis, Symbol.for(inbox)) as
            ((channel: string, given: unknown[]) => void) | undefined;
          take?.(...message);
        },
        [WIRE.inbox, channel, given] as const,
      ),
    press: (key) => page.keyboard.press(key),
    resize: (w, h) => page.setViewportSize({ width: w, height: h }),
    // Nobody is left to answer.
    crash: () => void session.send('Page.crash').catch(() => {}),
    async close() {
      judged.delete(page);
      await page.close();
    },
  };
}

async function watchAll(): Promise<BrowserContext> {
  const browser = await chromium;
  const { context } = browser;
  await grantPermissions(browser);
  await context.route('**/*', proceed);
  return context;
}

async function proceed(route: Route): Promise<void> {
  const request = route.request();
  const url = new URL(request.url());
  const frame = frameOf(request);
  const state = frame === null ? undefined : judged.get(frame.page());
  if (frame === null || state === undefined) return route.abort('aborted');
  const { judge, loading } = state;
  if (url.pathname === WIRE.path) {
    const { channel, given } = request.postDataJSON() as { channel: string; given: unknown[] };
    return route.fulfill({
      headers: { 'access-control-allow-origin': '*' },
      json: { value: judge.onSendSync(frame, channel, given) },
    });
  }
  if (request.isNavigationRequest()) {
    if (frame.parentFrame() === null) certificates.clear();
    if (!isSame(url, loading) && !judge.mayNavigate(url.href, frame)) return route.abort('aborted');
  }
  if (!(await judge.mayRequest(request))) return route.abort('blockedbyclient');
  if (url.protocol === 'https:') {
    try {
      if (!(await judge.mayTrust(url.hostname, await certificateOf(url)))) return await route.abort('failed');
    } catch {
      return route.abort('connectionrefused');
    }
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

/** Playwright does not tell it before the request is sent, so the server is asked for it once for each document. */
function certificateOf({ hostname, port }: URL): Promise<X509Certificate> {
  const key = `${hostname}:${port}`;
  const known = certificates.get(key) ?? ask(hostname, Number(port || 443));
  certificates.set(key, known);
  return known;
}

async function ask(host: string, port: number): Promise<X509Certificate> {
  const socket = connect({ host, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerX509Certificate();
  socket.destroy();
  if (certificate === undefined) throw new Error(`${host} shows no certificate`);
  return certificate;
}

/** Runs the preload script before the page's own, in the main frame alone; without an isolated world of its own. */
function inject(preload: string): string {
  return `if (window === window.top && /^(https?|data|file):$/.test(location.protocol)) {
    const electron = (${makeWorld.toString()})(${JSON.stringify(WIRE)});
    ((require, module, exports) => {${preload}\n})(() => electron, { exports: {} }, {});
  }`;
}
