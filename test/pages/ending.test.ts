/** The end of a session in a browser: the warning, the way in again in place, and the end in every tab. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD } from '../host.ts';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const MINUTE_MS = 60_000;

const room = await openControlRoom();
const { house, clock } = room;
let apps = 0;

/** Lets time pass at the host, and tells every page by a change that is none of its business. */
async function pass(minutes: number): Promise<void> {
  clock.skip(minutes * MINUTE_MS);
  await house.addApp(`App ${(apps += 1)}`);
}

async function openAccount(user: string, path = '/'): Promise<Page> {
  const page = await room.newPage(path);
  await signIn(page, user);
  await page.getByRole('link', { name: 'Account' }).click();
  return page;
}

/** A page with work on it. */
async function openWork(user: string, path = '/'): Promise<Page> {
  const page = await openAccount(user, path);
  await page.getByLabel('New password', { exact: true }).fill('half of a new password');
  return page;
}

const work = (page: Page) => page.getByLabel('New password', { exact: true });
const bar = (page: Page) => page.getByRole('region', { name: 'about to end' });
const dialog = (page: Page) => page.getByRole('dialog');

async function signInAgain(page: Page, password = PASSWORD): Promise<void> {
  await dialog(page).getByLabel('Password', { exact: true }).fill(password);
  await dialog(page).getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function endSessionsOf(user: string, reason: 'ended-by-administrator' | 'signed-out'): Promise<void> {
  const { sessions, users } = house.features;
  const { id } = (await users.byName(user))!;
  for (const session of sessions.list().filter((each) => each.user.id === id)) {
    await sessions.end(session.id, reason, HOST_ACTOR);
  }
}

test('warns of the idle limit, says it once, and stays signed in when asked to', async () => {
  const page = await openAccount('olivia');
  await pass(12);
  expect(await bar(page).isVisible()).toBe(false);
  await pass(1.5);
  await bar(page).waitFor();
  const announced = await bar(page).getByRole('status').textContent();
  const left = await bar(page).getByRole('timer').textContent();
  expect(left).toMatch(/^1:[0-5]\d$/);
  await expect.poll(() => bar(page).getByRole('timer').textContent(), WAIT).not.toBe(left);
  expect(await bar(page).getByRole('status').textContent()).toBe(announced);
  // The press alone: a finger on its way there has renewed the time already.
  await page.getByRole('button', { name: 'Stay signed in' }).dispatchEvent('click');
  await bar(page).waitFor({ state: 'hidden' });
  await pass(12);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Account');
});

test('any key renews the idle time as well', async () => {
  const page = await openAccount('olivia');
  await pass(14);
  await bar(page).waitFor();
  await page.keyboard.press('Shift');
  await bar(page).waitFor({ state: 'hidden' });
});

test('the absolute limit cannot be extended; signing in before it goes on with the work', async () => {
  const { app } = await house.addApp('HMI', { logoutTimeInMin: 10, users: { olivia: '5' } });
  const page = await openWork('olivia', `/?app=${app.id}`);
  await pass(8.5);
  await bar(page).getByText('cannot be extended').waitFor();
  await bar(page).getByRole('button', { name: 'Sign in again' }).click();
  await dialog(page).getByRole('button', { name: 'Back to the page' }).click();
  expect(await work(page).inputValue()).toBe('half of a new password');
  await bar(page).getByRole('button', { name: 'Sign in again' }).click();
  await signInAgain(page);
  await dialog(page).waitFor({ state: 'detached' });
  await bar(page).waitFor({ state: 'hidden' });
  await pass(5);
  expect(await work(page).inputValue()).toBe('half of a new password');
  await page.getByText('Live').waitFor();
});

test('work waits behind the way in again: covered, out of reach, and whole afterwards', async () => {
  const page = await openWork('olivia');
  await pass(16);
  await dialog(page).getByText('nobody used this page').waitFor();
  expect(await dialog(page).getByLabel('User name').inputValue()).toBe('olivia');
  expect(await page.locator('main').first().isVisible()).toBe(false);
  await page.keyboard.press('Escape');
  for (let press = 0; press < 12; press += 1) {
    await page.keyboard.press('Tab');
    const outside = await page.locator(':focus:not(body):not([role=dialog] *):not([role=dialog])').count();
    expect(outside).toBe(0);
  }
  await signInAgain(page, 'wrong');
  await dialog(page).getByText('Wrong user name or password').waitFor();
  await signInAgain(page);
  await dialog(page).waitFor({ state: 'detached' });
  expect(await work(page).inputValue()).toBe('half of a new password');
  await page.getByText('Live').waitFor();
});

test('someone else does not get the work', async () => {
  const page = await openWork('olivia');
  await endSessionsOf('olivia', 'ended-by-administrator');
  await dialog(page).getByText('Signed out by an administrator').waitFor();
  await dialog(page).getByText('is lost then').waitFor();
  await dialog(page).getByRole('button', { name: 'Someone else' }).click();
  await signIn(page, 'ada');
  await page.getByRole('heading', { level: 1, name: 'ada' }).waitFor();
  await page.getByRole('link', { name: 'Account' }).click();
  expect(await work(page).inputValue()).toBe('');
});

test('without work the sign-in page says why, and leads back to the page', async () => {
  const page = await openAccount('olivia');
  await endSessionsOf('olivia', 'ended-by-administrator');
  await page.getByText('Signed out by an administrator').waitFor();
  expect(await dialog(page).count()).toBe(0);
  await signIn(page, 'olivia');
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
});

test('a sign-out reaches every tab at once, even one with work', async () => {
  const one = await openWork('olivia');
  const other = await one.context().newPage();
  await other.goto(house.url);
  await other.getByRole('button', { name: 'Sign out' }).click();
  for (const page of [one, other]) {
    await page.getByText('Signed out.').waitFor();
    await page.getByRole('heading', { name: 'Sign in at Keyswitch' }).waitFor();
    expect(await dialog(page).count()).toBe(0);
  }
});

test('signing in again in one tab lets the others go on when they are looked at', async () => {
  const one = await openWork('olivia');
  const other = await one.context().newPage();
  await other.goto(`${house.url}/account`);
  await work(other).fill('another half');
  await pass(16);
  await dialog(other).waitFor();
  await dialog(one).waitFor();
  await signInAgain(one);
  await dialog(one).waitFor({ state: 'detached' });
  await other.evaluate(`dispatchEvent(new Event('focus'))`);
  await dialog(other).waitFor({ state: 'detached' });
  expect(await work(other).inputValue()).toBe('another half');
  expect(await work(one).inputValue()).toBe('half of a new password');
});

test('a password that has to be replaced on the way in again is replaced in place', async () => {
  await house.addUser('tim');
  const page = await openWork('tim');
  const { accessToken } = await house.signIn('ada');
  const reset = await house.ask('POST', '/api/v1/users/tim/password-reset', { token: accessToken });
  const { oneTimeSecret } = reset.body as { oneTimeSecret: string };
  await dialog(page).waitFor();
  await signInAgain(page, oneTimeSecret);
  await dialog(page).getByRole('heading', { name: 'Choose a new password' }).waitFor();
  await dialog(page).getByRole('button', { name: 'Back to sign-in' }).click();
  await signInAgain(page, oneTimeSecret);
  const next = 'nine herons by the weir';
  await dialog(page).getByLabel('New password', { exact: true }).fill(next);
  await dialog(page).getByLabel('New password again').fill(next);
  await dialog(page).getByRole('button', { name: 'Change password' }).click();
  await dialog(page).waitFor({ state: 'detached' });
  expect(await work(page).inputValue()).toBe('half of a new password');
});
