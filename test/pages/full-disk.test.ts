/** A host whose disk is full, in a browser: nobody new gets in but by the envelope. */
import { expect, test } from 'vitest';
import { HOST_ACTOR } from '../../server/audit/audit.ts';
import { openControlRoom } from './control-room.ts';
import { PASSWORD } from '../host.ts';

let freeBytes = Number.MAX_SAFE_INTEGER;
const room = await openControlRoom({ freeBytes: () => Promise.resolve(freeBytes) });
const { house, clock } = room;
const { secret } = await house.features.emergency.add({ name: 'glass box' }, HOST_ACTOR);

test('the sign-in page says it, and the envelope opens the door', async () => {
  freeBytes = 0;
  // The disk is looked at now and then.
  clock.skip(60 * 60_000);
  const page = await room.newPage();
  await page.getByRole('textbox', { name: 'User name' }).fill('olivia');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The host cannot record anything').waitFor();
  await page.getByRole('link', { name: 'Emergency access' }).click();
  await page.getByLabel('Code from the envelope').fill(secret);
  await page.getByLabel('Why is it needed?').fill('the disk is full');
  await page.getByRole('button', { name: 'Sign in with the code' }).click();
  await page.getByRole('button', { name: 'in the envelope' }).click();
  await page.getByText('Emergency access in use').waitFor();
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('glass box');
});

test('where not even a new code can be written, the page says that the old one stays good', async () => {
  const { secret } = await house.features.emergency.add({ name: 'second box' }, HOST_ACTOR);
  const page = await room.newPage('/emergency');
  await page.route('**/api/v1/emergency/sign-in', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...((await response.json()) as object), sealed: null } });
  });
  await page.getByLabel('Code from the envelope').fill(secret);
  await page.getByLabel('Why is it needed?').fill('the disk is full');
  await page.getByRole('button', { name: 'Sign in with the code' }).click();
  await page.getByRole('heading', { name: 'stays good' }).waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { level: 1, name: 'second box' }).waitFor();
});
