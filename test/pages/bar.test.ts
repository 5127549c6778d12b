/** The small bar of the desktop in a browser: who is at the controls and how long still, and their way out. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { App } from '../../server/apps/app.ts';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD } from '../host.ts';
import { askedOfDesktop, fromDesktop, openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
const VIEWPORT = { width: 420, height: 64 };
let station: App;

beforeAll(async () => {
  station = (await house.addApp('Panel', { users: { olivia: '5', ada: '9' } })).app;
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const atTheControls = () => house.features.sessions.ofApp(station.id)?.user.name ?? null;

function openBar(): Promise<Page> {
  return room.newPage('/bar', { viewport: VIEWPORT, desktop: { stationAppId: station.id, view: 'bar' } });
}

/** The window and the bar of one desktop. */
async function openBoth(): Promise<{ window: Page; bar: Page }> {
  const window = await room.newPage('/', { desktop: { stationAppId: station.id } });
  await signIn(window, 'olivia');
  const bar = await window.context().newPage();
  await bar.addInitScript({ content: `window.keyswitch.view = 'bar'` });
  await bar.setViewportSize(VIEWPORT);
  await bar.goto(`${house.url}/bar`);
  return { window, bar };
}

test('shows who is at the controls wherever they came in, and signs them out', async () => {
  const bar = await openBar();
  await bar.getByText('Nobody is signed in').waitFor();
  await house.signIn('olivia', station.id);
  await bar.getByText('olivia').waitFor();
  await bar.getByText(/min left$|mins left$/).waitFor();
  await button(bar, 'Sign out').click();
  await bar.getByText('Nobody is signed in').waitFor();
  expect(atTheControls()).toBeNull();
});

test('opens the window, and where nobody is signed in, to sign in', async () => {
  const bar = await openBar();
  await button(bar, 'Sign in').click();
  await button(bar, 'Open window').click();
  expect(await askedOfDesktop(bar)).toEqual(['show window', 'show window']);
});

test("locks the window's page", async () => {
  const { window, bar } = await openBoth();
  await button(bar, 'Lock').click();
  await window.getByRole('heading', { name: 'Locked' }).waitFor();
  await bar.getByText('Nobody is signed in').waitFor();
});

test('counts with the desktop until somebody touches the computer', async () => {
  const { window, bar } = await openBoth();
  await bar.getByText('olivia').waitFor();
  await fromDesktop(bar, 'tellIdleLeft(42500)');
  expect(await bar.getByRole('timer').textContent()).toContain('Signing out in 0:42');
  await bar.getByText('Move the mouse or touch the screen to stay').waitFor();
  await fromDesktop(bar, 'tellIdleLeft(41500)');
  await bar.getByText('Signing out in 0:41').waitFor();
  await fromDesktop(bar, 'tellIdleLeft(null)');
  await button(bar, 'Sign out').waitFor();
  expect(await bar.getByRole('timer').count()).toBe(0);

  const warning = window.getByRole('region', { name: 'about to end' });
  await fromDesktop(window, 'tellIdleLeft(30500)');
  await warning.getByText('Nobody has used this computer').waitFor();
  expect(await warning.getByRole('timer').textContent()).toBe('0:30');
  await fromDesktop(window, 'tellIdleLeft(null)');
  await warning.waitFor({ state: 'hidden' });
});

test('every word and button is inside the bar, and every button large enough for a glove', async () => {
  const name = 'Maximiliane von der Wasserburg-Hohenstein';
  await house.features.users.change('olivia', { displayName: name }, HOST_ACTOR);
  const bar = await openBar();
  await house.signIn('olivia', station.id);
  await bar.getByText(name).waitFor();
  for (const each of await bar.getByRole('button').all()) {
    const box = (await each.boundingBox())!;
    expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(48);
    expect([box.x >= 0, box.x + box.width <= VIEWPORT.width, box.y + box.height <= VIEWPORT.height]).toEqual([
      true,
      true,
      true,
    ]);
  }
  expect(
    await bar.evaluate('[document.documentElement.scrollWidth, document.documentElement.scrollHeight]'),
  ).toEqual([VIEWPORT.width, VIEWPORT.height]);
});

test('the window gives way to the bar at a press, and not in the full screen', async () => {
  const desktop = { stationAppId: station.id };
  const window = await room.newPage('/', { desktop });
  await button(window, 'Compact bar').click();
  expect(await askedOfDesktop(window)).toEqual(['show bar']);
  const kiosk = await room.newPage('/', { desktop: { ...desktop, kiosk: true } });
  await signIn(kiosk, 'olivia');
  expect(await button(kiosk, 'Compact bar').count()).toBe(0);
  expect(await button(kiosk, 'Leave full screen').count()).toBe(0);
});

test('an administrator leaves the full screen', async () => {
  const kiosk = await room.newPage('/', { desktop: { stationAppId: station.id, kiosk: true } });
  await signIn(kiosk, 'ada');
  await button(kiosk, 'Leave full screen').click();
  await button(kiosk, 'Leave full screen').waitFor({ state: 'detached' });
  expect(await askedOfDesktop(kiosk)).toEqual(['leave kiosk']);
  // It is back by the time they are.
  await button(kiosk, 'Lock').click();
  await kiosk.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
  await button(kiosk, 'Sign in').click();
  await button(kiosk, 'Leave full screen').waitFor();
});

test('a browser has no use for it, and is at home', async () => {
  const page = await room.newPage('/bar');
  await page.getByRole('heading', { name: 'Sign in at Keyswitch' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/');
  await expect.poll(() => page.getByRole('button', { name: 'Compact bar' }).count(), WAIT).toBe(0);
});
