/** What the desktop refuses where no page in the stand-in's Chromium can ask: its rules, called as Electron would call them. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageOf, type Desktop } from '../electron/desktop.ts';
import { openWorkplace, type Workplace } from '../electron/workplace.ts';
import { inStandIn, type StandInModule } from '../electron-stand-in/desktop.ts';

describe('what no page of the desktop is given', () => {
  let place: Workplace;
  let desktop: Desktop;
  let page: Page;

  beforeAll(async () => {
    place = await openWorkplace(inStandIn);
    ({ desktop } = place);
    page = await pageOf(desktop, 'window');
  });
  afterAll(() => place.close());

  /** Emits an event of the app, its session or a page, and tells what the desktop did with it. */
  const emit = (from: 'app' | 'session' | 'page', event: string, given: readonly unknown[] = []) =>
    desktop.inMain(
      ({ app, session, BrowserWindow }, { source, name, rest }) => {
        const page = BrowserWindow.getAllWindows()[0]?.webContents;
        const emitter = { app, session: session.defaultSession, page }[source] as NodeJS.EventEmitter;
        let isPrevented = false;
        const answers: unknown[][] = [];
        const answer = (...answered: unknown[]): void => void answers.push(answered);
        const preventDefault = (): void => void (isPrevented = true);
        emitter.emit(name, { preventDefault, ...Object(rest[0]) }, ...rest.slice(1), answer);
        return { isPrevented, answers };
      },
      { source: from, name: event, rest: given },
    );

  it.each([
    ['a faulty certificate', 'app', 'certificate-error', [{}, null, 'https://x', 'ERR', {}], [[false]]],
    ['a server that asks for a password', 'app', 'login', [{}, null, {}, {}], [[]]],
    ['a server that asks for a certificate', 'app', 'select-client-certificate', [{}, null, 'x', [{}]], [[]]],
    ['a HID device', 'session', 'select-hid-device', [{}, {}], [[null]]],
    ['a serial port', 'session', 'select-serial-port', [{}, [{}], null], [['']]],
    ['a USB device', 'session', 'select-usb-device', [{}, {}], [[]]],
    ['a Bluetooth device', 'page', 'select-bluetooth-device', [{}, [{}]], [['']]],
  ] as const)('%s is refused', async (_what, from, event, given, answers) => {
    expect(await emit(from, event, given)).toEqual({ isPrevented: true, answers });
  });

  it('a webview, and a redirection to elsewhere, are prevented; one within the host is not', async () => {
    expect((await emit('page', 'will-attach-webview')).isPrevented).toBe(true);
    const redirected = async (url: string): Promise<boolean> =>
      (await emit('page', 'will-redirect', [{ url }])).isPrevented;
    expect(await redirected('https://example.com/')).toBe(true);
    expect(await redirected(`${place.url}.example.com/`)).toBe(true);
    expect(await redirected('nonsense')).toBe(true);
    expect(await redirected(`${place.url}/audit`)).toBe(false);
  });

  it('no permission is granted, and no device, screen or pairing', async () => {
    const granted = await desktop.inMain((electron) => {
      const { mayAsk, mayUse, mayUseDevice, mayCapture, mayPair } = (electron as unknown as StandInModule)
        .standIn.rules;
      const answers: unknown[] = [
        mayUse?.(null, 'media', 'https://127.0.0.1', {} as never),
        mayUseDevice?.({} as never),
      ];
      mayAsk?.({} as never, 'media', (answer) => answers.push(answer), {} as never);
      mayCapture?.({} as never, (streams) => answers.push(streams));
      mayPair?.({} as never, (answer) => answers.push(answer));
      return answers;
    });
    expect(granted).toEqual([false, false, false, null, { confirmed: false }]);
  });

  it.each([
    ['the audit trail', '/api/v1/audit/export?format=csv', true],
    ['anything else of the host', '/healthz', false],
    ['something that looks like it', '/x/api/v1/audit/export', false],
  ])('of files to save there is only the audit trail: %s', async (_what, path, isSaved) => {
    const saved = (url: string): Promise<boolean> =>
      desktop.inMain(({ session }, address) => {
        let isPrevented = false;
        const event = { preventDefault: () => (isPrevented = true) };
        session.defaultSession.emit('will-download', event, { getURL: () => address });
        return !isPrevented;
      }, url);
    expect(await saved(place.url + path)).toBe(isSaved);
    expect(await saved(`https://example.com${path}`)).toBe(false);
  });

  it('nothing but the host is asked for anything', async () => {
    const goesOut = (url: string): Promise<boolean> =>
      desktop.inMain((electron, address) => {
        const { mayRequest } = (electron as unknown as StandInModule).standIn.rules;
        return new Promise<boolean>((resolve) => {
          mayRequest?.listener({ url: address } as never, ({ cancel = false }) => resolve(!cancel));
        });
      }, url);
    const { host } = new URL(place.url);
    expect(await goesOut(`${place.url}/main.js`)).toBe(true);
    expect(await goesOut(`wss://${host}/ws`)).toBe(true);
    expect(await goesOut('data:text/html,x')).toBe(true);
    for (const url of [
      `http://${host}/`,
      `https://localhost:${new URL(place.url).port}/`,
      'https://update.googleapis.com/',
      'file:///etc/passwd',
      'ftp://x',
    ]) {
      expect(await goesOut(url)).toBe(false);
    }
  });

  it('each of its windows is isolated, sandboxed, and without Node, developer tools and web views', async () => {
    await page.evaluate("keyswitch.show('bar')");
    const all = await desktop.inMain((electron) =>
      (electron as unknown as StandInModule).standIn.windows.map(({ options }) => options.webPreferences),
    );
    expect(all).toHaveLength(2);
    for (const preferences of all) {
      expect(preferences).toEqual({
        preload: expect.stringMatching(/preload\.cjs$/),
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        webviewTag: false,
        devTools: false,
        spellcheck: false,
      });
    }
  });
});

describe('a full screen', () => {
  let place: Workplace;

  beforeAll(async () => {
    place = await openWorkplace(inStandIn, { config: { 'desktop.kiosk': 'true' } });
  });
  afterAll(() => place.close());

  it('saves no file at all', async () => {
    const isPrevented = await place.desktop.inMain(({ session }, url) => {
      let prevented = false;
      const event = { preventDefault: () => (prevented = true) };
      session.defaultSession.emit('will-download', event, { getURL: () => url });
      return prevented;
    }, `${place.url}/api/v1/audit/export?format=csv`);
    expect(isPrevented).toBe(true);
  });
});
