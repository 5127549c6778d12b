/** The whole house with nothing faked: an S7 server, the host, a `/ws` client, a REST client and a browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { HOST_ACTOR } from '../server/audit/audit.ts';
import { loadConfig } from '../server/config/load.ts';
import type { IAuthAuthentication } from '../server/dialects/iauth/authentication.ts';
import { startHost, type Host } from '../server/host.ts';
import { createMemoryLog } from '../server/ports/log.ts';
import { createSystemRandom } from '../server/ports/random.ts';
import { loadSecrets } from '../server/secrets/secrets.ts';
import { launchBrowser } from './browser.ts';
import { startS7Server, type S7Server } from './s7-server.ts';
import { createSteeredClock } from './steered-clock.ts';

const WORD = 188;
const PASSWORD = 'the quiet pump house';
const SHIFT_MS = 10 * 60_000;

describe('a plant', () => {
  const clock = createSteeredClock();
  const folder = mkdtempSync(join(tmpdir(), 'keyswitch-plant-'));
  let plc: S7Server;
  let host: Host;
  let browser: Browser;
  let page: Page;
  let appId: string;
  /** Everything the `/ws` client was sent, in order. */
  const pushed: IAuthAuthentication[] = [];

  beforeAll(async () => {
    plc = await startS7Server({ db: 250 });
    const random = createSystemRandom();
    const log = createMemoryLog(clock.now);
    const flags = {
      'http.port': '0',
      'passwords.memoryKib': '1024',
      'plc.pollIntervalMs': '20',
      'plc.timeoutMs': '500',
    };
    const config = loadConfig({ dataFolder: folder, env: {}, flags });
    const secrets = loadSecrets({ dataFolder: folder, env: {}, random, log });
    host = await startHost({ dataFolder: folder, config, secrets }, { clock, random, log });
    appId = await populate(host, plc.port);
    browser = await launchBrowser();
    page = await browser.newPage({ ignoreHTTPSErrors: true, locale: 'en-GB' });
  });

  afterAll(async () => {
    await browser?.close();
    await host?.close();
    await plc?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The word in the PLC, the last push and the poll all say the same; null is nobody. */
  async function everyoneSees(user: string | null, word: number): Promise<void> {
    await vi.waitFor(async () => {
      expect(await plc.getWord(WORD)).toBe(word);
      expect(userOf(pushed.at(-1))).toBe(user);
      expect(userOf(await poll(host, appId))).toBe(user);
    }, WAIT);
  }

  it('is followed by page, client and PLC alike', async () => {
    const socket = await subscribe(host, appId, pushed);
    await everyoneSees(null, 0);

    // An operator signs in on the page.
    await page.goto(`${host.url}/?app=${appId}`);
    await signInOnPage(page, 'olivia');
    await everyoneSees('olivia', 9);
    expect(pushed.at(-1)).toMatchObject({ Authenticated: true, Role: '9', Token: null });

    // The PLC names another user: the page is told why it is signed out, and who is at the controls now.
    await plc.setWord(WORD, 5);
    await page.getByText('took over').waitFor();
    await page.getByText('At the controls: sam').waitFor();
    await everyoneSees('sam', 5);

    // The PLC shows its default value: signed out everywhere.
    await plc.setWord(WORD, 0);
    await page.getByText('Nobody is signed in').waitFor();
    await everyoneSees(null, 0);

    // The time limit passes.
    await signInOnPage(page, 'olivia');
    await everyoneSees('olivia', 9);
    clock.skip(SHIFT_MS);
    await page.getByText('the time limit was reached').waitFor();
    await everyoneSees(null, 0);

    // A value that is nobody's is written back, and signs nobody out.
    await signInOnPage(page, 'olivia');
    await everyoneSees('olivia', 9);
    await plc.setWord(WORD, 77);
    await everyoneSees('olivia', 9);

    // The PLC dies and comes back with an empty memory: the link recovers, and the word is right.
    const { port } = plc;
    await plc.kill();
    await page.getByText('Unreachable').waitFor();
    plc = await startS7Server({ port, db: 250 });
    await everyoneSees('olivia', 9);
    await page.getByText('Online').waitFor();

    // Signing out on the page.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('textbox', { name: 'Password' }).waitFor();
    await everyoneSees(null, 0);
    socket.close();

    // Nobody blinked in between: each push differs from the one before.
    const seen = pushed.map(userOf);
    expect(seen).toEqual([null, 'olivia', 'sam', null, 'olivia', null, 'olivia', null]);
  });

  it('leaves an audit trail of it all', async () => {
    const entries = (await host.features.audit.newest(100)).reverse();
    const story = entries
      .filter(({ action }) => action === 'sign-in' || action === 'session-ended')
      .map(({ action, subject, reason, door }) => [action, subject, reason, door].join(' '));
    expect(story).toEqual([
      'sign-in olivia password page',
      'session-ended olivia replaced plc',
      'sign-in sam plc plc',
      'session-ended sam plc plc',
      'sign-in olivia password page',
      'session-ended olivia time-limit host',
      'sign-in olivia password page',
      'session-ended olivia signed-out page',
    ]);
  });
});

/** Longer than any recovery, for a machine that is busy with other tests. */
const WAIT = { timeout: 20_000, interval: 20 };

async function populate({ features }: Host, plcPort: number): Promise<string> {
  const { users, apps, links } = features;
  const { app } = await apps.add({ name: 'HMI', logoutTimeInMin: SHIFT_MS / 60_000 }, HOST_ACTOR);
  for (const [name, data] of [
    ['olivia', '9'],
    ['sam', '5'],
  ] as const) {
    const input = { name, type: 'Active', logoutTimeInMin: null, password: PASSWORD } as const;
    await apps.grant(app, await users.add(input, HOST_ACTOR), data, HOST_ACTOR);
  }
  await links.add(
    {
      connection: `Data Source=127.0.0.1:${plcPort},0,2`,
      area: 'DB250',
      address: `W${WORD}`,
      appId: app.id,
      defaultValue: 0,
      onConnect: 'host',
      allowAdmin: false,
    },
    HOST_ACTOR,
  );
  return app.id;
}

async function signInOnPage(page: Page, user: string): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(user);
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Signs out at').waitFor();
}

async function subscribe(host: Host, appId: string, into: IAuthAuthentication[]): Promise<WebSocket> {
  const socket = new WebSocket(`${host.url.replace('https', 'wss')}/ws`, {
    ca: host.tls.caCertificate ?? '',
  });
  socket.on('open', () => socket.send(appId));
  socket.on('message', (data: Buffer) => into.push(JSON.parse(data.toString()) as IAuthAuthentication));
  await new Promise((resolve, reject) => socket.once('message', resolve).once('error', reject));
  return socket;
}

function poll(host: Host, appId: string): Promise<IAuthAuthentication> {
  return new Promise((resolve, reject) => {
    request(new URL(`/api/Token/${appId}`, host.url), { ca: host.tls.caCertificate ?? '' }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(JSON.parse(text) as IAuthAuthentication));
    })
      .on('error', reject)
      .end();
  });
}

function userOf(authentication: IAuthAuthentication | undefined): string | null {
  return authentication?.Authenticated === true ? authentication.User : null;
}
