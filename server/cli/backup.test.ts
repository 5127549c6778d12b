/** `keyswitch backup`, on a folder that no host holds and on one that a host does. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyswitch, serve, type Ended, type Serving } from '../../test/command-line.ts';
import { newFolder, PASSWORD, send, type Answer, type Ask, type Bearer } from '../../test/host.ts';
import { createTestKeyStore } from '../../test/key-store.ts';
import { INSTANT } from '../../test/scenario.ts';
import { newTrail } from '../../test/trail.ts';
import type { AuditPageView, BackupStatusView, BackupView } from '../http/contract.ts';
import { sealEnvText } from '../secrets/sealing.ts';
import { copyDatabase, withDatabase } from '../store/copy.ts';
import { STORE_FILE } from '../store/store.ts';

const NEW_PASSWORD = 'the loud pump house';

function folder(): string {
  const made = newFolder();
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A data folder whose backups are made elsewhere. */
function folders(): { data: string; backups: string } {
  const [data, backups] = [folder(), folder()];
  writeFileSync(join(data, 'keyswitch.yaml'), `backups:\n  folder: ${JSON.stringify(backups)}\n`);
  return { data, backups };
}

const backup = (data: string, ...rest: string[]): Promise<Ended> =>
  keyswitch(['backup', ...rest, '--data', data]);
const make = async (data: string): Promise<BackupView> =>
  JSON.parse((await backup(data, 'make', '--json')).stdout) as BackupView;
const statusOf = async (data: string): Promise<BackupStatusView> =>
  JSON.parse((await backup(data, 'status', '--json')).stdout) as BackupStatusView;

/** What a command complained of in one line; it did nothing else. */
function complaint({ code, stdout, stderr }: Ended): string {
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^keyswitch: [^\n]+\n$/);
  return stderr;
}

/** What stands in a database, beside whatever host has it open. */
function rowsOf(file: string, sql: string): unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** Asks a host that serves; its agent goes with the test. */
function asking({ url, control }: Serving): (method: string, path: string, ask?: Ask) => Promise<Answer> {
  const agent = new Agent({ ca: control.trust });
  onTestFinished(() => agent.destroy());
  return (method, path, ask) => send(url, agent, method, path, ask);
}

/** Spoils a page that nobody reads who only looks how far the backup reaches. */
function spoilSessions(file: string): void {
  const sql = `select rootpage, page_size from sqlite_master, pragma_page_size where name = 'sessions'`;
  const [{ rootpage, page_size }] = rowsOf(file, sql) as [{ rootpage: number; page_size: number }];
  const bytes = readFileSync(file);
  bytes.fill(0xff, (rootpage - 1) * page_size, rootpage * page_size);
  writeFileSync(file, bytes);
}

describe.each(['no host', 'a host'])('on a folder that %s holds', (holder) => {
  const begin = async (data: string): Promise<void> => {
    if (holder === 'a host') await serve(data);
  };

  test('one is made, and status tells of the newest', async () => {
    const { data, backups } = folders();
    await begin(data);
    expect(await backup(data, 'status')).toMatchObject({
      ...{ code: 1, stdout: `There is none in ${backups} yet.\n`, stderr: '' },
    });
    const made = await backup(data, 'make');
    const [first = ''] = readdirSync(backups);
    const { size, mode } = statSync(join(backups, first));
    expect(made).toMatchObject({ code: 0, stdout: `${first} was made: ${size} bytes.\n`, stderr: '' });
    expect(mode & 0o777).toBe(0o600);

    const last = await make(data);
    expect(last).toEqual({
      file: expect.any(String) as string,
      at: INSTANT,
      bytes: expect.any(Number) as number,
    });
    expect(readdirSync(backups).sort()).toEqual([first, last.file]);
    expect(await backup(data, 'status')).toMatchObject({
      ...{ code: 0, stdout: `The newest in ${backups} is ${last.file}, of ${last.at}.\n`, stderr: '' },
    });
    expect(await statusOf(data)).toEqual({ folder: backups, last, failure: null, overdue: false });
    const recorded = rowsOf(join(data, STORE_FILE), `select door from audit where action = 'backup-made'`);
    expect(recorded).toEqual([{ door: 'command-line' }, { door: 'command-line' }]);
  });

  test('without a place for them none is made, and status ends with 1', async () => {
    const data = folder();
    await begin(data);
    expect(complaint(await backup(data, 'make', '--json'))).toContain('Set backups.folder');
    const told = await backup(data, 'status');
    expect(told).toMatchObject({ code: 1, stderr: '' });
    expect(told.stdout).toMatch(/^No backups are made\. [^\n]+\n$/);
    const json = await backup(data, 'status', '--json');
    expect({ ...json, stdout: JSON.parse(json.stdout) as unknown }).toMatchObject({
      ...{ code: 1, stdout: { folder: null, last: null, failure: null }, stderr: '' },
    });
  });

  test('where the place is not there the fault is named, and recorded', async () => {
    const { data, backups } = folders();
    await begin(data);
    rmSync(backups, { recursive: true });
    expect(complaint(await backup(data, 'make'))).toContain(`${backups} is not there`);
    expect(
      rowsOf(join(data, STORE_FILE), `select door, reason from audit where action = 'backup-failed'`),
    ).toEqual([{ door: 'command-line', reason: 'folder-missing' }]);
  });
});

test('status ends with 1 where the last one failed, beside the newest there is', async () => {
  const { data, backups } = folders();
  await serve(data);
  const last = await make(data);
  rmSync(backups, { recursive: true });
  await backup(data, 'make');
  const told = await backup(data, 'status');
  expect(told).toMatchObject({ code: 1, stderr: '' });
  const [newest, failed, ...more] = told.stdout.trimEnd().split('\n');
  expect(newest).toBe(`The newest in ${backups} is ${last.file}, of ${last.at}.`);
  expect(failed).toMatch(/^The last try failed at 20\S+Z: .*ENOENT/);
  expect(more).toEqual([]);
  const json = await backup(data, 'status', '--json');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ last, failure: { at: INSTANT, fault: 'folder-missing' } });
});

describe('restore', () => {
  test('brings back what was, ends who was signed in, and keeps the former database', async () => {
    const { data, backups } = folders();
    await keyswitch(['user', 'add', 'olga', '--password-stdin', '--data', data], { input: `${PASSWORD}\n` });
    const signIn = (ask: ReturnType<typeof asking>, password: string) =>
      ask('POST', '/api/v1/sign-in', { json: { username: 'olga', password } });
    const isLive = async (ask: ReturnType<typeof asking>, token: string): Promise<boolean> =>
      (await ask('GET', '/api/v1/session', { token })).status === 200;

    let host = await serve(data);
    let ask = asking(host);
    const { accessToken: early } = (await signIn(ask, PASSWORD)).body as Bearer;
    const last = await make(data);
    const madeBy = Date.now();
    const { accessToken: token } = (await signIn(ask, PASSWORD)).body as Bearer;
    const json = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };
    expect((await ask('PUT', '/api/v1/password', { token, json })).status).toBe(204);
    await keyswitch(['user', 'add', 'later', '--data', data]);
    // What it has written last stands in the write-ahead log alone.
    await host.stop('SIGKILL');

    const restored = await backup(data, 'restore', join(backups, last.file));
    expect(restored).toMatchObject({ code: 0, stderr: '' });
    const [until, former, advice] = restored.stdout.split('\n');
    expect(until).toMatch(/^The database is again as it was at 20\S+Z\.$/);
    expect(Date.parse(/ at (\S+)\.$/.exec(until ?? '')?.[1] ?? '')).toBeLessThanOrEqual(madeBy);
    const [, kept = ''] = /^The former one stays in \S+ as (\S+)\.$/.exec(former ?? '') ?? [];
    expect(advice).toMatch(/^At its next start the host ends all sessions\./);
    expect(rowsOf(join(data, kept), `select name from users where name = 'later'`)).toHaveLength(1);
    expect(rowsOf(join(data, STORE_FILE), `select name from users where name = 'later'`)).toEqual([]);
    expect((await keyswitch(['audit', 'verify', '--data', data])).code).toBe(0);

    host = await serve(data);
    ask = asking(host);
    expect(await isLive(ask, early)).toBe(false);
    const found = await ask('GET', '/api/v1/audit?text=restored', { token: host.control.key });
    expect(
      (found.body as AuditPageView).entries.map(({ action, subject, reason }) => [action, subject, reason]),
    ).toEqual([
      ['session-ended', 'olga', 'restored'],
      ['backup-restored', null, null],
    ]);
    expect((await signIn(ask, NEW_PASSWORD)).status).toBe(401);
    const { accessToken: again } = (await signIn(ask, PASSWORD)).body as Bearer;
    expect((await keyswitch(['audit', 'verify', '--data', data])).code).toBe(0);
    await host.stop();

    // From then on it is a database like any other.
    host = await serve(data);
    expect(await isLive(asking(host), again)).toBe(true);
  });

  test('fills a folder that has no database yet, for which no secret is needed', async () => {
    const { data, backups } = folders();
    const last = await make(data);
    const other = folder();
    const sealed = sealEnvText(readFileSync(join(data, 'keyswitch.env'), 'utf8'), createTestKeyStore());
    writeFileSync(join(other, 'keyswitch.env'), sealed);
    const { code, stdout, stderr } = await backup(other, 'restore', join(backups, last.file), '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ until: INSTANT, former: null });
    expect(readdirSync(other).sort()).toEqual([STORE_FILE, 'keyswitch.env', 'keyswitch.lock']);
  });

  test('names the former database to scripts', async () => {
    const { folder: data } = await newTrail();
    const file = join(folder(), 'backup.db');
    copyDatabase(join(data, STORE_FILE), file);
    const { stdout } = await backup(data, 'restore', file, '--json');
    const { former } = JSON.parse(stdout) as { former: string };
    expect(former).toMatch(/^keyswitch\.db\.before-\d{8}T\d{9}Z$/);
    expect(existsSync(join(data, former))).toBe(true);
  });

  test('is refused while the host runs, which goes on with what it has', async () => {
    const { data, backups } = folders();
    const host = await serve(data);
    const last = await make(data);
    await keyswitch(['user', 'add', 'later', '--data', data]);
    const before = readdirSync(data).sort();
    expect(complaint(await backup(data, 'restore', join(backups, last.file)))).toBe(
      `keyswitch: Another Keyswitch runs on ${data}. Stop it, or choose another folder with --data.\n`,
    );
    expect(readdirSync(data).sort()).toEqual(before);
    const { body } = await asking(host)('GET', '/api/v1/users', { token: host.control.key });
    expect(body).toContainEqual(expect.objectContaining({ name: 'later' }));
  });

  const unusable: [what: string, spoil: (file: string) => void, text: string][] = [
    ['a text file', (file) => writeFileSync(file, 'users: adam\n'.repeat(100)), 'is no whole backup'],
    [
      'a backup that was cut off',
      (file) => truncateSync(file, statSync(file).size / 2),
      'is no whole backup',
    ],
    ['a backup with a page that is spoilt', spoilSessions, 'is no whole backup'],
    ['an empty file', (file) => truncateSync(file, 0), 'is no whole backup'],
    ['a file that is not there', (file) => rmSync(file), 'is no whole backup'],
    [
      'another database',
      (file) => withDatabase(file, { readonly: false }, (it) => it.exec('drop table kysely_migration')),
      'is no whole backup',
    ],
    [
      'a backup of a newer version',
      (file) =>
        withDatabase(file, { readonly: false }, (it) =>
          it.exec(`insert into kysely_migration values ('999-tomorrow', '2030-01-01')`),
        ),
      'was written by a newer Keyswitch (it has 999-tomorrow)',
    ],
  ];

  test.each(unusable)('refuses %s, and leaves the database as it was', async (_what, spoil, text) => {
    const { folder: data } = await newTrail();
    const file = join(folder(), 'backup.db');
    copyDatabase(join(data, STORE_FILE), file);
    spoil(file);
    const before = { names: readdirSync(data), bytes: readFileSync(join(data, STORE_FILE)) };
    expect(complaint(await backup(data, 'restore', file))).toContain(`${file} ${text}`);
    expect(readdirSync(data)).toEqual(before.names);
    expect(readFileSync(join(data, STORE_FILE)).equals(before.bytes)).toBe(true);
  });

  test('says in a line that the data folder takes nothing, and leaves the database as it was', async () => {
    const { folder: data } = await newTrail();
    const file = join(folder(), 'backup.db');
    copyDatabase(join(data, STORE_FILE), file);
    // In the way of the file that the backup is copied to first.
    mkdirSync(join(data, `${STORE_FILE}.new`));
    const before = readFileSync(join(data, STORE_FILE));
    expect(complaint(await backup(data, 'restore', file))).toContain(`${data} cannot be used: `);
    expect(readFileSync(join(data, STORE_FILE)).equals(before)).toBe(true);
    expect(readdirSync(data).filter((name) => name.includes('before'))).toEqual([]);
  });
});
