/** The keyboard on the screen in a browser: by touch and by mouse, in gloves, and without telling a password. */
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { PASSWORD } from '../host.ts';
import { openControlRoom, signIn, type BrowserOptions } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;

const keyboard = (page: Page) => page.getByRole('group', { name: 'On-screen keyboard' });
const key = (page: Page, name: string) => keyboard(page).getByRole('button', { name, exact: true });
const toggles = (page: Page) => page.getByRole('button', { name: 'On-screen keyboard' });
const name = (page: Page) => page.getByRole('textbox', { name: 'User name' });
const password = (page: Page) => page.getByRole('textbox', { name: 'Password' });

/** Presses keys as a person does who sees no others. */
async function press(page: Page, text: string): Promise<void> {
  for (const character of text) {
    const face = character === ' ' ? 'Space' : character;
    if (/\p{Lu}/u.test(character)) await key(page, 'Shift').click();
    await key(page, face).click();
  }
}

/** A screen that is touched and has no mouse. */
async function newTouchScreen(options: BrowserOptions = {}): Promise<Page> {
  const { locale = 'en-GB', viewport = { width: 1280, height: 800 } } = options;
  const context = await touchBrowser(locale, viewport);
  const page = await context.newPage();
  await page.goto(house.url);
  return page;
}

async function touchBrowser(
  locale: string,
  viewport: { width: number; height: number },
): Promise<BrowserContext> {
  const context = await room.newBrowser({ locale, viewport });
  return context.browser()!.newContext({ ignoreHTTPSErrors: true, locale, viewport, hasTouch: true });
}

async function box(locator: Locator): Promise<{ top: number; bottom: number; left: number; right: number }> {
  const { x, y, width, height } = (await locator.boundingBox())!;
  return { top: y, bottom: y + height, left: x, right: x + width };
}

test('opens by the button beside a field, types into it, and Enter signs in', async () => {
  const page = await room.newPage();
  await toggles(page).first().click();
  await keyboard(page).waitFor();
  await press(page, 'olivia');
  expect(await name(page).inputValue()).toBe('olivia');
  await password(page).click();
  await press(page, PASSWORD);
  expect(await password(page).inputValue()).toBe(PASSWORD);
  expect(await password(page).getAttribute('type')).toBe('password');
  await key(page, 'Enter').click();
  await page.getByRole('heading', { level: 1, name: 'olivia' }).waitFor();
  await keyboard(page).waitFor({ state: 'detached' });
});

test('types where the cursor is, over what is selected, and takes back', async () => {
  const page = await room.newPage();
  await name(page).fill('Anna Berger');
  await toggles(page).first().click();
  await page.keyboard.press('Home');
  for (let step = 0; step < 4; step += 1) await page.keyboard.press('Shift+ArrowRight');
  await press(page, 'Eva');
  expect(await name(page).inputValue()).toBe('Eva Berger');
  await page.keyboard.press('End');
  await key(page, 'Backspace').click();
  await key(page, 'Backspace').click();
  expect(await name(page).inputValue()).toBe('Eva Berg');
  await key(page, '?#&').click();
  await press(page, '&€');
  await key(page, 'ABC').click();
  await press(page, 'x');
  expect(await name(page).inputValue()).toBe('Eva Berg&€x');
  expect(await page.evaluate('document.activeElement.value')).toBe('Eva Berg&€x');
});

test('Shift is for one letter, or stays when it is pressed twice', async () => {
  const page = await room.newPage();
  await toggles(page).first().click();
  await key(page, 'Shift').click();
  await key(page, 'A').click();
  await key(page, 'b').click();
  await key(page, 'Shift').click();
  await key(page, 'Shift').click();
  await key(page, 'C').click();
  await key(page, 'D').click();
  await key(page, 'Shift, locked').click();
  await key(page, 'e').click();
  expect(await name(page).inputValue()).toBe('AbCDe');
});

test('nothing on it tells which key was pressed', async () => {
  const page = await room.newPage();
  await toggles(page).nth(1).click();
  const look = async (): Promise<Buffer> => keyboard(page).screenshot();
  await page.mouse.move(1, 1);
  const before = await look();
  const { left, top } = await box(key(page, 'g'));
  await page.mouse.move(left + 20, top + 20);
  expect(Buffer.compare(await look(), before)).toBe(0);
  await page.mouse.down();
  expect(Buffer.compare(await look(), before)).toBe(0);
  await page.mouse.up();
  expect(Buffer.compare(await look(), before)).toBe(0);
  expect(await password(page).inputValue()).toBe('g');
});

test.each([
  { width: 1280, height: 800 },
  { width: 1024, height: 768 },
  { width: 1920, height: 1080 },
])(
  'has keys for gloves, and covers neither the field nor the button at $width x $height',
  async (viewport) => {
    const page = await room.newPage('/', { viewport });
    await toggles(page).nth(1).click();
    for (const one of await keyboard(page).getByRole('button').all()) {
      const { top, bottom, left, right } = await box(one);
      expect(Math.min(bottom - top, right - left)).toBeGreaterThanOrEqual(64);
      expect(right).toBeLessThanOrEqual(viewport.width);
    }
    const { top } = await box(keyboard(page));
    for (const seen of [
      name(page),
      password(page),
      page.getByRole('button', { name: 'Sign in', exact: true }),
    ]) {
      const { top: above, bottom } = await box(seen);
      expect(above).toBeGreaterThanOrEqual(0);
      expect(bottom).toBeLessThanOrEqual(top);
    }
  },
);

test('opens by itself where a finger goes to a field, and closes by its own key', async () => {
  const page = await newTouchScreen();
  await name(page).tap();
  await keyboard(page).waitFor();
  for (const character of 'olivia') await key(page, character).tap();
  expect(await name(page).inputValue()).toBe('olivia');
  // The system's own does not come as well.
  expect(await page.evaluate('document.activeElement.inputMode')).toBe('none');
  await key(page, 'Hide the keyboard').tap();
  await keyboard(page).waitFor({ state: 'detached' });
  await password(page).tap();
  await keyboard(page).waitFor();
});

test('does not open by itself for whoever has a mouse', async () => {
  const page = await room.newPage();
  await password(page).click();
  expect(await keyboard(page).count()).toBe(0);
});

test('can be worked with a keyboard, too', async () => {
  const page = await room.newPage();
  await name(page).fill('olivia');
  await password(page).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await key(page, 'q').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  expect(await password(page).inputValue()).toBe('qw');
});

test('lies as the language does', async () => {
  const page = await room.newPage('/', { locale: 'de-DE' });
  await page.getByRole('button', { name: 'Bildschirmtastatur' }).first().click();
  const german = page.getByRole('group', { name: 'Bildschirmtastatur' });
  await german.getByRole('button', { name: 'ü', exact: true }).click();
  await german.getByRole('button', { name: 'Umschalttaste' }).click();
  await german.getByRole('button', { name: 'Ö', exact: true }).click();
  const field = page.getByRole('textbox', { name: 'Benutzername' });
  expect(await field.inputValue()).toBe('üÖ');
  const [z, u] = await Promise.all(
    ['z', 'u'].map((face) => box(german.getByRole('button', { name: face, exact: true }))),
  );
  expect(z?.top).toBe(u?.top);
});

test('is there for a new password and for the lock screen', async () => {
  const page = await room.newPage('/account');
  await signIn(page, 'olivia');
  await page.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
  const field = page.getByLabel('New password', { exact: true });
  await field.focus();
  await toggles(page).nth(1).click();
  await press(page, 'a new one');
  expect(await field.inputValue()).toBe('a new one');
  await key(page, 'Hide the keyboard').click();
  await page.getByRole('button', { name: 'Lock', exact: true }).click();
  const locked = page.getByRole('dialog');
  await locked.getByRole('button', { name: 'On-screen keyboard' }).click();
  for (const character of PASSWORD) {
    await locked.getByRole('button', { name: character === ' ' ? 'Space' : character, exact: true }).click();
  }
  await locked.getByRole('button', { name: 'Enter', exact: true }).click();
  await locked.waitFor({ state: 'detached' });
  expect(await field.inputValue()).toBe('a new one');
});
