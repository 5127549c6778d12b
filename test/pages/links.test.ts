/** The links page in a browser, with a real PLC: adding, testing, changing and removing links, and seeing them live. */
import { createServer, type AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { startS7Server } from '../s7-server.ts';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const WORD = 188;
const plc = await startS7Server({ db: 250 });
afterAll(() => plc.close());
const room = await openControlRoom();
const { house } = room;
await house.addUser('sam');

const grid = (page: Page) => page.getByRole('grid', { name: 'PLC links' });
const row = (page: Page, app: string) =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name: app }) });
const sheet = (page: Page) => page.getByRole('dialog');
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const field = (page: Page, name: string) => sheet(page).getByLabel(name, { exact: true });
const focused = (page: Page) => page.locator(':focus');

async function openLinks(): Promise<Page> {
  const page = await room.newPage('/plc');
  await signIn(page, 'ada');
  await page.getByRole('heading', { level: 1, name: 'PLC links' }).waitFor();
  return page;
}

/** An app for olivia (5) and sam (9), and where `byte` is given, its link. */
async function addApp(name: string, byte?: number): Promise<string> {
  const { app } = await house.addApp(name, { users: { olivia: '5', sam: '9' } });
  if (byte === undefined) return app.id;
  const none = { lifeBit: null, userName: null, signInTime: null, request: null, acknowledge: null };
  await house.features.links.add(
    {
      ...none,
      connection: `Data Source=127.0.0.1:${plc.port},0,2`,
      area: 'DB250',
      address: `W${byte}`,
      appId: app.id,
      defaultValue: 0,
      onConnect: 'host',
      allowAdmin: false,
    },
    HOST_ACTOR,
  );
  return app.id;
}

async function openSheet(page: Page, app: string): Promise<void> {
  await row(page, app).click();
  await sheet(page).getByRole('heading', { name: app }).waitFor();
}

/** Types what a link to this PLC needs. */
async function fillIn(page: Page, app: string, { port = plc.port, block = 250, byte = WORD } = {}) {
  await field(page, 'App').selectOption({ label: app });
  await field(page, 'Address').fill(`127.0.0.1:${port}`);
  await field(page, 'CPU family').selectOption({ label: 'S7-300' });
  await field(page, 'Number').fill(String(block));
  await field(page, 'Byte').fill(String(byte));
}

test('says what a link is while there is none, and adds one with the keyboard alone', async () => {
  await addApp('Press');
  const page = await openLinks();
  await page.getByRole('heading', { name: 'No PLC links yet' }).waitFor();
  const { keyboard } = page;
  await page.locator('h1:focus').waitFor();
  await keyboard.press('Tab');
  await focused(page).and(button(page, 'Add link')).waitFor();
  await keyboard.press('Enter');
  await focused(page)
    .and(sheet(page).getByRole('heading', { name: 'Add link' }))
    .waitFor();
  await keyboard.press('Tab');
  // App, address, family (which sets the slot), rack, slot, area, number, kind, byte.
  for (const typed of ['Press', `127.0.0.1:${plc.port}`, 'S7-300', '', '', '', '250', '', String(WORD)]) {
    await keyboard.press('Tab');
    await keyboard.type(typed);
  }
  await sheet(page).getByText('DB250.DBW188, 0 to 65535').waitFor();
  expect(await field(page, 'Slot').inputValue()).toBe('2');
  await keyboard.press('Enter');
  await sheet(page).getByText('Saved.').waitFor();
  await row(page, 'Press').filter({ hasText: 'Online' }).waitFor();
  await sheet(page).getByText('CPU 31').first().waitFor();
  await keyboard.press('Escape');
  await sheet(page).waitFor({ state: 'detached' });
  await focused(page).and(grid(page)).waitFor();
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await sheet(page).getByRole('heading', { name: 'Press' }).waitFor();
});

test('what the PLC holds is seen as it changes, with the user it means', async () => {
  await addApp('Mixer', 20);
  const page = await openLinks();
  await row(page, 'Mixer').filter({ hasText: 'Online' }).filter({ hasText: 'nobody' }).waitFor();
  await plc.setWord(20, 9);
  await row(page, 'Mixer').filter({ hasText: 'sam' }).waitFor();
  expect(await row(page, 'Mixer').getByRole('gridcell').nth(2).textContent()).toMatch(/^9/);
  await row(page, 'Mixer')
    .getByRole('img', { name: /^Round trip in the last 2 minutes: median .* ms, slowest .* ms$/ })
    .waitFor();
});

test('a test finds the PLC and its word before anything is saved', async () => {
  await addApp('Oven');
  await plc.setWord(WORD + 2, 5);
  const page = await openLinks();
  await button(page, 'Add link').click();
  await fillIn(page, 'Oven', { byte: WORD + 2 });
  await button(page, 'Test').click();
  await sheet(page).getByText('Everything was found.').waitFor();
  const result = await sheet(page).getByRole('region', { name: 'Test' }).innerText();
  expect(result).toMatch(/CPU in rack 0, slot 2\s+CPU 31.*bytes a message.*DB250\.DBW190.*5.*means olivia/s);
  expect(await row(page, 'Oven').count()).toBe(0);
});

test('a test says what is wrong, and what to set in TIA Portal', async () => {
  await addApp('Saw');
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const page = await openLinks();
  await button(page, 'Add link').click();
  await fillIn(page, 'Saw', { block: 999 });
  await button(page, 'Test').click();
  await sheet(page).getByText('The CPU has no data block DB999').waitFor();
  await sheet(page).getByText('untick “Optimized block access”').waitFor();
  await field(page, 'Address').fill(`127.0.0.1:${port}`);
  expect(await sheet(page).getByText('The CPU has no data block DB999').count()).toBe(0);
  await button(page, 'Test').click();
  await sheet(page).getByText(`The device at 127.0.0.1:${port} does not take this connection`).waitFor();
  expect(await sheet(page).getByText('not tried').count()).toBeGreaterThan(0);
});

test('faults stand at their fields while one types', async () => {
  const page = await openLinks();
  await button(page, 'Add link').click();
  await field(page, 'Slot').fill('99');
  await sheet(page).getByText('A whole number from 0 to 31.').waitFor();
  await field(page, 'Slot').fill('1');
  await field(page, 'Address').pressSequentially('10.0.0');
  expect(await sheet(page).getByText('Neither an IP address nor a name').count()).toBe(0);
  await field(page, 'Address').press('Tab');
  await sheet(page).getByText('Neither an IP address nor a name').waitFor();
  await button(page, 'Save').click();
  await sheet(page).getByText('Choose an app.').waitFor();
  await focused(page).and(field(page, 'App')).waitFor();
  expect(await field(page, 'Byte').getAttribute('aria-invalid')).toBe('true');
});

test('a fault that only the host knows stands at its field as well', async () => {
  await addApp('Lathe', 30);
  await addApp('Drill', 34);
  const page = await openLinks();
  await openSheet(page, 'Drill');
  await page.getByText('More: life bit').click();
  await field(page, 'Request, byte').fill('30');
  await field(page, 'Answer, byte').fill('36');
  await button(page, 'Save').click();
  await expect.poll(() => field(page, 'Request, byte').getAttribute('aria-invalid'), WAIT).toBe('true');
  expect(await field(page, 'Answer, byte').inputValue()).toBe('36');
});

test('a link is changed, and what is not saved is named and lost only on purpose', async () => {
  await addApp('Crane', 40);
  const page = await openLinks();
  await openSheet(page, 'Crane');
  await field(page, 'Byte').fill('42');
  await sheet(page).getByText('Not saved yet: Word').waitFor();
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('button', { name: 'Stay here' }).click();
  await field(page, 'Byte').press('Escape');
  await button(page, 'Keep editing').click();
  await button(page, 'Save').click();
  await sheet(page).getByText('Saved.').waitFor();
  await row(page, 'Crane').filter({ hasText: 'DB250.DBW42' }).filter({ hasText: 'Online' }).waitFor();
});

test('writing the default says who is signed out, and signs them out', async () => {
  const appId = await addApp('Pump', 50);
  const { accessToken } = await house.signIn('olivia', appId);
  const page = await openLinks();
  await row(page, 'Pump').filter({ hasText: 'olivia' }).waitFor();
  await openSheet(page, 'Pump');
  await button(page, 'Write default now…').click();
  await sheet(page).getByText('Writes 0 into DB250.DBW50 of the PLC 127.0.0.1').waitFor();
  await sheet(page).getByText('olivia is signed out of Pump.').waitFor();
  await button(page, 'Write 0 now').click();
  await sheet(page).getByText('Written; the PLC has confirmed it.').waitFor();
  expect(await plc.getWord(50)).toBe(0);
  expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
  await row(page, 'Pump').filter({ hasText: 'nobody' }).waitFor();
});

test('a link is removed after a question', async () => {
  await addApp('Gate', 60);
  const page = await openLinks();
  await openSheet(page, 'Gate');
  await button(page, 'Remove…').click();
  await sheet(page).getByText('DB250.DBW60 keeps its value').waitFor();
  await button(page, 'Remove now').click();
  await sheet(page).waitFor({ state: 'detached' });
  await row(page, 'Gate').waitFor({ state: 'detached' });
  expect((await house.features.links.list()).some(({ address }) => address === 'W60')).toBe(false);
});

test('old values look old, and say since when, while the host is away', async () => {
  await addApp('Belt', 70);
  const page = await room.newPage('/plc');
  let isAway = false;
  const lines: { close(): unknown }[] = [];
  await page.routeWebSocket('**/ws', (line) => {
    if (isAway) return void line.close();
    line.connectToServer();
    lines.push(line);
  });
  await page.reload();
  await signIn(page, 'ada');
  await row(page, 'Belt').filter({ hasText: 'Online' }).waitFor();
  isAway = true;
  for (const line of lines) await line.close();
  await page.getByText(/As of \d\d:\d\d:\d\d\. The connection to the host is lost/).waitFor();
  await row(page, 'Belt').waitFor();
  isAway = false;
  await page.getByText('The connection to the host is lost').waitFor({ state: 'detached' });
});

test.each([
  [1280, 800],
  [1920, 1080],
])('at %i by %i nothing scrolls sideways', async (width, height) => {
  await addApp(`Line of ${width}`, width / 8);
  for (const locale of ['en-GB', 'de-DE']) {
    const page = await room.newPage('/plc', { locale, viewport: { width, height }, theme: 'dark' });
    await page.locator('input').first().fill('ada');
    await page.locator('input[type=password]').fill('the quiet pump house');
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: `Line of ${width}` }).click();
    await sheet(page).locator('summary').click();
    const overflow = await page.evaluate(
      `[...document.querySelectorAll('html, main, [role=dialog], [role=dialog] > *')].map((box) => box.scrollWidth - box.clientWidth)`,
    );
    expect(overflow).toEqual((overflow as number[]).map(() => 0));
  }
});

test('speaks German in a German browser', async () => {
  await addApp('Waage');
  const page = await room.newPage('/plc', { locale: 'de-DE' });
  await page.getByRole('textbox', { name: 'Benutzername' }).fill('ada');
  await page.getByRole('textbox', { name: 'Passwort' }).fill('the quiet pump house');
  await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'SPS-Kopplungen' }).waitFor();
  await button(page, 'Kopplung anlegen').click();
  await field(page, 'App').selectOption({ label: 'Waage' });
  await field(page, 'Adresse').fill(`127.0.0.1:${plc.port}`);
  await field(page, 'Nummer').fill('999');
  await field(page, 'Byte').fill('0');
  await button(page, 'Testen').click();
  await sheet(page).getByText('„Optimierter Bausteinzugriff“ abwählen').waitFor();
});

test('an operator gets no links page', async () => {
  const page = await room.newPage('/plc');
  await signIn(page, 'olivia');
  await page.getByText('Signs out at').waitFor();
  expect(new URL(page.url()).pathname).toBe('/');
  expect(await page.getByRole('link', { name: 'PLC links' }).count()).toBe(0);
});
