/** Emergency access in a browser: the code of the envelope, the alarm on every screen, and the next envelope. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { openControlRoom, signIn } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
const { app } = await house.addApp('HMI', { users: { olivia: '5' } });

async function seal(name: string): Promise<string> {
  return (await house.features.emergency.add({ name }, HOST_ACTOR)).secret;
}

async function ask(page: Page, code: string, reason: string): Promise<void> {
  await page.getByLabel('Code from the envelope').fill(code);
  await page.getByLabel('Why is it needed?').fill(reason);
  await page.getByRole('button', { name: 'Sign in with the code' }).click();
}

const alarm = (page: Page) => page.getByText('Emergency access in use');

test('the code is grouped while it is typed, and what is wrong with it is said', async () => {
  const page = await room.newPage();
  await page.getByRole('link', { name: 'Emergency access' }).click();
  const code = page.getByLabel('Code from the envelope');
  await code.pressSequentially('7k3qx09mzb7');
  expect(await code.inputValue()).toBe('7K3QX-09MZB-7');
  await page.getByText('Still to type: 14').waitFor();
  await page.getByRole('button', { name: 'Sign in with the code' }).click();
  await page.getByText('not complete yet').waitFor();
  await ask(page, '7K3QX-09MZB-7K3QX-09MZB-7K3QX', 'a fire');
  await page.getByText('is mistyped').waitFor();
  await ask(page, '00000-00000-00000-00000-00000', ' ');
  await page.getByText('Say in a few words why').waitFor();
  await ask(page, '00000-00000-00000-00000-00000', 'a fire');
  await page.getByText('This code is not valid').waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Sign in at Keyswitch' }).waitFor();
});

test('an emergency raises the alarm on every screen, seals a new code, and ends with its session', async () => {
  const secret = await seal('glass box');
  const screen = await room.newPage(`/?app=${app.id}`);
  const bystander = await room.newPage('/?app=');
  await bystander.getByRole('link', { name: 'Emergency access' }).waitFor();
  const operator = await room.newPage();
  await signIn(operator, 'olivia');
  await operator.getByText('Live').waitFor();

  const page = await room.newPage();
  await page.getByRole('link', { name: 'Emergency access' }).click();
  await ask(page, secret.toLowerCase().replaceAll('-', ''), 'the reactor room is locked');
  await page.getByRole('heading', { name: 'Seal the new code' }).waitFor();
  await alarm(screen).waitFor();
  await alarm(bystander).waitFor();
  await operator.getByText('glass box at Keyswitch').waitFor();
  await operator.getByText('Reason: the reactor room is locked').waitFor();
  expect(await screen.getByText('reactor').count()).toBe(0);

  // The new code is on paper, and nothing else is.
  const shown = await page.getByRole('group', { name: 'code' }).textContent();
  expect(shown?.trim()).toMatch(/^(\w{5}-){4}\w{5}$/);
  expect(shown?.trim()).not.toBe(secret);
  await page.emulateMedia({ media: 'print' });
  const printed = await page.locator('body').innerText();
  expect(printed).toContain(shown?.trim());
  expect(printed).toContain('glass box');
  expect(printed).not.toContain('Seal the new code');
  await page.emulateMedia({ media: 'screen' });

  // It is not left behind unsealed.
  await page.goBack();
  await page.getByRole('alert').filter({ hasText: 'confirm' }).waitFor({ state: 'attached' });
  expect(await page.getByRole('group', { name: 'code' }).textContent()).toBe(shown);
  await page.getByRole('button', { name: 'envelope' }).click();
  await page.getByRole('heading', { level: 1, name: 'glass box' }).waitFor();
  await alarm(page).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await alarm(screen).waitFor({ state: 'detached' });
  await alarm(bystander).waitFor({ state: 'detached' });
  await alarm(operator).waitFor({ state: 'detached' });

  // The name of the account is no help to whoever comes next.
  expect(await page.getByRole('textbox', { name: 'User name' }).inputValue()).toBe('');
});

test('a code is good once', async () => {
  const secret = await seal('second box');
  const page = await room.newPage('/emergency');
  await ask(page, secret, 'a drill');
  await page.getByRole('button', { name: 'envelope' }).click();
  const other = await room.newPage('/emergency');
  await ask(other, secret, 'a second drill');
  await other.getByText('This code is not valid').waitFor();
});
