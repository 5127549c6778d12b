import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newFolder, startTestHost, type TestHost } from '../../../test/host.ts';
import { expectScenario, INSTANT, problem, PROBLEM_TYPE } from '../../../test/scenario.ts';
import { createFixedClock } from '../../ports/clock.ts';
import type { AuditPageView, AuditStatusView, BackupStatusView, BackupView } from '../contract.ts';

const BACKUPS = '/api/v1/backups';
/** The one of 6 o'clock, when the fixed clock begins. */
const FILE = expect.stringMatching(/^keyswitch-Panel-3-[0-9a-f]{6}-20260101T060000000Z\.db$/) as string;
const AT = '2026-01-01T06:00:00.000Z';

interface Plant {
  readonly house: TestHost;
  /** Where backups are to be made, beside other things; whether it is there is up to the test. */
  readonly folder: string;
  /** The token of `adam`, an administrator. */
  readonly token: string;
  make(): Promise<BackupView>;
  status(): Promise<BackupStatusView>;
}

async function openPlant({ isThere = true, isSet = true } = {}): Promise<Plant> {
  const parent = newFolder();
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const folder = join(parent, 'backups');
  if (isThere) mkdirSync(folder);
  const config = { 'plant.station': 'Panel 3', ...(isSet && { 'backups.folder': folder }) };
  const house = await startTestHost({ config, clock: createFixedClock() });
  onTestFinished(house.close);
  await house.addUser('adam', { type: 'Admin' });
  const { accessToken: token } = await house.signIn('adam');
  return {
    ...{ house, folder, token },
    make: async () => (await house.ask('POST', BACKUPS, { token })).body as BackupView,
    status: async () => (await house.ask('GET', BACKUPS, { token })).body as BackupStatusView,
  };
}

const post = (token: string) => ({ title: '', method: 'POST', path: BACKUPS, ask: { token } });

describe('POST /api/v1/backups', () => {
  test('makes a backup at once, which is whole, for its owner alone, and recorded', async () => {
    const { house, folder, token } = await openPlant();
    const answer = await expectScenario(house, {
      ...post(token),
      status: 200,
      body: { file: FILE, at: AT, bytes: expect.any(Number) as number },
      headers: { 'cache-control': 'no-store' },
      events: ['BackupChanged made'],
      trail: ['backup-made by adam via api'],
    });
    const { file, bytes } = answer.body as BackupView;
    expect(readdirSync(folder)).toEqual([file]);
    const { mode, size } = statSync(join(folder, file));
    expect({ mode: mode & 0o777, size }).toEqual({ mode: 0o600, size: bytes });
    const [row] = await house.features.audit.newest(1);
    expect(row?.detail).toEqual({ folder, file, bytes });

    const copy = new Database(join(folder, file), { readonly: true });
    onTestFinished(() => void copy.close());
    expect(copy.prepare(`select count(*) from users where name = 'adam'`).pluck().get()).toBe(1);
  });

  test('is refused where no folder is set, and nothing is recorded', async () => {
    const { house, token, status } = await openPlant({ isSet: false });
    await expectScenario(house, {
      ...post(token),
      ...{ status: 409, body: problem(409, 'backup-failed'), headers: { 'content-type': PROBLEM_TYPE } },
    });
    expect(await status()).toEqual({ folder: null, last: null, failure: null, overdue: true });
  });

  test('says that the folder is not there, to whoever asks and to the trail', async () => {
    const { house, folder, token } = await openPlant({ isThere: false });
    const { text } = await expectScenario(house, {
      ...post(token),
      ...{ status: 409, body: problem(409, 'backup-failed'), headers: { 'content-type': PROBLEM_TYPE } },
      events: ['BackupChanged folder-missing'],
      trail: ['backup-failed by adam via api (folder-missing)'],
    });
    expect((JSON.parse(text) as { detail: string }).detail).toContain(`${folder} is not there`);
    const { body } = await house.ask('GET', '/api/v1/audit?outcome=refused', { token });
    expect((body as AuditPageView).entries).toEqual([
      expect.objectContaining({
        ...{ action: 'backup-failed', outcome: 'refused', reason: 'folder-missing' },
        detail: { folder, message: expect.stringContaining('ENOENT') as string },
      }),
    ]);
  });

  test.each([
    ['an operator', 403, 'forbidden'],
    ['nobody', 401, 'not-signed-in'],
  ])('and GET are not for %s', async (caller, status, code) => {
    const { house, folder } = await openPlant();
    await house.addUser('olivia');
    const ask = caller === 'nobody' ? {} : { token: (await house.signIn('olivia')).accessToken };
    for (const method of ['GET', 'POST']) {
      const refused = { status, body: problem(status, code), absent: [folder] };
      await expectScenario(house, { ...{ title: '', method, path: BACKUPS, ask }, ...refused });
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('GET /api/v1/backups', () => {
  test('tells the folder and the newest backup in it', async () => {
    const { folder, make, status } = await openPlant();
    expect(await status()).toEqual({ folder, last: null, failure: null, overdue: true });
    const last = await make();
    expect(await status()).toEqual({ folder, last, failure: null, overdue: false });
  });

  test('tells why the last try failed, beside the newest there is, until one succeeds', async () => {
    const { folder, make, status } = await openPlant();
    const last = await make();
    renameSync(folder, `${folder}-away`);
    await make();
    const message = expect.stringContaining('ENOENT') as string;
    const failure = { at: AT, fault: 'folder-missing', message };
    expect(await status()).toEqual({ folder, last, failure, overdue: false });

    mkdirSync(folder);
    await make();
    expect(await status()).toMatchObject({ last: { file: FILE }, failure: null });
  });
});

test('GET /api/v1/audit/status carries how the backups are', async () => {
  const { house, folder, token, make, status } = await openPlant();
  const carried = async (): Promise<BackupStatusView> =>
    ((await house.ask('GET', '/api/v1/audit/status', { token })).body as AuditStatusView).backups;
  expect(await carried()).toEqual({ folder, last: null, failure: null, overdue: true });
  const last = await make();
  expect(await carried()).toEqual({ folder, last, failure: null, overdue: false });
  rmSync(folder, { recursive: true });
  await make();
  expect(await carried()).toMatchObject({ last, failure: { at: INSTANT, fault: 'folder-missing' } });
  expect(await carried()).toEqual(await status());
});
