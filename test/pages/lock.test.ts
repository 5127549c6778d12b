/** The lock screen in a browser: the session ends, and the page waits, covered and out of reach, for the same person. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { App } from '../../server/apps/app.ts';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD } from '../host.ts';
import { openControlRoom, signIn } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
let hmi: App;

beforeAll(async () => {
  hmi = (await house.addApp('HMI', { users: { olivia: '5', ada: '9' } })).app;
});

const dialog = (page: Page) => page.getByRole('dialog');
const lock = (page: Page) => page.getByRole('button', { name: 'Lock', exact: true });
const locked = (page: Page) => dialog(page).getByRole('heading', { name: 'Locked' });
const passwordField = (page: Page) => dialog(page).getByLabel('Password', { exact: true });

async function open(user = 'olivia', path = `/account?app=${hmi.id}`): Promise<Page> {
  const page = await room.newPage(path);
  await signIn(page, user);
  return page;
}

async function unlock(page: Page, password = PASSWORD): Promise<void> {
  await passwordField(page).fill(password);
  await dialog(page).getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('Lock ends the session, covers the page and waits for the same person', async () => {
  const page = await open();
  await lock(page).click();
  await locked(page).waitFor();
  expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
  expect(await dialog(page).getByRole('status').first().textContent()).toMatch(
    /^olivia, since \d\d:\d\d \(just now\)$/,
  );
  await dialog(page).getByText('Nobody is signed in').waitFor();
  expect(await dialog(page).getByLabel('User name').inputValue()).toBe('olivia');
  expect(await dialog(page).getByLabel('User name').getAttribute('readonly')).not.toBeNull();
  expect(await page.evaluate('document.activeElement.type')).toBe('password');
  expect(await page.locator('main').first().isVisible()).toBe(false);
  await unlock(page, 'wrong');
  await dialog(page).getByText('Wrong user name or password').waitFor();
  await unlock(page);
  await dialog(page).waitFor({ state: 'detached' });
  await page.getByText('Live').waitFor();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Account');
});

test('nothing behind it can be reached by the keyboard', async () => {
  const page = await open();
  await lock(page).click();
  await locked(page).waitFor();
  await page.keyboard.press('Escape');
  for (let press = 0; press < 14; press += 1) {
    await page.keyboard.press('Tab');
    const outside = await page.locator(':focus:not(body):not([role=dialog] *):not([role=dialog])').count();
    expect(outside).toBe(0);
  }
});

test('Ctrl+Alt+L locks, and says so; AltGr+L only types', async () => {
  const page = await open();
  expect(await lock(page).getAttribute('title')).toContain('Ctrl+Alt+L');
  expect(await lock(page).getAttribute('aria-keyshortcuts')).toBe('Control+Alt+L');
  await page.evaluate(
    `dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyL', ctrlKey: true, altKey: true, modifierAltGraph: true }))`,
  );
  await page.keyboard.press('Alt+L');
  expect(house.features.sessions.ofApp(hmi.id)).not.toBeNull();
  await page.keyboard.press('Control+Alt+L');
  await locked(page).waitFor();
});

test('work waits with the page, and is whole afterwards', async () => {
  const page = await open();
  await page.getByLabel('New password', { exact: true }).fill('half of a new password');
  await lock(page).click();
  await dialog(page).getByText('What you typed is kept').waitFor();
  await unlock(page);
  await dialog(page).waitFor({ state: 'detached' });
  expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe('half of a new password');
});

test('a lock from elsewhere covers the page as well', async () => {
  const page = await open();
  await page.getByText('Live').waitFor();
  await house.features.sessions.endAtApp(hmi.id, 'screen-locked', HOST_ACTOR);
  await locked(page).waitFor();
});

test('somebody else takes over with a page of their own', async () => {
  const page = await open();
  await lock(page).click();
  await dialog(page).getByRole('button', { name: 'Someone else signs in' }).click();
  expect(await page.getByText('Locked.').count()).toBe(0);
  await signIn(page, 'ada');
  await page.getByRole('heading', { level: 1, name: 'ada' }).waitFor();
});

test('a page that is loaded anew while it is locked says so, until somebody signs in', async () => {
  const page = await open();
  await lock(page).click();
  await locked(page).waitFor();
  await page.reload();
  await page.getByText('Locked.').waitFor();
  expect(await page.getByRole('textbox', { name: 'User name' }).inputValue()).toBe('olivia');
  await signIn(page, 'olivia');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('Signed out.').waitFor();
  await page.reload();
  await page.getByRole('textbox', { name: 'User name' }).waitFor();
  expect(await page.getByText('Locked.').count()).toBe(0);
});

test('an emergency that begins meanwhile is on the lock screen, without saying whose it is', async () => {
  const page = await open();
  await lock(page).click();
  await locked(page).waitFor();
  const { secret } = await house.features.emergency.add({ name: 'glass box' }, HOST_ACTOR);
  const json = { secret, reason: 'the reactor room is locked' };
  expect((await house.ask('POST', '/api/v1/emergency/sign-in', { json })).status).toBe(200);
  await dialog(page).getByText('Emergency access in use').waitFor();
  expect(await dialog(page).getByText('glass box').count()).toBe(0);
});

test('a user of no app locks their page too', async () => {
  const page = await open('olivia', '/');
  await lock(page).click();
  await locked(page).waitFor();
  await unlock(page);
  await page.getByRole('heading', { level: 1, name: 'olivia' }).waitFor();
});
