/** What the desktop must do, told once for the stand-in and for real Electron. */
import { once } from 'node:events';
import { createServer as createPlainServer } from 'node:http';
import { Agent, createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readControl } from '../../server/control.ts';
import {
  createAuthority,
  createServerCertificate,
  type KeyedCertificate,
} from '../../server/http/certificates.ts';
import { createSystemClock } from '../../server/ports/clock.ts';
import { createSystemRandom } from '../../server/ports/random.ts';
import { newFolder, send } from '../host.ts';
import { until, type Desktop, type StartDesktop, type Watched } from './desktop.ts';

const PASSWORD = 'the quiet pump house';

/** `launch` starts it without waiting for its host, as a second start would. */
export function describeDesktop(start: StartDesktop, launch: (given: readonly string[]) => Watched): void {
  describe('the desktop', () => {
    const dataFolder = newFolder();
    const given = ['--lang=en', '--data', dataFolder, '--port', '0', '--set', 'passwords.memoryKib=8'];
    let desktop: Desktop;

    beforeAll(async () => {
      desktop = await start(given);
    });
    afterAll(() => {
      desktop.process.kill('SIGKILL');
      rmSync(dataFolder, { recursive: true, force: true });
    });

    const goHome = (): Promise<void> =>
      desktop.inMain(({ BrowserWindow }, url) => BrowserWindow.getAllWindows()[0]?.loadURL(url), desktop.url);
    const isVisible = (): Promise<boolean> =>
      desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible() ?? false);
    const load = (url: string): Promise<string> =>
      desktop.inMain(
        async ({ BrowserWindow }, address) =>
          BrowserWindow.getAllWindows()[0]
            ?.loadURL(address)
            .then(() => 'loaded', String) ?? '',
        url,
      );

    it('shows the sign-in page of its host, at its station', async () => {
      // While it loads there may be no page to ask.
      await until('the page asks who it is', () =>
        desktop.inPage("document.querySelector('#username') !== null").then(Boolean, () => false),
      );
      expect(await desktop.inPage('location.origin')).toBe(desktop.url);
      expect(await desktop.inPage('Object.keys(keyswitch)')).toEqual(['stationAppId']);
      expect(await desktop.inPage('document.querySelector("h1").textContent')).toMatch(/^Sign in at .+/);
      await until('the window is shown', isVisible);
    });

    it('refuses any other certificate, and sends nothing to who shows it', async () => {
      await using impostor = await startImpostor();
      expect(await load(impostor.url)).toMatch(/ERR_/);
      expect(impostor.requests()).toBe(0);
      await goHome();
    });

    it('stays on its own origin and in its one window', async () => {
      await using elsewhere = await startElsewhere();
      await desktop.inPage(`void (location.href = ${JSON.stringify(elsewhere.url)})`);
      await desktop.inPage(`void window.open(${JSON.stringify(elsewhere.url)})`);
      await desktop.inPage("void window.open('about:blank')");
      await desktop.inPage(`new Promise((resolve) => setTimeout(resolve, 500))`);
      expect(await desktop.inPage('location.origin')).toBe(desktop.url);
      expect(await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
      expect(elsewhere.requests()).toBe(0);
    });

    it("answers the preload script's calls from the page of its host alone, and lives through bad ones", async () => {
      const ask = (frame: object | null, ...args: unknown[]): Promise<unknown> =>
        desktop.inMain(
          ({ ipcMain }, { senderFrame, rest }) => {
            const answers: unknown[] = [];
            const event = {
              senderFrame,
              set returnValue(value: unknown) {
                answers.push(value);
              },
            };
            ipcMain.emit('station-app-id', event, ...rest);
            return answers;
          },
          { senderFrame: frame, rest: args },
        );
      const origin = desktop.url;
      const station = await desktop.inPage('keyswitch.stationAppId');
      expect(await ask({ origin, parent: null })).toEqual([station]);
      expect(await ask({ origin: 'https://127.0.0.1', parent: null })).toEqual([null]);
      expect(await ask({ origin: 'null', parent: null })).toEqual([null]);
      expect(await ask({ origin, parent: { origin } })).toEqual([null]);
      expect(await ask(null)).toEqual([null]);
      expect(await ask({ origin, parent: null }, 'more than it takes')).toEqual([null]);
      expect(await desktop.inPage("fetch('/healthz').then(({ status }) => status)")).toBe(200);
    });

    it('names the current user of the station in the tray, and signs them out there', async () => {
      const { agent, ask } = client(dataFolder);
      const stationAppId = await desktop.inPage('keyswitch.stationAppId');
      const [, username, secret] = /user (\S+), one-time secret (\S+)/.exec(desktop.output()) ?? [];
      const refusal = await ask('/api/v1/sign-in', { username, password: secret, appId: stationAppId });
      const { ticket } = refusal.body as { ticket: string };
      const signedIn = await ask('/api/v1/password-change', { ticket, newPassword: PASSWORD });
      const { accessToken } = signedIn.body as { accessToken: string };
      const present = (): Promise<number> =>
        send(desktop.url, agent, 'GET', '/api/v1/session', { token: accessToken }).then(
          ({ status }) => status,
        );

      expect(await present()).toBe(200);
      expect(await desktop.trayLabels()).toEqual(['(Administrator)', 'Sign out', 'Open Keyswitch', 'Quit']);
      await desktop.clickTray('Sign out');
      await until('the session has ended', async () => (await present()) === 401);
      expect(await desktop.trayLabels()).toEqual([
        '(Nobody is signed in)',
        '(Sign out)',
        'Open Keyswitch',
        'Quit',
      ]);
      agent.destroy();
    });

    it('hides its window instead of closing it, and shows it again on demand', async () => {
      const hide = (): Promise<void> =>
        desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
      await hide();
      await until('the window is hidden', async () => !(await isVisible()));
      await desktop.clickTray('Open Keyswitch');
      await until('the window is shown', isVisible);

      await hide();
      const second = launch(given);
      expect(await second.ended).toBe(0);
      await until('the second start has shown the window of the first', isVisible);
      expect(second.output()).not.toContain('ready');
    });

    it('closes its host before it quits', async () => {
      expect(readControl(dataFolder)).not.toBeNull();
      await desktop.clickTray('Quit');
      expect(await desktop.ended).toBe(0);
      expect(readControl(dataFolder)).toBeNull();
    });
  });

  describe("a desktop with the site's own certificate", () => {
    const dataFolder = newFolder();
    let desktop: Desktop;

    beforeAll(async () => {
      write(dataFolder, newCertificate());
      const paths = ['--set', 'http.certificate=site.crt', '--set', 'http.certificateKey=site.key'];
      desktop = await start(['--data', dataFolder, '--port', '0', ...paths]);
    });
    afterAll(() => {
      desktop.process.kill('SIGKILL');
      rmSync(dataFolder, { recursive: true, force: true });
    });

    it('follows its renewal', async () => {
      const renewed = newCertificate();
      write(dataFolder, renewed);
      await until('the host shows it', async () => {
        return (await fingerprintAt(desktop.url)) === renewed.certificate.fingerprint256;
      });
      const status = "fetch('/healthz', { cache: 'no-store' }).then(({ status }) => status)";
      await desktop.inMain(
        ({ BrowserWindow }, url) => BrowserWindow.getAllWindows()[0]?.loadURL(url),
        desktop.url,
      );
      expect(await desktop.inPage(status)).toBe(200);
    });
  });
}

function client(dataFolder: string) {
  const control = readControl(dataFolder);
  if (control === null) throw new Error('the host is not ready');
  const agent = new Agent({ ca: control.trust });
  return { agent, ask: (path: string, json: unknown) => send(control.url, agent, 'POST', path, { json }) };
}

function newCertificate(): KeyedCertificate {
  const ports = { clock: createSystemClock(), random: createSystemRandom() };
  return createServerCertificate(['localhost', '127.0.0.1'], createAuthority('test', ports), ports);
}

function write(folder: string, { certificate, key }: KeyedCertificate): void {
  writeFileSync(join(folder, 'site.key'), key);
  writeFileSync(join(folder, 'site.crt'), certificate.toString());
}

async function fingerprintAt(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

interface Elsewhere extends AsyncDisposable {
  readonly url: string;
  requests(): number;
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
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
