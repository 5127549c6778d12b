/** The badges page in a browser, and one's own PIN on the account page. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD } from '../host.ts';
import { openControlRoom, signIn, WAIT, type BrowserOptions } from './control-room.ts';
import { scan, steerKeys } from './readers.ts';

const room = await openControlRoom({ config: { 'badges.maxGapMs': '500' } });
const { house } = room;
const { badges } = house.features;

const grid = (page: Page) => page.getByRole('grid', { name: 'Badges' });
const row = (page: Page, text: string) => grid(page).getByRole('row').filter({ hasText: text });
const sheet = (page: Page) => page.getByRole('dialog');
const field = (page: Page, name: string) => sheet(page).getByRole('textbox', { name });
const user = (page: Page) => sheet(page).getByRole('combobox', { name: 'User name' });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function open(path: string, name: string, options: BrowserOptions = {}): Promise<Page> {
  const page = await (await room.newBrowser(options)).newPage();
  await steerKeys(page);
  await page.goto(house.url + path);
  await signIn(page, name);
  return page;
}

async function enrol(userName: string, badge: string, label = ''): Promise<string> {
  return (await badges.enrol({ userName, badge, label }, HOST_ACTOR)).id;
}

test('an empty list says what badges are for', async () => {
  const page = await open('/badges', 'ada');
  await page.getByText('No badges yet').waitFor();
});

test('a badge is enrolled at the reader, signs in, and its number is seen nowhere', async () => {
  const page = await open('/badges', 'ada');
  await button(page, 'Enrol a badge').click();
  await user(page).fill('olivia');
  await scan(page, '04A2B3C4D5\n');
  await sheet(page).getByText('The badge was read').waitFor();
  expect(await user(page).inputValue()).toBe('olivia');
  expect(await field(page, 'Badge number').getAttribute('type')).toBe('password');
  await field(page, 'Label').fill('Card 17');
  await button(page, 'Enrol').click();
  await sheet(page).getByText('Enrolled for olivia').waitFor();
  expect(await page.content()).not.toContain('04A2B3C4D5');
  await row(page, 'Card 17').filter({ hasText: 'in use' }).waitFor();

  const theirs = await (await room.newBrowser()).newPage();
  await steerKeys(theirs);
  await theirs.goto(house.url);
  await theirs.getByText('badge to the reader').waitFor();
  await scan(theirs, '04A2B3C4D5\n');
  await theirs.getByRole('textbox', { name: 'PIN or password' }).fill(PASSWORD);
  await theirs.getByRole('button', { name: 'Sign in', exact: true }).click();
  await theirs.getByRole('heading', { level: 1, name: 'olivia' }).waitFor();
});

test('says at the fields what is wrong, and keeps what was typed', async () => {
  await house.addUser('nora');
  await enrol('nora', 'FACE0001');
  const page = await open('/badges', 'ada');
  await button(page, 'Enrol a badge').click();
  await button(page, 'Enrol').click();
  await sheet(page).getByText('Choose a user').waitFor();
  await sheet(page).getByText('has at least 6 characters').waitFor();
  await user(page).fill('nobody');
  await sheet(page).getByText('No user has this name').waitFor();
  await user(page).fill('Olivia');
  await field(page, 'Badge number').fill('FACE0001');
  await button(page, 'Enrol').click();
  await sheet(page).getByText('This badge is enrolled already').waitFor();
  await scan(page, 'FACE0002FACE0003\n\n');
  await sheet(page).getByText('What the reader sent is no badge').waitFor();
  expect(await field(page, 'Badge number').inputValue()).toBe('FACE0001');
  await page.getByRole('link', { name: 'Home' }).click();
  await button(page, 'Stay here').click();
  await sheet(page).getByRole('button', { name: 'Cancel' }).click();
  await sheet(page).getByText('Discard what is not saved yet').waitFor();
  await button(page, 'Discard').click();
  await sheet(page).waitFor({ state: 'detached' });
});

test('a lost badge is revoked: its user is signed out everywhere', async () => {
  await house.addUser('rosa');
  await enrol('rosa', 'FACE0004', 'Blue fob');
  await house.signIn('rosa');
  const page = await open('/badges', 'ada');
  await row(page, 'Blue fob').click();
  await button(page, 'Revoke…').click();
  await sheet(page).getByText('rosa is signed out everywhere at once').waitFor();
  await page.keyboard.press('Escape');
  expect(house.features.sessions.list().some(({ user }) => user.name === 'rosa')).toBe(true);
  await button(page, 'Revoke…').click();
  await button(page, 'Revoke now').click();
  await sheet(page).getByText('Revoked. rosa is signed out everywhere').waitFor();
  expect(house.features.sessions.list().some(({ user }) => user.name === 'rosa')).toBe(false);
  await row(page, 'Blue fob').filter({ hasText: 'Revoked' }).waitFor();
  expect(await button(page, 'Revoke…').count()).toBe(0);
});

test('the list is searched, narrowed and gone through by keys', async () => {
  await house.addUser('zoe');
  await enrol('zoe', 'FACE0005', 'Green fob');
  const page = await open('/badges', 'ada');
  await row(page, 'Green fob').waitFor();
  const all = await grid(page).getByRole('rowheader').count();
  const search = page.getByRole('searchbox', { name: 'Search badges and users' });
  await search.fill('green zoe');
  await expect.poll(() => grid(page).getByRole('rowheader').count(), WAIT).toBe(1);
  await search.press('ArrowDown');
  await page.keyboard.press('Enter');
  await sheet(page).getByRole('heading', { name: 'Green fob' }).waitFor();
  await search.fill('nothing like it');
  await page.getByText('No badge matches').waitFor();
  await button(page, 'Show all').click();
  await page.getByRole('group', { name: 'Filters' }).getByRole('button', { name: 'Revoked' }).click();
  await expect.poll(() => grid(page).getByRole('rowheader').count(), WAIT).toBeLessThan(all);
});

test('says so while the host does not answer, and loads again', async () => {
  const page = await room.newPage('/');
  await page.route('**/api/v1/badges', (route) => route.abort());
  await signIn(page, 'ada');
  await page.getByRole('link', { name: 'Badges' }).click();
  await page.getByText('The host did not answer').waitFor();
  await page.unroute('**/api/v1/badges');
  await button(page, 'Try again').click();
  await row(page, 'Green fob').waitFor();
});

test('speaks German in a German browser', async () => {
  const page = await room.newPage('/badges', { locale: 'de-DE', theme: 'dark' });
  await page.getByRole('textbox', { name: 'Benutzername' }).fill('ada');
  await page.getByRole('textbox', { name: 'Passwort' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
  await page.getByRole('grid', { name: 'Ausweise' }).waitFor();
  await page.getByRole('button', { name: 'Ausweis ausgeben' }).click();
  await page.getByText('Halten Sie den Ausweis an das Lesegerät').waitFor();
});

test('an operator gets no badges page', async () => {
  const page = await open('/badges', 'olivia');
  await page.getByText('Signs out at').waitFor();
  expect(await page.getByRole('link', { name: 'Badges' }).count()).toBe(0);
});

test('one’s own PIN is set with the current password, and its rules are said beforehand', async () => {
  await house.addUser('tim');
  await enrol('tim', 'FACE0006');
  const page = await open('/account', 'tim');
  const section = page.getByRole('region', { name: 'PIN for your badge' });
  await section.getByRole('button', { name: 'Set a PIN' }).click();
  const rules = section.getByRole('list', { name: 'The new PIN' });
  await rules.getByText('6 to 12 digits').waitFor();
  await section.getByLabel('Current password').fill(PASSWORD);
  await section.getByLabel('New PIN', { exact: true }).fill('123456');
  await section.getByLabel('New PIN again').fill('123456');
  await section.getByRole('button', { name: 'Save PIN' }).click();
  await section.getByText('does not meet every rule').waitFor();
  await section.getByLabel('New PIN', { exact: true }).fill('271828');
  await section.getByLabel('New PIN again').fill('271828');
  await section.getByRole('button', { name: 'Save PIN' }).click();
  await page.getByText('The PIN is saved').waitFor();
  await section.getByRole('button', { name: 'Change the PIN' }).waitFor();

  const again = await (await room.newBrowser()).newPage();
  await steerKeys(again);
  await again.goto(house.url);
  await again.getByText('badge to the reader').waitFor();
  await scan(again, 'FACE0006\n');
  await again.getByRole('textbox', { name: 'PIN or password' }).fill('271828');
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();
  await again.getByRole('heading', { level: 1, name: 'tim' }).waitFor();
});

test('an administrator has no use for a PIN', async () => {
  const page = await open('/account', 'ada');
  await page.getByText('Good until').waitFor();
  expect(await page.getByText('PIN for your badge').count()).toBe(0);
});
