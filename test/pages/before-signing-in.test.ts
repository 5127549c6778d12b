/** The sign-in page in a browser, before anybody has signed in: what it tells, and how a password is typed. */
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { PASSWORD } from '../host.ts';
import { openControlRoom } from './control-room.ts';

const NOTICE = 'For authorised staff only.\nWhat is done here is recorded.';

const room = await openControlRoom({ config: { 'plant.banner': NOTICE } });

const password = (page: Page): Locator => page.getByRole('textbox', { name: 'Password' });

test('the notice of use stands above the fields before anybody signs in', async () => {
  const page = await room.newPage();
  const notice = page.getByText('For authorised staff only.');
  await notice.waitFor();
  expect(await notice.innerText()).toBe(NOTICE);
  const [text, field] = [await notice.boundingBox(), await password(page).boundingBox()];
  expect(text?.y).toBeLessThan(field?.y ?? 0);
});

test('what is typed is hidden until it is asked for', async () => {
  const page = await room.newPage();
  await password(page).fill(PASSWORD);
  expect(await password(page).getAttribute('type')).toBe('password');
  const show = page.getByRole('button', { name: 'Show password' });
  await show.click();
  expect(await password(page).getAttribute('type')).toBe('text');
  await show.click();
  expect(await password(page).getAttribute('type')).toBe('password');
});

test('a password may be pasted, whole and as it is', async () => {
  const pasted = `  ${PASSWORD} – ${'é🔑 '.repeat(40)} `;
  const page = await room.newPage();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(pasted)})`);
  await password(page).focus();
  await page.keyboard.press('ControlOrMeta+V');
  expect(await password(page).inputValue()).toBe(pasted);
});
