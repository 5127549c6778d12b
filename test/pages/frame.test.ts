/** The frame around every page, in a browser: the way from page to page, and work that is not lost on it. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { openControlRoom, signIn } from './control-room.ts';

const room = await openControlRoom();

const links = (page: Page) => page.getByRole('navigation').getByRole('link');
const link = (page: Page, name: string) => page.getByRole('navigation').getByRole('link', { name });
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
async function typeSomething(page: Page): Promise<void> {
  await link(page, 'Account').click();
  await page.getByLabel('Current password').fill('half of it');
}

test('an administrator finds every page, an operator the few that are theirs', async () => {
  const administrator = await room.newPage();
  await signIn(administrator, 'ada');
  expect(await links(administrator).allTextContents()).toEqual(
    ['Home', 'Sessions', 'Account', 'Users', 'Badges', 'PLC links', 'Audit'].map(
      (name) => expect.stringContaining(name) as string,
    ),
  );
  const operator = await room.newPage();
  await signIn(operator, 'olivia');
  expect(await links(operator).allTextContents()).toEqual(
    ['Home', 'Sessions', 'Account'].map((name) => expect.stringContaining(name) as string),
  );
});

test('the page is marked, its heading has the focus, and Back leads back', async () => {
  const page = await room.newPage();
  await signIn(page, 'ada');
  for (const name of ['Sessions', 'Account', 'Users', 'Audit']) {
    await link(page, name).focus();
    await page.keyboard.press('Enter');
    await heading(page, name).waitFor();
    expect(await page.locator('nav [aria-current=page]').textContent()).toContain(name);
    expect(await page.locator('h1:focus').textContent()).toContain(name);
    expect(new URL(page.url()).pathname).toBe(`/${name.toLowerCase()}`);
  }
  await page.goBack();
  await heading(page, 'Users').waitFor();
  await page.reload();
  await heading(page, 'Users').waitFor();
});

test.each([1280, 800])('at a width of %i every link is large enough for a glove', async (width) => {
  const page = await room.newPage('/', { viewport: { width, height: 800 } });
  await signIn(page, 'ada');
  for (const box of await Promise.all((await links(page).all()).map((each) => each.boundingBox()))) {
    expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(48);
  }
});

test.each(['/users', '/plc', '/audit', '/emergency'])(
  'an operator who asks for %s is at home',
  async (path) => {
    const page = await room.newPage(path === '/emergency' ? '/' : path);
    await signIn(page, 'olivia');
    if (path === '/emergency') await page.goto(room.house.url + path);
    await heading(page, 'olivia').waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  },
);

test('home does not scroll on the smallest of desks', async () => {
  for (const user of ['ada', 'olivia']) {
    const page = await room.newPage();
    await signIn(page, user);
    await page.getByText('Signs out at').waitFor();
    const overflow = await page.evaluate(
      `[document.documentElement, document.querySelector('main')].map((box) => box.scrollHeight - box.clientHeight)`,
    );
    expect(overflow).toEqual([0, 0]);
  }
});

test('work is not left without a question, by link, by Back or by signing out', async () => {
  const page = await room.newPage();
  await signIn(page, 'ada');
  await typeSomething(page);
  const ways = [
    () => link(page, 'Home').click(),
    () => page.goBack(),
    () => page.getByRole('button', { name: 'Sign out' }).click(),
  ];
  for (const leave of ways) {
    await leave();
    await page.getByRole('button', { name: 'Stay here' }).click();
    expect(await page.getByLabel('Current password').inputValue()).toBe('half of it');
    expect(new URL(page.url()).pathname).toBe('/account');
  }
  await link(page, 'Home').click();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await link(page, 'Home').click();
  await page.getByRole('button', { name: 'Leave and lose it' }).click();
  await heading(page, 'ada').waitFor();
  await link(page, 'Account').click();
  expect(await page.getByLabel('Current password').inputValue()).toBe('');
});

test('closing the tab asks while there is work, and only then', async () => {
  const page = await room.newPage();
  await signIn(page, 'ada');
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await page.reload();
  await typeSomething(page);
  expect(asked).toEqual([]);
  await page.reload();
  expect(asked).toEqual(['beforeunload']);
});
