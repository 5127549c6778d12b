/** A host with people, and browsers in front of it; all gone after the tests of the file. */
import { afterAll } from 'vitest';
import type { BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../browser.ts';
import { PASSWORD, startTestHost, type HostOptions, type TestHost } from '../host.ts';
import { createSteeredClock, type SteeredClock } from '../steered-clock.ts';

/** Longer than a page needs, on a machine that is busy with other tests. */
export const WAIT = { timeout: 20_000 };

export interface ControlRoom {
  readonly house: TestHost;
  readonly clock: SteeredClock;
  /** A browser that remembers nothing yet; its pages are its tabs. */
  newBrowser(options?: BrowserOptions): Promise<BrowserContext>;
  /** A tab of a new browser. */
  newPage(path?: string, options?: BrowserOptions): Promise<Page>;
}

export interface BrowserOptions {
  readonly locale?: string;
  readonly theme?: 'light' | 'dark' | 'contrast';
  readonly viewport?: { readonly width: number; readonly height: number };
  /** Stands in for the desktop's preload script: `window.keyswitch` of these facts. */
  readonly desktop?: Pick<DesktopBridge, 'stationAppId'> & Partial<Pick<DesktopBridge, 'view' | 'kiosk'>>;
}

/** What the desktop's preload script would offer; a test reads what the page asked for, and tells it things. */
const BRIDGE = `{
  view: 'window',
  kiosk: false,
  asked: [],
  show(view) { this.asked.push('show ' + view); return Promise.resolve(); },
  leaveKiosk() { this.asked.push('leave kiosk'); return Promise.resolve(true); },
  onSwitchUser(listener) { this.switchUser = listener; },
  onIdleLeft(listener) { this.tellIdleLeft = listener; },
}`;

/** `ada` is an administrator, `olivia` is none. */
export async function openControlRoom(options: HostOptions = {}): Promise<ControlRoom> {
  const clock = createSteeredClock();
  const house = await startTestHost({ clock, ...options });
  const browser = await launchBrowser();
  afterAll(async () => {
    await browser.close();
    await house.close();
  });
  await house.addUser('ada', { type: 'Admin' });
  await house.addUser('olivia');

  async function newBrowser(given: BrowserOptions = {}): Promise<BrowserContext> {
    const { locale = 'en-GB', theme, desktop, viewport = { width: 1280, height: 800 } } = given;
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, viewport });
    if (theme !== undefined) {
      await context.addInitScript({ content: `localStorage.setItem('keyswitch.theme', '${theme}')` });
    }
    if (desktop !== undefined) {
      const content = `window.keyswitch = Object.assign(${BRIDGE}, ${JSON.stringify(desktop)})`;
      await context.addInitScript({ content });
    }
    return context;
  }

  return {
    house,
    clock,
    newBrowser,
    async newPage(path = '/', given = {}) {
      const page = await (await newBrowser(given)).newPage();
      await page.goto(house.url + path);
      return page;
    },
  };
}

/** Lets the stand-in for the desktop speak: `tellIdleLeft(42000)`, `switchUser()`. */
export async function fromDesktop(page: Page, call: string): Promise<void> {
  await page.evaluate(`window.keyswitch.${call}`);
}

/** What the page has asked of the desktop. */
export function askedOfDesktop(page: Page): Promise<string[]> {
  return page.evaluate<string[]>('window.keyswitch.asked');
}

/** Signs in on the page that is shown, and waits until it has gone. */
export async function signIn(page: Page, user: string, password = PASSWORD): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(user);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('navigation').waitFor();
}
