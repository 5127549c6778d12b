/** One's own account in a browser: how long the password is good, and a new one for it. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { PASSWORD } from '../host.ts';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const DAY_MS = 24 * 60 * 60_000;
const NEW_PASSWORD = 'nine herons by the weir';

const room = await openControlRoom({ config: { 'passwords.maxAgeDays': '90', 'passwords.warnDays': '14' } });
const { house, clock } = room;

async function openAccount(user: string): Promise<Page> {
  const page = await room.newPage('/account');
  await signIn(page, user);
  await page.getByText('Good until').waitFor();
  return page;
}

async function type(page: Page, current: string, next: string): Promise<void> {
  await page.getByLabel('Current password').fill(current);
  await page.getByLabel('New password', { exact: true }).fill(next);
  await page.getByLabel('New password again').fill(next);
  await page.getByRole('button', { name: 'Change password' }).click();
}

test('a new password takes the current one; the other sessions end, this one stays', async () => {
  const page = await openAccount('olivia');
  const other = await room.newPage();
  await signIn(other, 'olivia');
  await type(page, 'not the current one', NEW_PASSWORD);
  await page.getByText('The current password is wrong').waitFor();
  await type(page, PASSWORD, NEW_PASSWORD);
  await page.getByText('The password is changed').waitFor();
  await other.getByText('the password was changed').waitFor();
  expect(await page.getByLabel('Current password').inputValue()).toBe('');
  const again = await room.newPage();
  await signIn(again, 'olivia', NEW_PASSWORD);
});

test('the rules turn met while one types, and stop what the host would refuse', async () => {
  const page = await openAccount('ada');
  const met = () => page.locator('#rules li.met').count();
  const rules = await page.locator('#rules li').count();
  await page.getByLabel('New password', { exact: true }).fill('short');
  const few = await met();
  await page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD);
  await page.getByLabel('New password again').fill(NEW_PASSWORD);
  // What only the host can tell is open until it has told.
  await expect.poll(met, WAIT).toBe(rules - 1);
  expect(few).toBeLessThan(rules - 1);
  await type(page, PASSWORD, 'short');
  await page.getByText('does not meet every rule').waitFor();
  await type(page, PASSWORD, PASSWORD);
  await page.getByText('does not accept this password').waitFor();
});

test('home says in time that the password expires, and leads to the account', async () => {
  await house.addUser('tim');
  const early = await room.newPage();
  await signIn(early, 'tim');
  await early.getByText('Signs out at').waitFor();
  expect(await early.getByText('Your password expires').count()).toBe(0);
  clock.skip(80 * DAY_MS);
  const page = await room.newPage();
  await signIn(page, 'tim');
  await page.getByText('Your password expires').waitFor();
  await page.getByRole('link', { name: 'Change it now' }).click();
  await page.getByText('change it soon').waitFor();
  await type(page, PASSWORD, NEW_PASSWORD);
  await page.getByText('The password is changed').waitFor();
  await expect.poll(() => page.getByText('change it soon').count(), WAIT).toBe(0);
});

test('the account leads to the licences of what is inside, and they lead back to who is signed in', async () => {
  const page = await openAccount('ada');
  await page.getByRole('link', { name: 'Licences of the software inside' }).click();
  await page.getByText(/^svelte \d.*: MIT$/).click();
  await page.getByText('Permission is hereby granted').filter({ visible: true }).waitFor();
  await page.getByRole('link', { name: 'Keyswitch' }).click();
  await page.getByText('Signs out at').waitFor();
});
