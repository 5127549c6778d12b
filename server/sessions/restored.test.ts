import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ADMINISTRATOR, openControlRoom, type ControlRoom } from '../../test/house.ts';
import { copyDatabase } from '../store/copy.ts';
import { restoreDatabase } from '../store/restore.ts';
import { STORE_FILE } from '../store/store.ts';
import type { SignedIn } from './sessions.ts';

interface Restored extends ControlRoom {
  /** Of before the backup. */
  readonly atPage: SignedIn;
  readonly program: SignedIn;
}

/** A room that is again as a backup has it, made while the operator was at the HMI, at a page, and had a program. */
async function openRestored(): Promise<Restored> {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { folder, clock } = house;
  await house.signIn('operator', { app: hmi });
  const atPage = await house.signIn('operator', { presentation: 'cookie' });
  const program = await house.signIn('operator', { presentation: 'bearer' });
  const backup = join(folder, 'backup.db');
  copyDatabase(join(folder, STORE_FILE), backup);
  await house.features.sessions.endOthers('everyone', null, ADMINISTRATOR);
  await house.signIn('supervisor', { app: hmi });
  await house.restart({}, () => void restoreDatabase(folder, backup, clock.now()));
  return { ...room, atPage, program };
}

test('nobody who was signed in when a backup was made is signed in again when it is put back', async () => {
  const { house, hmi, atPage, program } = await openRestored();
  const { sessions } = house.features;
  expect(sessions.list()).toEqual([]);
  expect(sessions.ofApp(hmi.id)).toBeNull();
  expect(sessions.byCookie(atPage.cookie ?? '')).toBeNull();
  expect(await sessions.endingOf(atPage.cookie ?? '')).toBe('restored');
  await expect(sessions.refresh(program.refreshToken ?? '', ADMINISTRATOR)).rejects.toMatchObject({
    code: 'not-signed-in',
  });
  expect((await house.sessionRows()).map(({ end_reason }) => end_reason)).toEqual(Array(3).fill('restored'));
});

test('the trail says once that a backup was put back, and then whose sessions that has ended', async () => {
  const { house } = await openRestored();
  const since = (await house.audit()).map(({ action, reason }) => [action, reason]).slice(-4);
  expect(since).toEqual([['backup-restored', null], ...Array(3).fill(['session-ended', 'restored'])]);
  await house.signIn('operator');
  await house.restart();
  expect(house.features.sessions.list()).toHaveLength(1);
  expect((await house.audit()).filter(({ action }) => action === 'backup-restored')).toHaveLength(1);
});

test('the trail of a backup verifies, and goes on', async () => {
  const { house } = await openRestored();
  await house.signIn('operator');
  expect(await house.features.audit.verify()).toMatchObject({ state: 'intact' });
});
