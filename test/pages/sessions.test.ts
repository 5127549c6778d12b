/** The sessions page in a browser: whose they are, and ending them. */
import type { Page, WebSocket } from 'playwright-core';
import { expect, test } from 'vitest';
import { openControlRoom, signIn, WAIT } from './control-room.ts';

const room = await openControlRoom();
const { house } = room;
const { app } = await house.addApp('HMI', { users: { olivia: '5' } });

const rows = (page: Page) => page.getByRole('row').filter({ has: page.getByRole('rowheader') });

async function openSessions(user: string): Promise<Page> {
  const page = await room.newPage('/sessions');
  await signIn(page, user);
  await rows(page).first().waitFor();
  return page;
}

test("an operator sees their own sessions, this one marked, and no one else's", async () => {
  const page = await openSessions('olivia');
  await page.getByText('You are signed in nowhere else').waitFor();
  expect(await rows(page).allTextContents()).toEqual([expect.stringContaining('This session')]);
  expect(await page.getByRole('button', { name: 'Everyone' }).count()).toBe(0);
  await house.signInForCookie('ada');
  await house.signIn('olivia', app.id);
  await expect.poll(() => rows(page).count(), WAIT).toBe(2);
  expect(await rows(page).last().textContent()).toMatch(/HMI\s*At the controls/);
});

test('one session ends after a question in its row', async () => {
  const page = await openSessions('olivia');
  const { accessToken } = await house.signIn('olivia');
  const others = rows(page).filter({ hasNotText: 'This session' });
  const program = rows(page).filter({ hasText: 'Program' });
  await program.waitFor();
  const count = await others.count();
  await program.getByRole('button', { name: 'End the session of olivia at Keyswitch' }).click();
  await program.getByText('End the session of olivia?').waitFor();
  await page.keyboard.press('Escape');
  expect(await others.count()).toBe(count);
  await program.getByRole('button', { name: /^End the session/ }).click();
  await program.getByRole('button', { name: 'End', exact: true }).click();
  await expect.poll(() => others.count(), WAIT).toBe(count - 1);
  expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
});

test("an administrator ends everyone else's; each of them is told", async () => {
  const operator = await openSessions('olivia');
  const page = await openSessions('ada');
  await page.getByRole('button', { name: "Everyone's" }).click();
  await rows(page).filter({ hasText: 'olivia' }).first().waitFor();
  await page.getByRole('button', { name: 'End all others' }).click();
  await page.getByText(/End \d+ other sessions\?/).waitFor();
  await page.getByRole('button', { name: 'End all others' }).click();
  await page.getByText(/^Ended: \d+/).waitFor();
  await operator.getByText('Signed out by an administrator').waitFor();
  await page.getByText('Nobody else is signed in anywhere').waitFor();
  expect(await rows(page).count()).toBe(1);
});

test('what is known stays in sight while the host does not answer', async () => {
  const page = await openSessions('ada');
  const known = await rows(page).count();
  await page.route('**/api/v1/sessions*', (route) => route.abort());
  await house.signIn('ada');
  await page.getByText('this is what was known last').waitFor();
  expect(await rows(page).count()).toBe(known);
  await page.unroute('**/api/v1/sessions*');
  await page.getByRole('button', { name: 'Load again' }).click();
  await expect.poll(() => rows(page).count(), WAIT).toBe(known + 1);
});

test('the page rests while nobody uses it, for each of its questions would renew the idle time', async () => {
  const page = await (await room.newBrowser()).newPage();
  await page.clock.install();
  const sockets: WebSocket[] = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await page.goto(`${house.url}/sessions`);
  // The sign-in page has one of its own, for emergencies.
  await expect.poll(() => sockets.length, WAIT).toBe(1);
  await signIn(page, 'olivia');
  await rows(page).first().waitFor();
  await expect.poll(() => sockets.length, WAIT).toBe(2);
  let asked = 0;
  page.on('request', (request) => (asked += Number(request.url().endsWith('/api/v1/sessions'))));
  const news = async () => {
    const heard = sockets[1]!.waitForEvent('framereceived', {
      predicate: ({ payload }) => String(payload).includes('"overview"'),
    });
    await house.signIn('olivia');
    await heard;
    await page.clock.fastForward(2000);
  };
  await news();
  await expect.poll(() => asked, WAIT).toBe(1);
  await page.clock.fastForward(61_000);
  await news();
  await news();
  expect(asked).toBe(1);
  await page.keyboard.press('Shift');
  await expect.poll(() => asked, WAIT).toBe(2);
});
