/** A page that is older than its host, in a browser: it loads itself anew, and takes no work with it. */
import type { BrowserContext, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom();
const READY = 'A new version is ready';

/** What the host says of itself from now on. */
async function serve(context: BrowserContext, version: string): Promise<void> {
  await context.route('**/api/v1/welcome*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), version } });
  });
}

/** Counts the loads of a page from now on. */
function countLoads(page: Page): () => number {
  let loads = 0;
  page.on('load', () => (loads += 1));
  return () => loads;
}

/** Cuts the page off for a moment, as a host does that starts anew. */
async function cutOff(page: Page): Promise<void> {
  await page.evaluate(`lastSocket.close()`);
}

/** A page whose connection can be cut. */
async function openPage(path: string): Promise<Page> {
  const context = await room.newBrowser();
  await context.addInitScript({
    content: `{
      const Original = WebSocket;
      window.WebSocket = class extends Original { constructor(...given) { super(...given); window.lastSocket = this; } };
    }`,
  });
  const page = await context.newPage();
  await page.goto(room.house.url + path);
  return page;
}

/** The same, signed in. */
async function open(path = '/'): Promise<Page> {
  const page = await openPage(path);
  await signIn(page, 'ada');
  await page.getByText('Live').waitFor();
  return page;
}

test('loads itself anew at once where nothing is lost by it, stays where it was, and does so once', async () => {
  const page = await open('/users');
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  const loads = countLoads(page);
  await serve(page.context(), '99.0.0');
  await cutOff(page);
  await expect.poll(loads, WAIT).toBe(1);
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  await page.getByText('Live').waitFor();
  // The page that came is an old one as well: asking again does not help.
  const answered = page.waitForResponse('**/api/v1/welcome*');
  await cutOff(page);
  await answered;
  await page.getByText('Live').waitFor();
  expect([loads(), await page.getByText(READY).count()]).toEqual([1, 0]);
});

test('says so while there is work, keeps it, and loads itself when it is done', async () => {
  const page = await open('/account');
  const work = page.getByLabel('New password', { exact: true });
  await work.fill('half of a new password');
  const loads = countLoads(page);
  await serve(page.context(), '99.0.0');
  await cutOff(page);
  await page.getByText(READY).waitFor();
  await page.getByRole('heading', { level: 1 }).focus();
  await page.getByText('Live').waitFor();
  expect([loads(), await work.inputValue()]).toEqual([0, 'half of a new password']);
  await work.fill('');
  await expect.poll(loads, WAIT).toBe(1);
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
});

test('does not load itself under the fingers of somebody who signs in', async () => {
  const context = await room.newBrowser();
  const page = await context.newPage();
  await page.goto(room.house.url);
  await page.getByRole('textbox', { name: 'User name' }).fill('ada');
  await page.getByRole('textbox', { name: 'Password' }).pressSequentially('half');
  const loads = countLoads(page);
  await serve(context, '99.0.0');
  await context.setOffline(true);
  await page.getByRole('button', { name: 'Sign in', exact: true }).press('Enter');
  await page.getByRole('textbox', { name: 'Password' }).press('End');
  await context.setOffline(false);
  await page.getByText(READY).waitFor();
  expect([loads(), await page.getByRole('textbox', { name: 'Password' }).inputValue()]).toEqual([0, 'half']);
  await page.getByRole('textbox', { name: 'Password' }).fill('');
  await expect.poll(loads, WAIT).toBe(1);
});

test('nor between the name and the password', async () => {
  const page = await openPage('/');
  const name = page.getByRole('textbox', { name: 'User name' });
  await name.pressSequentially('ad');
  await name.press('Tab');
  const loads = countLoads(page);
  await serve(page.context(), '99.0.0');
  await page.waitForFunction('window.lastSocket?.readyState === 1');
  await cutOff(page);
  await page.getByText(READY).waitFor();
  expect([loads(), await name.inputValue()]).toEqual([0, 'ad']);
  await name.fill('');
  await expect.poll(loads, WAIT).toBe(1);
});

test('a part that is gone with the version before leads to the new page, and not to an error', async () => {
  const page = await open();
  const loads = countLoads(page);
  await page
    .context()
    .route('**/assets/UsersPage-*.js', (route) =>
      loads() === 0 ? route.fulfill({ status: 404 }) : route.continue(),
    );
  await page.getByRole('navigation').getByRole('link', { name: 'Users' }).click();
  await expect.poll(loads, WAIT).toBe(1);
  await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  expect(await page.getByRole('alert').filter({ hasText: 'could not be loaded' }).count()).toBe(0);
});
