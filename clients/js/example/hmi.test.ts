/** The example as an HMI's web server would serve it, in a browser in front of a real host of another origin. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { launchBrowser } from '../../../test/browser.ts';
import { PASSWORD, startTestHost } from '../../../test/host.ts';
import { createSteeredClock } from '../../../test/steered-clock.ts';

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
/** Where the page finds its host: known once that is started. */
const place = { host: '', appId: '' };

/** A web server of the HMI, with the strict policy that the page's comment recommends. */
async function serve(): Promise<string> {
  const server = createServer((request, response) => {
    const name = request.url!.slice(1);
    const policy =
      `default-src 'self'; img-src data:; script-src 'self' ${place.host}; ` +
      `connect-src ${place.host} ${place.host.replace('https', 'wss')}`;
    const text = readFileSync(join(import.meta.dirname, name), 'utf8')
      .replace('"https://keyswitch.example:8443"', `"${place.host}"`)
      .replace('"00000000-0000-4000-8000-000000000000"', `"${place.appId}"`);
    response.setHeader('Content-Type', `${TYPES[name.split('.').at(-1)!]}; charset=utf-8`);
    response.setHeader('Content-Security-Policy', policy).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const [hmi, stranger] = [await serve(), await serve()];
const clock = createSteeredClock();
const house = await startTestHost({ clock, config: { 'http.trustedOrigins': hmi } });
afterAll(() => house.close());
await house.addUser('olivia');
await house.addUser('sam');
await house.addUser('newcomer', { mustChange: true });
const { app } = await house.addApp('Pump station', { users: { olivia: '5', sam: '9', newcomer: '5' } });
Object.assign(place, { host: house.url, appId: app.id });
const browser = await launchBrowser();
afterAll(() => browser.close());

async function openPage(origin = hmi) {
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(`${origin}/hmi.html`);
  return { page, complaints };
}

async function signIn(page: Page, user: string, password = PASSWORD): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(user);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

const told = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByRole('status').filter({ hasText: text }).waitFor();

/** The buttons of the pump that can be pressed. */
async function enabled(page: Page): Promise<string[]> {
  const buttons = page.getByRole('region', { name: 'Pump 1' }).getByRole('button', { disabled: false });
  return buttons.allTextContents();
}

test('shows who is at the controls, and lets them do what their role allows', async () => {
  const { page, complaints } = await openPage();
  await told(page, 'Nobody is at the controls');
  expect(await enabled(page)).toEqual([]);

  await signIn(page, 'olivia');
  await told(page, 'olivia is at the controls');
  expect(await enabled(page)).toEqual(['Acknowledge alarms', 'Start pump']);
  expect(await page.getByRole('timer').textContent()).toMatch(/^(10:00|9:5\d) left$/);
  await page.getByRole('button', { name: 'Start pump' }).click();
  expect(await page.getByRole('log').textContent()).toBe('Start pump: done by olivia');

  // Somebody with another role takes over at another screen.
  await house.signIn('sam', app.id);
  await told(page, 'sam is at the controls');
  expect(await enabled(page)).toEqual(['Acknowledge alarms', 'Start pump', 'Change setpoint']);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await told(page, 'Nobody is at the controls');
  expect([await enabled(page), house.features.sessions.ofApp(app.id)]).toEqual([[], null]);
  expect(complaints).toEqual([]);
  await page.close();
});

test('follows the end of the time, by the clock of the host', async () => {
  const { page } = await openPage();
  await house.signIn('olivia', app.id);
  await told(page, 'olivia is at the controls');
  clock.skip(10 * 60_000);
  await told(page, 'Nobody is at the controls');
  await page.close();
});

test('says why a sign-in is refused, and has a one-time secret replaced', async () => {
  const { page } = await openPage();
  await told(page, 'Nobody is at the controls');
  await signIn(page, 'newcomer', 'wrong');
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  await signIn(page, 'newcomer');
  await page.getByRole('textbox', { name: 'New password' }).fill('a quieter pump house');
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
  await told(page, 'newcomer is at the controls');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await told(page, 'Nobody is at the controls');
  await page.close();
});

test('of an origin that is not trusted is given nothing', async () => {
  const { page } = await openPage(stranger);
  await told(page, 'Keyswitch does not answer');
  expect(await enabled(page)).toEqual([]);
  await page.close();
});

test('loses its buttons with the connection', async () => {
  const { page } = await openPage();
  await house.signIn('sam', app.id);
  await told(page, 'sam is at the controls');
  await house.close();
  await told(page, 'No connection since');
  expect(await enabled(page)).toEqual([]);
  await page.close();
});
