import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { openHouse, SECRETS, type House } from '../../test/house.ts';
import { chainHash, type ChainRow } from '../store/chain.ts';
import { STORE_FILE } from '../store/store.ts';
import { KEY_FILE } from './signatures.ts';
import { runVerification } from './verify-run.ts';

const ANOTHER = { secrets: { secretPwdKey: Buffer.from('another key, changed on purpose') } };

/** Does something to the database while no host runs, with its triggers out of the way. */
async function tamper(house: House, change: (db: Database.Database) => void, options = {}): Promise<void> {
  await house.restart(options, () => {
    const db = new Database(join(house.folder, 'keyswitch.db'));
    const triggers = db.prepare(`select name from sqlite_master where type = 'trigger'`).pluck().all();
    for (const name of triggers as string[]) db.exec(`drop trigger ${name}`);
    change(db);
    db.close();
  });
}

type Row = ChainRow & { hash: Buffer };

/** What anyone can do: another last row, the right hash for it, and the end put to match; but for the seal. */
function rewriteEnd(db: Database.Database): void {
  const [last, before] = db.prepare('select * from audit order by seq desc limit 2').all() as [Row, Row];
  const hash = chainHash(before.hash.toString('hex'), { ...last, actor: 'somebody else' });
  const bytes = Buffer.from(hash, 'hex');
  db.prepare('update audit set actor = ?, hash = ? where seq = ?').run('somebody else', bytes, last.seq);
  db.prepare('update audit_head set hash = ?').run(bytes);
  db.prepare('delete from audit_checkpoints where seq = ?').run(last.seq);
}

const actions = async (house: House): Promise<string[]> => (await house.audit()).map(({ action }) => action);

/** A house with some rows, and no checkpoint but that of the stop. */
async function populated(): Promise<House> {
  const house = await openHouse();
  for (const name of ['ann', 'ben', 'cleo']) await house.addUser(name);
  return house;
}

test('a trail that is as it was left is gone on with, without a word', async () => {
  const house = await populated();
  const before = await actions(house);
  await house.restart();
  await house.addUser('dan');
  expect((await actions(house)).slice(before.length)).toEqual(['user-added']);
  expect(await house.features.audit.verify()).toMatchObject({ state: 'intact', brokenSeq: null });
});

describe('a trail whose end is not as it was left', () => {
  const ATTACKS: [string, (db: Database.Database, last: number) => void, string, (last: number) => number][] =
    [
      [
        'was cut off',
        (db, last) => db.prepare('delete from audit where seq >= ?').run(last - 1),
        'cut-off',
        (last) => last - 1,
      ],
      [
        'has one row more',
        (db, last) => {
          const row = db.prepare('select * from audit where seq = ?').get(last) as Row;
          const hash = chainHash(row.hash.toString('hex'), { ...row, seq: last + 1 });
          db.prepare(
            'insert into audit values (@seq, @at, @action, @actor, @subject, @app, @door, @address, @reason, @detail, @hash)',
          ).run({ ...row, seq: last + 1, hash: Buffer.from(hash, 'hex') });
        },
        'added-at-the-end',
        (last) => last + 1,
      ],
      ['was written anew, hashes and all', rewriteEnd, 'seal-broken', () => 1],
      [
        'lost its seal, and the key beside it',
        (db) => {
          rewriteEnd(db);
          db.exec(`update audit_keys set private_sealed = 'x'; update audit_head set mac = x''`);
        },
        'seal-broken',
        () => 1,
      ],
    ];

  test.each(ATTACKS)(
    '%s: that is recorded, and stays broken for good',
    async (_name, attack, problem, seqOf) => {
      const house = await populated();
      const last = (await house.lastAudit()).seq;
      await tamper(house, (db) => attack(db, last));
      const seq = seqOf(last);
      expect(house.features.audit.status().verification).toMatchObject({
        state: 'broken',
        problem,
        brokenSeq: seq,
      });
      const damage = (await house.audit()).filter(({ action }) => action === 'audit-damaged');
      expect(damage).toMatchObject([{ reason: problem, detail: { seq } }]);
      await house.addUser('eve');
      await house.restart();
      expect(await house.features.audit.verify()).toMatchObject({ state: 'broken' });
      // Once: what is recorded is not recorded at every start.
      expect((await actions(house)).filter((action) => action === 'audit-damaged')).toHaveLength(1);
    },
  );
});

describe('another SECRET_PWD_KEY', () => {
  test('seals the end anew, after the trail was verified, and that is recorded with the key that is new', async () => {
    const house = await populated();
    await house.restart(ANOTHER);
    expect(await actions(house)).toEqual(expect.arrayContaining(['audit-resealed', 'audit-key-added']));
    expect(await house.features.audit.verify()).toMatchObject({ state: 'intact' });
    // Both keys stand in the file: the one before verifies what it has signed.
    expect(readFileSync(join(house.folder, KEY_FILE), 'utf8').match(/BEGIN PUBLIC KEY/g)).toHaveLength(2);
    await house.restart(ANOTHER);
    expect((await actions(house)).filter((action) => action === 'audit-resealed')).toHaveLength(1);
  });

  test('does not seal what is broken', async () => {
    const house = await populated();
    await tamper(house, (db) => db.exec(`update audit set actor = 'x' where seq = 2`), ANOTHER);
    expect(house.features.audit.status().verification).toMatchObject({ brokenSeq: 2, problem: 'edited' });
    expect(await actions(house)).not.toContain('audit-resealed');
  });
});

test('a key file that is gone is written again, with the key that signs', async () => {
  const house = await populated();
  const path = join(house.folder, KEY_FILE);
  const before = readFileSync(path, 'utf8');
  await house.restart({}, () => rmSync(path));
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('a key that somebody put into the database does not get into the key file', async () => {
  const house = await populated();
  const path = join(house.folder, KEY_FILE);
  const before = readFileSync(path, 'utf8');
  await tamper(house, (db) => {
    const foreign = { id: 'foreign', pem: before, sealed: 'x' };
    db.prepare('insert into audit_keys values (@id, @pem, @sealed, 0)').run(foreign);
  });
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('an older copy of the database, put in its place, is found by a checkpoint that was noted, and by that alone', async () => {
  const house = await populated();
  const file = join(house.folder, STORE_FILE);
  const copy = join(house.folder, 'copy.db');
  await house.restart({}, () => copyFileSync(file, copy));
  await house.addUser('dan');
  const { lastSeq: noted } = house.features.audit.status();
  await house.restart({}, () => copyFileSync(copy, file));
  expect(await house.features.audit.verify()).toMatchObject({ state: 'intact' });
  await house.features.close();
  const settings = {
    file,
    archiveFolder: house.folder,
    keys: readFileSync(join(house.folder, KEY_FILE), 'utf8'),
  };
  const expected = { seq: noted + 1, hash: '0'.repeat(64) };
  expect(runVerification({ ...settings, sealKey: null, expected }).breach).toMatchObject({
    problem: 'cut-off',
  });
});

test('the public key file and the trail say nothing of the secret', async () => {
  const house = await populated();
  expect(readFileSync(join(house.folder, KEY_FILE), 'utf8')).not.toContain(String(SECRETS.secretPwdKey));
});
