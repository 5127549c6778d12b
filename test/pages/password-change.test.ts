/** A password that must be replaced, in a browser: the rules as they turn met, and what the host adds to them. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { PASSWORD } from '../host.ts';
import { openControlRoom, WAIT } from './control-room.ts';

const room = await openControlRoom({
  config: {
    'plant.name': 'Waterworks North',
    'passwords.minLength': '10',
    'passwords.maxLength': '64',
    'passwords.minLowercase': '2',
    'passwords.minSymbols': '1',
    'passwords.symbols': '! ?',
    'passwords.history': '3',
  },
});
const { house } = room;
let people = 0;

/** The page that a newcomer sees after the first sign-in. */
async function openChange(locale = 'en-GB'): Promise<Page> {
  const name = `newcomer${(people += 1)}`;
  // Her display name is not the one that she types.
  const user = await house.addUser(name, { mustChange: true });
  await house.features.users.change(name, { displayName: 'Petra Quill' }, HOST_ACTOR);
  const page = await room.newPage('/', { locale });
  const german = locale.startsWith('de');
  await page.getByRole('textbox', { name: german ? 'Benutzername' : 'User name' }).fill(user.name);
  await page.getByRole('textbox', { name: german ? 'Passwort' : 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: german ? 'Anmelden' : 'Sign in', exact: true }).click();
  await page
    .getByRole('heading', { name: german ? 'Neues Passwort wählen' : 'Choose a new password' })
    .waitFor();
  return page;
}

async function type(page: Page, password: string): Promise<void> {
  for (const field of await page.locator('input[autocomplete="new-password"]').all())
    await field.fill(password);
}

/** The rules with what is said of each. */
function rules(page: Page): Promise<string[]> {
  return page
    .getByRole('listitem')
    .allTextContents()
    .then((texts) => texts.map((text) => text.trim().replace(' : ', ': ')));
}

test('the rules turn met as one types, the words of this place with the list of the host', async () => {
  const page = await openChange();
  const said = (password: string) => async () => (await type(page, password), rules(page));
  await expect
    .poll(said('waterworks'), WAIT)
    .toEqual([
      '10 to 64 characters (now 10): met',
      'Lowercase letters: at least 2 (now 10): met',
      'Symbols: at least 1 of ! ␣ ? (now 0): not met',
      'Not a common password or a word of this place alone: not met',
      'Not the user name or part of it alone: met',
      'Not the present password or one of the last 3 before it: checked when you change it',
      'The same in both fields: met',
    ]);
  await expect.poll(async () => (await said('Wet works 7!')()).join(), WAIT).not.toContain('not met');
  await page.getByRole('button', { name: 'Change password and sign in' }).click();
  await page.getByRole('navigation').waitFor();
});

test('what only the host knows is said in the language of the page', async () => {
  const page = await openChange('de-DE');
  await type(page, 'Quill 2026!');
  await page.getByRole('button', { name: 'Passwort ändern und anmelden' }).click();
  const refusal = page
    .getByRole('alert')
    .filter({ hasText: 'Es ist der Name des Benutzers oder ein Teil davon' });
  await refusal.waitFor();
  expect(await rules(page)).toContain('Nicht nur der Benutzername oder ein Teil davon: nicht erfüllt');
});
