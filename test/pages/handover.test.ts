/** Handing over in a browser: the next person signs in over the page, and until then the first stays at the controls. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { App } from '../../server/apps/app.ts';
import { PASSWORD } from '../host.ts';
import { fromDesktop, openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
let hmi: App;

beforeAll(async () => {
  hmi = (await house.addApp('HMI', { users: { olivia: '5', ada: '9' } })).app;
});

const dialog = (page: Page) => page.getByRole('dialog');
const handOver = (page: Page) => page.getByRole('button', { name: 'Hand over' });
const back = (page: Page) => dialog(page).getByRole('button', { name: 'Back to the page' });
const atTheControls = () => house.features.sessions.ofApp(hmi.id)?.user.name ?? null;

async function open(inDesktop = false): Promise<Page> {
  const page = await room.newPage(
    inDesktop ? '/account' : `/account?app=${hmi.id}`,
    inDesktop ? { desktop: { stationAppId: hmi.id } } : {},
  );
  await signIn(page, 'olivia');
  return page;
}

async function takeOver(page: Page, user: string, password = PASSWORD): Promise<void> {
  await dialog(page).getByRole('textbox', { name: 'User name' }).fill(user);
  await dialog(page).getByLabel('Password', { exact: true }).fill(password);
  await dialog(page).getByRole('button', { name: 'Sign in', exact: true }).click();
}

test('the first one stays signed in until the second has proved themselves, and both are on record', async () => {
  const page = await open();
  await house.trail();
  await handOver(page).click();
  await dialog(page).getByText('olivia stays signed in until you have signed in').waitFor();
  expect(await dialog(page).getByRole('textbox', { name: 'User name' }).inputValue()).toBe('');
  expect(await page.locator('main').first().isVisible()).toBe(false);
  await takeOver(page, 'ada', 'wrong');
  await dialog(page).getByText('Wrong user name or password').waitFor();
  expect(atTheControls()).toBe('olivia');
  await takeOver(page, 'ada');
  await page.getByRole('heading', { level: 1, name: 'ada' }).waitFor();
  expect(await dialog(page).count()).toBe(0);
  expect(atTheControls()).toBe('ada');
  expect(await house.trail()).toEqual([
    'sign-in-refused by anonymous via page of ada at HMI (wrong-password)',
    'session-ended by anonymous via page of olivia at HMI (replaced)',
    'sign-in by ada via page of ada at HMI (password)',
  ]);
});

test('Back to the page leaves everything as it was', async () => {
  const page = await open();
  await handOver(page).click();
  await back(page).click();
  await dialog(page).waitFor({ state: 'detached' });
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Account');
  expect(atTheControls()).toBe('olivia');
});

test('work is asked about before it can be lost, and is there as long as nobody else has come', async () => {
  const page = await open();
  const work = page.getByLabel('New password', { exact: true });
  await work.fill('half of a new password');
  await handOver(page).click();
  await page.getByRole('button', { name: 'Stay here' }).click();
  expect(await work.inputValue()).toBe('half of a new password');
  await handOver(page).click();
  await page.getByRole('button', { name: 'Leave and lose it' }).click();
  await dialog(page).getByText('is lost then').waitFor();
  await back(page).click();
  expect(await work.inputValue()).toBe('half of a new password');
});

test('the same person may come in again: their page goes on', async () => {
  const page = await open();
  await handOver(page).click();
  await takeOver(page, 'olivia');
  await dialog(page).waitFor({ state: 'detached' });
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Account');
});

test('whoever signs in at Keyswitch itself has no controls to hand over', async () => {
  const page = await room.newPage();
  await signIn(page, 'olivia');
  await page.getByRole('button', { name: 'Lock', exact: true }).waitFor();
  expect(await handOver(page).count()).toBe(0);
});

test("the tray's Switch user opens the same, and goes to the form where nobody is signed in", async () => {
  const page = await open(true);
  await fromDesktop(page, 'switchUser()');
  await dialog(page).getByText('olivia stays signed in').waitFor();
  await takeOver(page, 'ada');
  await page.getByRole('heading', { level: 1, name: 'ada' }).waitFor();
  expect(await dialog(page).count()).toBe(0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('textbox', { name: 'Password' }).waitFor();
  await page.getByRole('combobox', { name: 'Theme' }).focus();
  await fromDesktop(page, 'switchUser()');
  await expect.poll(() => page.evaluate('document.activeElement.type'), WAIT).toBe('password');
});
