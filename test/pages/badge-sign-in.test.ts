/** Badges at the sign-in page in a browser: a reader is heard whatever has the focus, and what it types lands nowhere. */
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD, type TestHost } from '../host.ts';
import { openControlRoom, signIn, WAIT, type BrowserOptions, type ControlRoom } from './control-room.ts';
import { scan, steerKeys, typeByHand } from './readers.ts';

const BADGE = '04A2B3C4D5';
const PIN = '271828';
/** A busy machine is a slow reader: the times of the keys are the test's, how long a page waits is not. */
const SLOW = { 'badges.maxGapMs': '500' };

const alone = await openControlRoom({ config: { ...SLOW, 'badges.signIn': 'alone' } });
const withPin = await openControlRoom({
  config: { ...SLOW, 'lockout.delayAfter': '3', 'lockout.maxDelaySec': '600' },
});

async function enrol({ features }: TestHost, userName: string, badge: string): Promise<void> {
  await features.badges.enrol({ userName, badge, label: '' }, HOST_ACTOR);
}

async function setPin(house: TestHost, userName: string): Promise<void> {
  const { accessToken: token } = await house.signIn(userName);
  const json = { currentPassword: PASSWORD, newPin: PIN };
  expect((await house.ask('PUT', '/api/v1/pin', { token, json })).status).toBe(204);
}

for (const room of [alone, withPin]) await enrol(room.house, 'olivia', BADGE);
await setPin(withPin.house, 'olivia');

async function openSignIn(room: ControlRoom, path = '/', options: BrowserOptions = {}): Promise<Page> {
  const page = await (await room.newBrowser(options)).newPage();
  await steerKeys(page);
  await page.goto(room.house.url + path);
  await page.getByText(/badge to the reader|Ausweis an das Lesegerät/).waitFor();
  return page;
}

const name = (page: Page) => page.getByRole('textbox', { name: 'User name' });
const password = (page: Page) => page.getByRole('textbox', { name: 'Password' });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const secondFactor = (page: Page) => page.getByRole('textbox', { name: 'PIN or password' });
const home = (page: Page, user: string) => page.getByRole('heading', { level: 1, name: user });

/** Everything that can have the focus on the sign-in page. */
const PLACES: readonly (readonly [string, (page: Page) => Locator])[] = [
  ['the user name', name],
  ['the password', password],
  ['the button', (page) => button(page, 'Sign in')],
  ['the language', (page) => page.getByRole('combobox', { name: 'Language' })],
  ['the theme', (page) => page.getByRole('combobox', { name: 'Theme' })],
  ['the link to the emergency page', (page) => page.getByRole('link', { name: 'Emergency access' })],
  ['the show button', (page) => button(page, 'Show password')],
];

/** What was there before a reader typed. */
async function fill(page: Page): Promise<void> {
  await name(page).fill('a name of mine');
  await password(page).fill('half a pass');
}

/** All that can be read off the page, and where the keyboard is. */
async function look(page: Page): Promise<unknown> {
  return page.evaluate(`({
    fields: [...document.querySelectorAll('input, select')].map(({ value, type }) => [value, type]),
    selected: [document.activeElement.selectionStart, document.activeElement.selectionEnd],
    focus: document.activeElement.outerHTML,
    path: location.pathname,
    language: document.documentElement.lang,
  })`);
}

describe('a badge alone', () => {
  test.each(PLACES)('signs in with the focus on %s', async (_, place) => {
    const page = await openSignIn(alone);
    await fill(page);
    await place(page).focus();
    await scan(page, `${BADGE}\n`);
    await home(page, 'olivia').waitFor();
  });

  test.each(PLACES)(
    'what is no badge lands nowhere with the focus on %s, and the next one is read',
    async (_, place) => {
      const page = await openSignIn(alone);
      await fill(page);
      await place(page).focus();
      const before = await look(page);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      // Two readers at once; a space presses buttons, a d chooses Deutsch or Dark.
      await scan(page, `d ${BADGE}\t04 FF 00\n17\n`);
      await page.getByText('What the reader sent is no badge').waitFor();
      expect(await look(page)).toEqual(before);
      expect(asked).toEqual([]);
      await scan(page, `${BADGE}\n`);
      await home(page, 'olivia').waitFor();
    },
  );

  test('a page with a badge on its way is not asked to sign in by password', async () => {
    const page = await openSignIn(alone);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await fill(page);
    await password(page).focus();
    await scan(page, `${BADGE}\n`);
    await home(page, 'olivia').waitFor();
    expect(asked).toContain('/api/v1/badge-sign-in');
    expect(asked).not.toContain('/api/v1/sign-in');
  });

  test('a string of 10 KB and control characters are answered calmly', async () => {
    const page = await openSignIn(alone);
    await fill(page);
    await password(page).focus();
    const before = await look(page);
    await page.evaluate(`
      Object.assign(window.keys, { pauseMs: 2000, gapMs: 1 });
      for (let nth = 0; nth < 10240; nth += 1) {
        const key = nth % 100 === 99 ? '\\u0002' : '7';
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      }
    `);
    await page.getByText('What the reader sent is no badge').waitFor();
    expect(await look(page)).toEqual(before);
    await scan(page, `${BADGE}\n`);
    await home(page, 'olivia').waitFor();
  });

  test('what a person types, and pastes, is nobody else’s', async () => {
    const page = await openSignIn(alone);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.evaluate(`navigator.clipboard.writeText('${PASSWORD}')`);
    await name(page).focus();
    await typeByHand(page, 'olivia\t');
    await page.keyboard.press('ControlOrMeta+V');
    expect([await name(page).inputValue(), await password(page).inputValue()]).toEqual(['olivia', PASSWORD]);
    await typeByHand(page, '\n');
    await home(page, 'olivia').waitFor();
  });

  test('a badge that nobody has is refused in its own words', async () => {
    const page = await openSignIn(alone);
    await scan(page, '00000000AA\n');
    await page.getByText('This badge does not sign in here').waitFor();
  });

  test('at the lock screen the same user comes back to their work', async () => {
    const page = await openSignIn(alone);
    await scan(page, `${BADGE}\n`);
    await page.getByRole('link', { name: 'Account' }).click();
    const work = page.getByLabel('New password', { exact: true });
    await work.fill('half of a new password');
    await button(page, 'Lock').click();
    const locked = page.getByRole('dialog');
    await locked.getByText('badge to the reader').waitFor();
    await scan(page, `${BADGE}\n`);
    await locked.waitFor({ state: 'detached' });
    expect(await work.inputValue()).toBe('half of a new password');
  });

  test("at the lock screen somebody else's badge loses no work that they have not agreed to lose", async () => {
    const { house } = alone;
    await house.addUser('bruno');
    await enrol(house, 'bruno', 'B0B0B0B0');
    const page = await openSignIn(alone);
    await scan(page, `${BADGE}\n`);
    await page.getByRole('link', { name: 'Account' }).click();
    const work = page.getByLabel('New password', { exact: true });
    await work.fill('half of a new password');
    await button(page, 'Lock').click();
    const locked = page.getByRole('dialog');
    await locked.getByText('badge to the reader').waitFor();

    await scan(page, 'B0B0B0B0\n');
    await locked.getByText('bruno is signed in now. What olivia typed on this page is lost').waitFor();
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Sign out');
    await page.keyboard.press('Enter');
    await locked.getByText('badge to the reader').waitFor();
    expect(house.features.sessions.list().map(({ user }) => user.name)).not.toContain('bruno');
    await scan(page, `${BADGE}\n`);
    await locked.waitFor({ state: 'detached' });
    expect(await work.inputValue()).toBe('half of a new password');

    await button(page, 'Lock').click();
    await locked.getByText('badge to the reader').waitFor();
    await scan(page, 'B0B0B0B0\n');
    await button(page, 'Go on and lose it').click();
    await home(page, 'bruno').waitFor();
  });

  test('a revoked badge signs its user out at once, and nobody in', async () => {
    const { house } = alone;
    await house.addUser('rosa');
    await enrol(house, 'rosa', 'FACE0001');
    const page = await openSignIn(alone);
    await scan(page, 'FACE0001\n');
    await home(page, 'rosa').waitFor();
    const badge = (await house.features.badges.list()).find(({ userName }) => userName === 'rosa');
    await house.features.sessions.revokeBadge(badge?.id ?? '', HOST_ACTOR);
    await page.getByText('a badge of yours was revoked').waitFor();
    await scan(page, 'FACE0001\n');
    await page.getByText('This badge does not sign in here').waitFor();
  });
});

describe('a badge with a PIN', () => {
  test('asks for the PIN, which is typed on large keys and never shown', async () => {
    const page = await openSignIn(withPin);
    await scan(page, `${BADGE}\n`);
    await page.getByText('Now enter your PIN').waitFor();
    const pad = page.getByRole('group', { name: 'Digits' });
    for (const key of await pad.getByRole('button').all()) {
      const { width = 0, height = 0 } = (await key.boundingBox()) ?? {};
      expect(Math.min(width, height)).toBeGreaterThanOrEqual(64);
    }
    for (const digit of `9${PIN}`) await pad.getByRole('button', { name: digit }).click();
    expect(await secondFactor(page).getAttribute('type')).toBe('password');
    expect(await secondFactor(page).inputValue()).toBe(`9${PIN}`);
    await pad.getByRole('button', { name: 'Backspace' }).click();
    await secondFactor(page).fill('');
    for (const digit of PIN) await pad.getByRole('button', { name: digit }).click();
    await button(page, 'Sign in').click();
    await home(page, 'olivia').waitFor();
  });

  test('is the same question for a number that nobody has, and refuses it like a wrong PIN', async () => {
    const page = await openSignIn(withPin);
    await scan(page, '0BAD0BAD\n');
    await secondFactor(page).waitFor();
    await typeByHand(page, `${PIN}\n`);
    await page.getByText('Wrong PIN or password, or a badge').waitFor();
    expect(await secondFactor(page).inputValue()).toBe('');
    await button(page, 'Cancel').click();
    await name(page).waitFor();
    await page.getByText('Or hold your badge').waitFor();
  });

  test('after wrong PINs the button says how long to wait', async () => {
    const { house } = withPin;
    await house.addUser('tim');
    await setPin(house, 'tim');
    await enrol(house, 'tim', 'FACE0002');
    const page = await openSignIn(withPin);
    await scan(page, 'FACE0002\n');
    const wait = page.getByRole('button', { name: /^Try again in \d/ });
    for (let tries = 0; tries < 4 && !(await wait.isVisible()); tries += 1) {
      const answered = page.waitForResponse('**/badge-sign-in');
      await typeByHand(page, '000111\n');
      await answered;
      await page.getByRole('alert').filter({ hasText: 'Wrong PIN' }).waitFor();
    }
    await wait.waitFor();
  });

  test('another badge takes the place of the first', async () => {
    const page = await openSignIn(withPin);
    await scan(page, '0BAD0BAD\n');
    await secondFactor(page).fill('1234');
    await scan(page, `${BADGE}\n`);
    await expect.poll(() => secondFactor(page).inputValue(), WAIT).toBe('');
    await typeByHand(page, `${PIN}\n`);
    await home(page, 'olivia').waitFor();
  });

  test('whoever has no PIN uses the password', async () => {
    await withPin.house.addUser('nora');
    await enrol(withPin.house, 'nora', 'FACE0003');
    const page = await openSignIn(withPin);
    await scan(page, 'FACE0003\n');
    await secondFactor(page).waitFor();
    await typeByHand(page, `${PASSWORD}\n`);
    await home(page, 'nora').waitFor();
  });

  test('a password that has to be replaced is replaced on the way', async () => {
    await withPin.house.addUser('vera', { mustChange: true });
    await enrol(withPin.house, 'vera', 'FACE0004');
    const page = await openSignIn(withPin);
    await scan(page, 'FACE0004\n');
    await secondFactor(page).waitFor();
    await typeByHand(page, `${PASSWORD}\n`);
    await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
    await page.getByText('You have a one-time secret').waitFor();
  });

  test('hands over at an app: the first one stays until the second has proved themselves', async () => {
    const { house } = withPin;
    const { app } = await house.addApp('HMI', { users: { ada: '9', olivia: '5' } });
    const page = await openSignIn(withPin, `/?app=${app.id}`);
    await signIn(page, 'ada');
    await button(page, 'Hand over').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('badge to the reader').waitFor();
    await scan(page, `${BADGE}\n`);
    await secondFactor(page).waitFor();
    expect(house.features.sessions.list().map(({ user }) => user.name)).toContain('ada');
    await typeByHand(page, `${PIN}\n`);
    await dialog.waitFor({ state: 'detached' });
    await home(page, 'olivia').waitFor();
  });

  test('speaks German in a German browser', async () => {
    const page = await openSignIn(withPin, '/', { locale: 'de-DE', theme: 'dark' });
    await scan(page, `${BADGE}\n`);
    await page.getByText('Geben Sie nun Ihre PIN ein').waitFor();
    await page.getByRole('textbox', { name: 'PIN oder Passwort' }).waitFor();
  });
});

test('where badges are off a reader is somebody who types', async () => {
  const off = await openControlRoom({ config: { 'badges.signIn': 'off' } });
  const page = await (await off.newBrowser()).newPage();
  await steerKeys(page);
  await page.goto(off.house.url);
  await name(page).focus();
  await scan(page, BADGE);
  expect(await name(page).inputValue()).toBe(BADGE);
  expect(await page.getByText('badge to the reader').count()).toBe(0);
});
