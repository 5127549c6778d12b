/** The users page in a browser: who there is, adding and changing them, secrets that are shown once. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom({ config: { 'lockout.preset': 'jube' } });
const { house } = room;
// Made at the first start; without it `ada` is the last one.
await house.features.users.change('Administrator', { enabled: false }, HOST_ACTOR);

const grid = (page: Page) => page.getByRole('grid', { name: 'Users' });
const row = (page: Page, name: string) =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) });
const sheet = (page: Page) => page.getByRole('dialog');
const secret = (page: Page) => sheet(page).getByRole('group', { name: /^One-time secret|^Emergency code/ });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function openUsers(): Promise<Page> {
  const page = await room.newPage('/users');
  await signIn(page, 'ada');
  await row(page, 'ada').waitFor();
  return page;
}

async function openSheet(page: Page, name: string): Promise<void> {
  await row(page, name).click();
  await sheet(page).waitFor();
}

test('a user is added, and signs in with the secret that was shown once', async () => {
  const page = await openUsers();
  await button(page, 'Add user').click();
  await sheet(page).getByRole('textbox', { name: 'User name' }).fill('nora');
  await sheet(page).getByRole('textbox', { name: 'Display name' }).fill('Nora Lind');
  await sheet(page).getByRole('textbox', { name: 'Longest time' }).fill('45');
  await button(page, 'Save and show the secret').click();
  const text = (await secret(page).textContent())?.trim() ?? '';
  expect(text.length).toBeGreaterThanOrEqual(12);

  // Nothing but the confirmation takes it away.
  await page.keyboard.press('Escape');
  await sheet(page).getByText('First confirm').waitFor();
  await sheet(page).getByRole('button', { name: 'Close' }).click();
  await row(page, 'ada').click();
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('button', { name: 'Stay here' }).click();
  expect((await secret(page).textContent())?.trim()).toBe(text);
  await button(page, 'I have passed it on or noted it').click();
  await sheet(page).waitFor({ state: 'detached' });
  expect(await page.content()).not.toContain(text);
  expect(await row(page, 'nora').textContent()).toMatch(/Nora Lind.*one-time, until/s);

  const theirs = await room.newPage();
  await theirs.getByRole('textbox', { name: 'User name' }).fill('nora');
  await theirs.getByRole('textbox', { name: 'Password' }).fill(text);
  await theirs.getByRole('button', { name: 'Sign in', exact: true }).click();
  await theirs.getByRole('heading', { name: 'Choose a new password' }).waitFor();
});

test('faults stand at their fields, and what was typed stays', async () => {
  const page = await openUsers();
  await button(page, 'Add user').click();
  const name = sheet(page).getByRole('textbox', { name: 'User name' });
  const limit = sheet(page).getByRole('textbox', { name: 'Longest time' });
  await limit.fill('ten');
  await button(page, 'Save and show the secret').click();
  await sheet(page).getByText('Enter a user name.').waitFor();
  await sheet(page).getByText('Whole minutes').waitFor();
  await sheet(page).locator('input:focus').and(name).waitFor();
  await name.fill('olivia');
  await limit.fill('10');
  await button(page, 'Save and show the secret').click();
  await sheet(page).getByText('There is a user named olivia already').waitFor();
  expect(await name.getAttribute('aria-invalid')).toBe('true');
  expect(await limit.inputValue()).toBe('10');
});

test('is found while one types, and opened, changed and closed with the keyboard alone', async () => {
  await house.addUser('paul');
  await house.addUser('paula');
  const page = await openUsers();
  await page.getByRole('searchbox', { name: 'Search users' }).fill('PAUL');
  await page.getByText('2 of ').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await sheet(page).getByRole('heading', { name: 'paula' }).waitFor();
  await sheet(page).getByRole('textbox', { name: 'Display name' }).fill('Paula Moon');
  await page.keyboard.press('Enter');
  await sheet(page).getByText('Saved.').waitFor();
  await page.keyboard.press('Escape');
  await sheet(page).waitFor({ state: 'detached' });
  expect(await page.locator('[role=grid]:focus').count()).toBe(1);
  await row(page, 'paula').filter({ hasText: 'Paula Moon' }).waitFor();
});

test('disabling says what it does, and does it', async () => {
  await house.addUser('quinn');
  const { accessToken } = await house.signIn('quinn');
  const page = await openUsers();
  await openSheet(page, 'quinn');
  await sheet(page).getByRole('checkbox', { name: 'May sign in' }).uncheck();
  await sheet(page).getByText('Saving ends every session of quinn').waitFor();
  await button(page, 'Save').click();
  await sheet(page).getByText('Saved.').waitFor();
  expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
  await row(page, 'quinn').filter({ hasText: 'Disabled' }).waitFor();
});

test('the last administrator stays one', async () => {
  const page = await openUsers();
  await openSheet(page, 'ada');
  await sheet(page).getByRole('radio', { name: 'Passive' }).check();
  await button(page, 'Save').click();
  await sheet(page).getByText('This is the last enabled administrator').waitFor();
  expect(await sheet(page).getByRole('radio', { name: 'Passive' }).isChecked()).toBe(true);
});

test('what is not saved is named, and lost only on purpose', async () => {
  await house.addUser('rosa');
  const page = await openUsers();
  await openSheet(page, 'rosa');
  await sheet(page).getByRole('textbox', { name: 'Display name' }).fill('Rosa Park');
  await sheet(page).getByText('Not saved yet: Display name').waitFor();
  await row(page, 'ada').click();
  await sheet(page).getByText('Discard what is not saved yet (Display name)?').waitFor();
  await button(page, 'Keep editing').click();
  expect(await sheet(page).getByRole('textbox', { name: 'Display name' }).inputValue()).toBe('Rosa Park');
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('heading', { name: 'Leave without saving?' }).waitFor();
  await page.getByRole('button', { name: 'Stay here' }).click();
  await sheet(page).getByRole('textbox', { name: 'Display name' }).press('Escape');
  await button(page, 'Discard').click();
  await sheet(page).waitFor({ state: 'detached' });
});

test('a reset explains itself, ends the sessions and shows a secret once', async () => {
  await house.addUser('sven');
  const { accessToken } = await house.signIn('sven');
  const page = await openUsers();
  await openSheet(page, 'sven');
  await button(page, 'Reset password…').click();
  await sheet(page).getByText('Nobody chooses or sees a password').waitFor();
  await button(page, 'Reset now').click();
  await secret(page).waitFor();
  expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await button(page, 'Copy').click();
  await sheet(page).getByText('Copied.').waitFor();
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
    (await secret(page).textContent())?.trim(),
  );
  await button(page, 'I have passed it on or noted it').click();
  await sheet(page).getByText('one-time, until').waitFor();
});

test('the slip on paper has the plant, the user, the secret and what to do, and nothing else', async () => {
  await house.addUser('tess');
  const page = await openUsers();
  await openSheet(page, 'tess');
  await button(page, 'Reset password…').click();
  await button(page, 'Reset now').click();
  const text = (await secret(page).textContent())?.trim() ?? '';
  await page.emulateMedia({ media: 'print' });
  const paper = await page.locator('body').innerText();
  expect(paper).toContain(text);
  expect(paper).toMatch(/tess[^]*Good until[^]*Sign in with this user name and secret/);
  expect(paper).not.toContain('Add user');
  expect(await page.getByRole('grid').isVisible()).toBe(false);
});

test('a locked user is seen, found and unlocked', async () => {
  await house.addUser('uwe');
  const wrong = { username: 'uwe', password: 'not the password of uwe' };
  for (let i = 0; i < 10; i += 1) await house.ask('POST', '/api/v1/sign-in', { json: wrong });
  const page = await openUsers();
  await row(page, 'uwe').filter({ hasText: 'until unlocked' }).waitFor();
  await page.getByRole('group', { name: 'Filters' }).getByRole('button', { name: 'Locked' }).click();
  await expect.poll(() => grid(page).getByRole('rowheader').count(), WAIT).toBe(1);
  await openSheet(page, 'uwe');
  await sheet(page).getByText('10 wrong tries').waitFor();
  await button(page, 'Unlock').click();
  await sheet(page).getByText('Unlocked.').waitFor();
  await house.signIn('uwe');
});

test('an emergency account is added for the envelope, marked, and sealed anew', async () => {
  const page = await openUsers();
  await button(page, 'Add emergency account').click();
  await sheet(page).getByText('For when nobody else can sign in').waitFor();
  await sheet(page).getByRole('textbox', { name: 'Account' }).fill('Emergency 1');
  await button(page, 'Save and show the code').click();
  const first = await secret(page).textContent();
  await button(page, 'It is in the envelope').click();
  await row(page, 'Emergency 1').filter({ hasText: 'sealed' }).waitFor();
  await openSheet(page, 'Emergency 1');
  await button(page, 'Seal anew…').click();
  await sheet(page).getByText('The code in the old envelope is worthless at once').waitFor();
  await button(page, 'Seal anew now').click();
  expect(await secret(page).textContent()).not.toBe(first);
  await button(page, 'It is in the envelope').click();
  await button(page, 'Seal anew…').waitFor();
  expect(await sheet(page).getByRole('button', { name: 'Reset password…' }).count()).toBe(0);
});

test('what is known and what was typed stay while the host does not answer', async () => {
  const page = await openUsers();
  await button(page, 'Add user').click();
  await sheet(page).getByRole('textbox', { name: 'User name' }).fill('vera');
  await page.route('**/api/v1/users', (route) => route.abort());
  await button(page, 'Save and show the secret').click();
  await sheet(page).getByText('The host did not answer').waitFor();
  expect(await sheet(page).getByRole('textbox', { name: 'User name' }).inputValue()).toBe('vera');
  await row(page, 'ada').waitFor();
  await page.unroute('**/api/v1/users');
  await button(page, 'Save and show the secret').click();
  await secret(page).waitFor();
});

test('speaks German in a German browser', async () => {
  const page = await room.newPage('/users', { locale: 'de-DE', theme: 'dark' });
  await page.getByRole('textbox', { name: 'Benutzername' }).fill('ada');
  await page.getByRole('textbox', { name: 'Passwort' }).fill('the quiet pump house');
  await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
  await page.getByRole('grid', { name: 'Benutzer' }).waitFor();
  await page.getByRole('button', { name: 'Benutzer anlegen' }).click();
  await page.getByText('Beim Speichern entsteht ein Einmalkennwort').waitFor();
});

test('an operator gets no users page', async () => {
  const page = await room.newPage('/users');
  await signIn(page, 'olivia');
  await page.getByText('Signs out at').waitFor();
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0);
});
