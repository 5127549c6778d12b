/** The sign-in page in a browser: what it says to too many tries, and that they are nobody else's. */
import { expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { openControlRoom, signIn } from './control-room.ts';

const room = await openControlRoom({ config: { 'lockout.delayAfter': '2', 'lockout.maxDelaySec': '600' } });
const { house, clock } = room;

/** Fails with each try as soon as it is allowed, until the next wait is longer than this test. */
async function failOften(username: string): Promise<void> {
  for (let waitSec = 0; waitSec < 60;) {
    const json = { username, password: 'wrong' };
    const { status, headers } = await house.ask('POST', '/api/v1/sign-in', { json });
    expect(status).toBe(401);
    waitSec = Number(headers['retry-after'] ?? 0);
    clock.skip(waitSec * 1000);
  }
}

async function tryWith(page: Page, user: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'User name' }).fill(user);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
}

test('after wrong tries the button says how long to wait, and another name does not wait', async () => {
  await failOften('olivia');
  const page = await room.newPage();
  await tryWith(page, 'olivia', 'wrong');
  await page.getByText('After several wrong tries the next one has to wait').waitFor();
  await page.getByRole('button', { name: /^Try again in \d/ }).waitFor();

  // Whoever asks before that, from another tab say, hears the same without a look at the password.
  const other = await page.context().newPage();
  await other.goto(house.url);
  await tryWith(other, 'olivia', 'wrong again');
  await other.getByText('Too many tries').waitFor();
  await other.getByRole('button', { name: /^Try again in \d/ }).waitFor();

  await signIn(page, 'ada');
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('ada');
});
