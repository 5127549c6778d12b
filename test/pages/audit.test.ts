/** The audit page in a browser: narrowing down, paging, what is new, details, export and verification. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { STORE_FILE } from '../../server/store/store.ts';
import { newFolder, PASSWORD, startTestHost } from '../host.ts';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
const { audit, store, users } = house.features;
await house.addApp('HMI', { users: { olivia: '9' } });

const grid = (page: Page) => page.getByRole('grid', { name: 'Audit trail' });
const entries = (page: Page) =>
  grid(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader') });
const sheet = (page: Page) => page.getByRole('dialog');
const state = (page: Page) => page.getByRole('region', { name: 'State of the audit trail' });
const chips = (page: Page) => page.getByRole('list', { name: 'Filters' });
const field = (page: Page, name: string) => page.getByRole('search').getByLabel(name, { exact: true });

async function openAudit(query = ''): Promise<Page> {
  const page = await room.newPage(`/audit${query}`);
  await signIn(page, 'ada');
  await grid(page).waitFor();
  return page;
}

/** Adds rows about `subject` as quickly as they can be written. */
async function record(subject: string, count: number): Promise<void> {
  await store.write(async (writer) => {
    for (let i = 0; i < count; i += 1) {
      await audit.append(writer, { action: 'host-started', actor: HOST_ACTOR, subject: `${subject} ${i}` });
    }
  });
}

test('tells the newest first, in words, with shape and word for the outcome', async () => {
  await house.ask('POST', '/api/v1/sign-in', { json: { username: 'olivia', password: 'not her password' } });
  const page = await openAudit();
  const refused = entries(page).filter({ hasText: 'Sign-in refused' }).first();
  expect(await refused.textContent()).toMatch(/olivia.*API, .*Refused.*wrong password/s);
  expect(await entries(page).first().textContent()).toMatch(/Signed in.*ada/s);
});

test('a filter becomes a chip and a part of the address, and the address shows the same view elsewhere', async () => {
  await users.change('olivia', { displayName: 'Olivia' }, HOST_ACTOR);
  const page = await openAudit();
  await field(page, 'User').fill('olivia');
  await field(page, 'Time').selectOption({ label: 'Last 24 hours' });
  await field(page, 'Outcome').selectOption({ label: 'Refused' });
  await chips(page).getByText('User: olivia').waitFor();
  await expect.poll(() => page.url(), WAIT).toMatch(/\?range=24h&user=olivia&outcome=refused$/);
  await expect.poll(() => entries(page).filter({ hasText: 'User changed' }).count(), WAIT).toBe(0);
  const shown = await entries(page).allTextContents();
  expect(shown.length).toBeGreaterThan(0);

  const other = await openAudit(new URL(page.url()).search);
  await entries(other).first().waitFor();
  expect(await entries(other).allTextContents()).toEqual(shown);
  expect(await field(other, 'User').inputValue()).toBe('olivia');

  await chips(page).getByRole('button', { name: 'Remove the filter "Refused"' }).click();
  await entries(page).filter({ hasText: 'User changed' }).first().waitFor();
  await chips(page).getByRole('button', { name: 'Remove all filters' }).click();
  await expect.poll(() => page.url(), WAIT).toMatch(/\/audit$/);
  await page.getByRole('link', { name: 'Users' }).click();
  await page.getByRole('grid', { name: 'Users' }).waitFor();
  expect(new URL(page.url()).search).toBe('');
});

test('a time from and to is taken from the fields of the browser', async () => {
  const page = await openAudit();
  await field(page, 'Time').selectOption({ label: 'From – to…' });
  await field(page, 'To').fill('2020-01-01T00:00');
  await page.getByText('No entry matches these filters').waitFor();
  await field(page, 'From').fill('2021-01-01T00:00');
  await page.getByText('The end lies before the beginning').waitFor();
  await field(page, 'To').fill('2100-01-01T00:00');
  await entries(page).first().waitFor();
});

test('an entry opens with what changed and its hash, and the keys go through the rows', async () => {
  await users.change('olivia', { logoutTimeInMin: 30, type: 'Passive' }, HOST_ACTOR);
  const [changed] = await audit.newest(1);
  await users.change('olivia', { logoutTimeInMin: null, type: 'Active' }, HOST_ACTOR);
  const page = await openAudit('?user=olivia');
  const rows = entries(page).filter({ hasText: 'User changed' });
  await rows.nth(1).waitFor();
  await grid(page).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await sheet(page)
    .getByRole('heading', { name: `Entry ${changed?.seq}` })
    .waitFor();
  const changes = sheet(page).getByRole('table', { name: 'Changes' });
  await changes.getByRole('row', { name: 'Time limit in minutes – 30' }).waitFor();
  await changes.getByRole('row', { name: 'Type Active Passive' }).waitFor();
  await sheet(page)
    .getByText(/^[0-9a-f]{64}$/)
    .waitFor();
  await page.keyboard.press('ArrowUp');
  await changes.getByRole('row', { name: 'Time limit in minutes 30 –' }).waitFor();
  await page.keyboard.press('Escape');
  await sheet(page).waitFor({ state: 'detached' });
  expect(await page.locator('[role=grid]:focus').count()).toBe(1);
});

test('new entries announce themselves, and nothing moves until they are asked for', async () => {
  const page = await openAudit();
  await entries(page).first().waitFor();
  const before = await entries(page).allTextContents();
  await record('news', 12);
  const news = page.getByRole('button', { name: '12 new entries: show' });
  await news.waitFor();
  expect(await entries(page).allTextContents()).toEqual(before);
  await news.click();
  await entries(page).filter({ hasText: 'news 11' }).waitFor();
  await news.waitFor({ state: 'detached' });
});

test('thousands of entries are paged through to the end, and few of them are drawn', async () => {
  await record('many', 1500);
  const page = await openAudit();
  await entries(page).first().waitFor();
  await grid(page).focus();
  const loaded = async (): Promise<number> => Number(await grid(page).getAttribute('aria-rowcount')) - 1;
  await expect
    .poll(
      async () => {
        await page.keyboard.press('End');
        return page.getByText('This is where the trail begins').isVisible();
      },
      { ...WAIT, interval: 50 },
    )
    .toBe(true);
  const [newest] = await audit.newest(1);
  expect(await loaded()).toBeGreaterThanOrEqual((newest?.seq ?? 0) - 5);
  expect(await entries(page).count()).toBeLessThan(80);
});

test('a search that had to stop says how far it has come, and goes on when told', async () => {
  const page = await openAudit();
  const [entry] = await audit.newest(1);
  let asked = 0;
  let over = false;
  await page.route('**/api/v1/audit?*text=*', (route) => {
    asked += 1;
    return route.fulfill({
      json: {
        entries: [],
        next: over ? null : 1_000_000_000 - asked,
        searchedBackTo: over ? null : new Date((entry?.at ?? 0) - asked * 60_000).toISOString(),
      },
    });
  });
  await field(page, 'Text').fill('valve');
  const further = page.getByRole('button', { name: 'Search further' });
  await further.waitFor();
  await page.getByText('No entry matches so far').waitFor();
  const first = await page.getByText(/^Searched back to/).textContent();
  over = true;
  await further.click();
  await page.getByText('No entry matches these filters').waitFor();
  expect(first).toMatch(/\d\d:\d\d:\d\d/);
});

test('exports what is filtered, and says so where it cannot', async () => {
  await house.addUser('export, "me"');
  const page = await openAudit();
  await field(page, 'User').fill('export, "me"');
  await entries(page).filter({ hasText: 'User added' }).waitFor();
  await expect.poll(() => entries(page).count(), WAIT).toBe(1);
  for (const [name, first] of [
    ['Export CSV', /^seq,/m],
    ['Export JSON Lines', /^\{"seq":/m],
  ] as const) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name }).click(),
    ]);
    const text = readFileSync(await download.path(), 'utf8');
    expect(text).toMatch(first);
    expect(text.match(/user-added/g)).toHaveLength(1);
  }
  await page.route('**/api/v1/audit/status', (route) => route.abort());
  await page.getByRole('button', { name: 'Export CSV' }).click();
  await page.getByText('The host did not answer').waitFor();
});

test.each(['en-GB', 'en-US'])('shows times to the second, uncut, in %s', async (locale) => {
  const page = await room.newPage('/audit', { locale });
  await signIn(page, 'ada');
  const time = entries(page).first().getByRole('gridcell').first();
  await time.getByText(/\d\d:\d\d:\d\d/).waitFor();
  expect(await time.evaluate((cell) => cell.scrollWidth - cell.clientWidth)).toBe(0);
});

test('says that no backups are made where no folder is set', async () => {
  const page = await openAudit();
  await state(page)
    .getByText(/^No backups are made\. /)
    .waitFor();
  expect(await state(page).getByRole('alert').count()).toBe(0);
});

test('says when the last backup was made, and why one failed, in both languages', async () => {
  const folder = join(newFolder(), 'share');
  onTestFinished(() => rmSync(join(folder, '..'), { recursive: true, force: true }));
  mkdirSync(folder);
  await using other = await startTestHost({ config: { 'backups.folder': folder } });
  await other.addUser('ada', { type: 'Admin' });
  const { accessToken: token } = await other.signIn('ada');
  const alert = (page: Page) => state(page).getByRole('alert');
  /** Whether it succeeded; the page tells of it when it is opened anew. */
  const backUp = async (): Promise<boolean> =>
    (await other.ask('POST', '/api/v1/backups', { token })).status === 200;

  const openIn = async (locale: string): Promise<Page> => {
    const page = await (await room.newBrowser({ locale })).newPage();
    await page.goto(`${other.url}/audit`);
    return page;
  };

  const english = await openIn('en-GB');
  await signIn(english, 'ada');
  await state(english).getByText('No backup yet', { exact: true }).waitFor();

  rmSync(folder, { recursive: true });
  expect(await backUp()).toBe(false);
  await english.reload();
  expect(await alert(english).textContent()).toMatch(
    /The backup at .*\d\d:\d\d failed: the folder is not there\. There is none yet\.\s*$/,
  );

  mkdirSync(folder);
  expect(await backUp()).toBe(true);
  await english.reload();
  await state(english)
    .getByText(/^Last backup: .*\d\d:\d\d$/)
    .waitFor();
  expect(await alert(english).count()).toBe(0);

  rmSync(folder, { recursive: true });
  expect(await backUp()).toBe(false);
  await english.reload();
  expect(await alert(english).textContent()).toMatch(
    /The backup at .*\d\d:\d\d failed: the folder is not there\. The newest one is of .*\d\d:\d\d\.\s*$/,
  );
  const failed = entries(english).filter({ hasText: 'Backup failed' }).first();
  expect(await failed.textContent()).toMatch(/ada.*Refused.*the folder is not there/s);

  const german = await openIn('de-DE');
  await german.getByRole('textbox', { name: 'Benutzername' }).fill('ada');
  await german.getByRole('textbox', { name: 'Passwort' }).fill(PASSWORD);
  await german.getByRole('button', { name: 'Anmelden', exact: true }).click();
  expect(
    await german.getByRole('region', { name: 'Zustand des Protokolls' }).getByRole('alert').textContent(),
  ).toMatch(
    /Die Sicherung .*\d\d:\d\d ist fehlgeschlagen: der Ordner ist nicht da\. Die neueste ist von .*\d\d:\d\d\.\s*$/,
  );
});

test('verifies on demand, and names the entry that was changed behind its back', async () => {
  const page = await openAudit();
  await page.getByRole('button', { name: 'Verify now' }).click();
  await page.getByText(/^Intact, verified/).waitFor();
  const seq = (await audit.newest(3)).at(-1)?.seq ?? 0;
  tamper(seq);
  await page.getByRole('button', { name: 'Verify now' }).click();
  await page.getByText(`Broken at entry ${seq}`).waitFor();
  await page.getByRole('alert').filter({ hasText: 'Change nothing on this machine' }).waitFor();
  await page.getByRole('button', { name: `Entry ${seq}` }).click();
  await sheet(page).getByText('somebody else').first().waitFor();
});

test('keeps what it shows while the host does not answer', async () => {
  const page = await openAudit();
  await entries(page).first().waitFor();
  await page.route('**/api/v1/audit**', (route) => route.abort());
  await field(page, 'Outcome').selectOption({ label: 'Refused' });
  await page.getByText('The host did not answer').waitFor();
  await page.unroute('**/api/v1/audit**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await entries(page).filter({ hasText: 'Refused' }).first().waitFor();
});

/** Changes a row as nobody can from inside: past the triggers of the database. */
function tamper(seq: number): void {
  const db = new Database(join(house.dataFolder, STORE_FILE));
  const triggers = db.prepare(`select name from sqlite_master where type = 'trigger' and tbl_name = 'audit'`);
  for (const { name } of triggers.all() as { name: string }[]) db.exec(`drop trigger ${name}`);
  db.prepare(`update audit set actor = 'somebody else' where seq = ?`).run(seq);
  db.close();
}
