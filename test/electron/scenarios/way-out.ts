/** What a page must not get out of its window, to, or at, whatever it holds. */
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Download, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newCertificate } from '../certificates.ts';
import { pageOf, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

export function describeWayOut(starter: Starter): void {
  describe('a page that tries to get out', () => {
    let place: Workplace;
    let desktop: Desktop;
    let page: Page;
    let elsewhere: Elsewhere;

    beforeAll(async () => {
      place = await openWorkplace(starter);
      ({ desktop } = place);
      elsewhere = await startElsewhere();
      page = await pageOf(desktop, 'window');
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
    });
    afterAll(async () => {
      elsewhere.close();
      await place.close();
    });

    /** Whatever was tried: it was for nothing. */
    async function expectNothing(): Promise<void> {
      // What was begun before this has been judged when it is answered.
      expect(await page.evaluate("fetch('/healthz').then(({ status }) => status)")).toBe(200);
      expect(await page.evaluate('location.href')).toBe(`${place.url}/`);
      expect(await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
      expect(elsewhere.requests()).toBe(0);
    }

    it.each([
      ['navigates', (url: string) => `void (location.href = ${url})`],
      ['replaces itself', (url: string) => `location.replace(${url})`],
      [
        'follows a link',
        (url: string) => `Object.assign(document.createElement('a'), { href: ${url} }).click()`,
      ],
      [
        'sends a form',
        (url: string) =>
          `{ const form = document.body.appendChild(document.createElement('form'));
             form.method = 'post'; form.action = ${url}; form.submit(); form.remove(); }`,
      ],
      ['opens a window', (url: string) => `void window.open(${url})`],
      ['opens a window that does not know it', (url: string) => `void window.open(${url}, '', 'noopener')`],
      ['opens an empty window', () => "void window.open('about:blank')"],
      ['fetches', (url: string) => `void fetch(${url}, { mode: 'no-cors' }).catch(() => {})`],
      ['sends a beacon', (url: string) => `void navigator.sendBeacon(${url}, 'secret')`],
      [
        'frames',
        (url: string) =>
          `{ const frame = document.body.appendChild(document.createElement('iframe'));
             frame.src = ${url}; setTimeout(() => frame.remove(), 200); }`,
      ],
      ['loads a script', (url: string) => `void import(${url}).catch(() => {})`],
      ['opens a socket', (url: string) => `void new WebSocket(${url}.replace('http', 'ws'))`],
      ['reads a file by navigating', () => "void (location.href = 'file:///etc/passwd')"],
      [
        'runs a script by navigating',
        () => "void (location.href = 'data:text/html,<script>alert(1)</script>')",
      ],
      ['starts another program', () => "void (location.href = 'mailto:somebody@example.com')"],
    ])('stays where it is when it %s', async (_what, attempt) => {
      await page.evaluate(attempt(JSON.stringify(elsewhere.url)));
      await expectNothing();
    });

    it('reads no file', async () => {
      const read = "fetch('file:///etc/passwd').then(() => 'read', () => 'refused')";
      expect(await page.evaluate(read)).toBe('refused');
    });

    it('downloads nothing', async () => {
      const begun: Download[] = [];
      page.on('download', (download) => begun.push(download));
      await page.evaluate(
        `{ const link = document.createElement('a');
           link.href = URL.createObjectURL(new Blob(['text']));
           link.download = 'virus.exe'; link.click(); }`,
      );
      await page.evaluate(
        "Object.assign(document.createElement('a'), { href: '/healthz', download: 'a' }).click()",
      );
      await expectNothing();
      expect(await Promise.all(begun.map((download) => download.failure()))).not.toContain(null);
    });

    it.each([
      ['the camera', 'navigator.mediaDevices.getUserMedia({ video: true })'],
      ['the microphone', 'navigator.mediaDevices.getUserMedia({ audio: true })'],
      [
        'the place',
        'new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject))',
      ],
      ['the clipboard', 'navigator.clipboard.readText()'],
      [
        'notifications',
        "Notification.requestPermission().then((is) => is === 'granted' || Promise.reject())",
      ],
    ])('is not given %s', async (_what, attempt) => {
      const asked = `Promise.resolve().then(() => ${attempt}).then(() => 'given', () => 'refused')`;
      expect(await page.evaluate(asked)).toBe('refused');
    });

    it('finds nothing of Electron or Node', async () => {
      const found = await page.evaluate(
        "['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'].filter((name) => name in globalThis)",
      );
      expect(found).toEqual([]);
    });
  });

  describe('a page that shows another certificate', () => {
    let place: Workplace;

    beforeAll(async () => {
      place = await openWorkplace(starter);
    });
    afterAll(() => place.close());

    it('is not shown, and its server gets no request', async () => {
      const impostor = await startImpostor();
      const outcome = await place.desktop.inMain(
        ({ BrowserWindow }, url) =>
          BrowserWindow.getAllWindows()[0]
            ?.loadURL(url)
            .then(() => 'loaded', String),
        impostor.url,
      );
      impostor.close();
      expect(outcome).toMatch(/ERR_/);
      expect(impostor.requests()).toBe(0);
    });
  });
}

interface Elsewhere {
  readonly url: string;
  requests(): number;
  close(): void;
}

/** Looks like the host, but for its certificate. */
function startImpostor(): Promise<Elsewhere> {
  const { certificate, key } = newCertificate();
  return listen(createServer({ cert: certificate.toString(), key }), 'https');
}

function startElsewhere(): Promise<Elsewhere> {
  return listen(createPlainServer(), 'http');
}

async function listen(
  server: Server | ReturnType<typeof createPlainServer>,
  scheme: string,
): Promise<Elsewhere> {
  let requests = 0;
  server.on('request', (_request, response) => {
    requests += 1;
    response.end('<title>elsewhere</title>');
  });
  server.on('upgrade', (_request, socket) => {
    requests += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: () => requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
