/** `keyswitch audit`, on a folder that no host holds and beside one that does. */
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { keyswitch, serve, type Ended } from '../../test/command-line.ts';
import { newFolder } from '../../test/host.ts';
import { newTrail } from '../../test/trail.ts';

function folder(): string {
  const made = newFolder();
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const verify = (data: string, ...rest: string[]): Promise<Ended> =>
  keyswitch(['audit', 'verify', '--data', data, ...rest]);

function spoil(data: string, change: string): void {
  const db = new Database(join(data, 'keyswitch.db'));
  db.exec('drop trigger audit_no_update');
  db.exec(change);
  db.close();
}

interface Report {
  readonly state: string;
  readonly breach: { seq: number; problem: string; provenTo: number } | null;
  readonly lastCheckpoint: { seq: number; hash: string } | null;
  readonly isEndSealed: boolean;
}
const reportOf = ({ stdout }: Ended): Report => JSON.parse(stdout) as Report;

test('a trail is verified beside the running host and after it, and nothing is written to it', async () => {
  const data = folder();
  const host = await serve(data);
  const beside = await verify(data, '--json');
  expect(beside.code).toBe(0);
  expect(reportOf(beside)).toMatchObject({ state: 'intact', breach: null, isEndSealed: true });
  await host.stop();
  const before = readFileSync(join(data, 'keyswitch.db'));
  const after = await verify(data);
  expect({ code: after.code, stderr: after.stderr }).toEqual({ code: 0, stderr: '' });
  expect(after.stdout).toMatch(/^The audit trail is intact: \d+ rows/);
  expect(readFileSync(join(data, 'keyswitch.db')).equals(before)).toBe(true);
});

test('a row that was changed ends it with 1 and is named', async () => {
  const { folder: data } = await newTrail();
  spoil(data, `update audit set subject = 'somebody else' where seq = 20`);
  const told = await verify(data);
  expect(told.code).toBe(1);
  expect(told.stdout).toMatch(/^The audit trail is broken at row 20: it was changed/);
  expect(reportOf(await verify(data, '--json'))).toMatchObject({
    state: 'broken',
    breach: { seq: 20, problem: 'edited', provenTo: 10 },
  });
});

test('a checkpoint that was noted elsewhere decides, and so does a key of the auditor', async () => {
  const { folder: data } = await newTrail();
  const { lastCheckpoint } = reportOf(await verify(data, '--json'));
  const noted = `${lastCheckpoint?.seq}:${lastCheckpoint?.hash}`;
  expect((await verify(data, '--expect', noted)).code).toBe(0);
  const another = await verify(data, '--json', '--expect', `${lastCheckpoint?.seq}:${'0'.repeat(64)}`);
  expect([another.code, reportOf(another).breach?.problem]).toEqual([1, 'not-as-expected']);
  const other = await newTrail();
  const key = join(folder(), 'theirs.pem');
  copyFileSync(join(other.folder, 'audit-key.pem'), key);
  expect(reportOf(await verify(data, '--json', '--key', key)).breach).toMatchObject({ seq: 1 });
});

test.each([
  ['where there is no database', (data: string) => rmSync(join(data, 'keyswitch.db'))],
  ['where there is no key', (data: string) => rmSync(join(data, 'audit-key.pem'))],
  [
    'where the database has no chain',
    (data: string) => {
      const db = new Database(join(data, 'keyswitch.db'));
      db.exec('drop table audit_head');
      db.close();
    },
  ],
])('%s it cannot be checked, which ends it with 2', async (_name, spoilIt) => {
  const { folder: data } = await newTrail();
  spoilIt(data);
  const { code, stdout, stderr } = await verify(data);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^keyswitch: [^\n]+\n$/);
});

test('archives by hand, whether the host runs or not', async () => {
  const data = folder();
  const archive = () => keyswitch(['audit', 'archive', '--json', '--data', data]);
  expect(JSON.parse((await archive()).stdout)).toEqual({ rows: 0 });
  await serve(data);
  expect(JSON.parse((await archive()).stdout)).toEqual({ rows: 0 });
});
