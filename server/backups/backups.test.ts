import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  ADMINISTRATOR,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  openHouse,
  temporaryFolder,
  type House,
} from '../../test/house.ts';
import { BackupError } from './backup-thread.ts';
import {
  createBackups,
  type Backup,
  type Backups,
  type BackupsNeeds,
  type BackupsOptions,
  type BackupStatus,
} from './backups.ts';
import type { Outcome } from './job.ts';

interface Site {
  readonly house: House;
  readonly share: string;
  backups: Backups;
  /** Lets the time pass until something becomes of a backup. */
  lapse(ms: number): Promise<BackupStatus>;
  files(): string[];
  /** Opens them anew, as at the next start of the host. */
  reopen(): Promise<void>;
}

type Work = NonNullable<BackupsNeeds['work']>;

/** A house at 06:00 UTC on the first of January 2026, whose host has just started with backups to a share. */
async function openSite(options: Partial<BackupsOptions> = {}, work?: Work): Promise<Site> {
  const house = await openHouse();
  const share = join(temporaryFolder(), 'share');
  mkdirSync(share);
  const { clock, log, features } = house;
  const open = async (): Promise<Backups> => {
    const opened = createBackups(
      { ...features, clock, log, ...(work !== undefined && { work }) },
      {
        ...{ dataFolder: house.folder, folder: share, everyHours: 24, keep: 3, reserveMiB: 0 },
        ...{ station: 'Desk 1', id: 'abc123', ...options },
      },
    );
    onTestFinished(() => opened.close());
    opened.start();
    await opened.look();
    return opened;
  };
  const site: Site = {
    ...{ house, share },
    backups: await open(),
    async lapse(ms) {
      const { promise, resolve } = Promise.withResolvers<BackupStatus>();
      const stop = features.bus.on('BackupChanged', resolve);
      await house.advance(ms);
      return promise.finally(stop);
    },
    files: () => readdirSync(share).sort(),
    async reopen() {
      await site.backups.close();
      site.backups = await open();
    },
  };
  return site;
}

const MADE: Backup = { file: 'a.db', at: 0, bytes: 7 };

/** Making waits until it is let go on, or fails; looking finds nothing. */
function holdWork(): {
  work: Work;
  begun: () => number;
  abandoned: () => number;
  end(how: Backup | Error): void;
} {
  const waiting: PromiseWithResolvers<Outcome>[] = [];
  let begun = 0;
  let abandoned = 0;
  return {
    work(job) {
      const one = Promise.withResolvers<Outcome>();
      if (job.kind === 'look') one.resolve({ backup: null, notDeleted: null });
      else {
        begun += 1;
        waiting.push(one);
      }
      return {
        done: one.promise,
        ended: one.promise.then(
          () => {},
          () => {},
        ),
        stop: () => {},
        abandon: () => void (abandoned += 1),
      };
    },
    begun: () => begun,
    abandoned: () => abandoned,
    end(how) {
      const one = waiting.shift();
      if (how instanceof Error) one?.reject(how);
      else one?.resolve({ backup: how, notDeleted: null });
    },
  };
}

const nameOf = (stamp: string): string => `keyswitch-Desk-1-abc123-${stamp}Z.db`;
const FIRST = nameOf('20260101T060100000');

describe('by the clock', () => {
  test('the first backup is made a minute after the start, and is on record', async () => {
    const { house, backups, lapse, files } = await openSite();
    expect(backups.status).toMatchObject({ last: null, failure: null });
    await house.advance(MINUTE_MS - 1);
    expect(files()).toEqual([]);
    const { last, failure } = await lapse(1);
    expect(files()).toEqual([FIRST]);
    expect({ last, failure }).toMatchObject({ last: { file: FIRST, at: house.clock.now() }, failure: null });
    expect(await house.lastAudit()).toMatchObject({
      ...{ action: 'backup-made', actor: 'host', door: 'host' },
      detail: { file: FIRST, bytes: last?.bytes },
    });
  });

  test('one follows when its time has come, counted from the newest, whoever made it', async () => {
    const { house, backups, lapse, files } = await openSite();
    await lapse(MINUTE_MS);
    await house.advance(20 * HOUR_MS);
    const made = await backups.make(ADMINISTRATOR);
    await house.advance(23 * HOUR_MS);
    expect(files()).toEqual([FIRST, made.file]);
    await lapse(HOUR_MS);
    expect(files()).toHaveLength(3);
  });

  test('the newest in the folder counts after a restart, too', async () => {
    const { house, lapse, files, reopen } = await openSite();
    await lapse(MINUTE_MS);
    await reopen();
    await house.advance(23 * HOUR_MS);
    expect(files()).toEqual([FIRST]);
    await lapse(HOUR_MS);
    expect(files()).toHaveLength(2);
  });

  test('the newest counts also where the share was not there at the start', async () => {
    const site = await openSite();
    const { house, share, lapse, files, reopen } = site;
    await lapse(MINUTE_MS);
    renameSync(share, `${share}-away`);
    await reopen();
    renameSync(`${share}-away`, share);
    await house.advance(MINUTE_MS);
    await expect.poll(() => site.backups.status.last?.file).toBe(FIRST);
    await house.advance(HOUR_MS);
    expect(files()).toEqual([FIRST]);
  });

  test('none for longer than it should take is overdue', async () => {
    const site = await openSite({ everyHours: 24 });
    expect(site.backups.status.isOverdue).toBe(true);
    await site.lapse(MINUTE_MS);
    expect(site.backups.status.isOverdue).toBe(false);
    await site.backups.close();
    await site.house.advance(26 * HOUR_MS - 1);
    expect(site.backups.status.isOverdue).toBe(false);
    await site.house.advance(1);
    expect(site.backups.status.isOverdue).toBe(true);
  });

  test('a clock that was set back does not keep the next one waiting', async () => {
    const { house, lapse, files } = await openSite();
    await lapse(MINUTE_MS);
    house.clock.setWallClock(house.clock.now() - 30 * DAY_MS);
    await lapse(MINUTE_MS);
    expect(files()).toEqual([nameOf('20251202T060200000'), FIRST]);
  });

  test('so many stay; what is not a backup of this station is left alone', async () => {
    const { share, lapse, files } = await openSite({ everyHours: 1 });
    const others = [
      'keyswitch-Desk-1-def456-20250101T000000000Z.db',
      'keyswitch-Desk-1-abc123-old.db',
      'notes.txt',
    ];
    for (const name of others) writeFileSync(join(share, name), '');
    await lapse(MINUTE_MS);
    for (let hour = 0; hour < 4; hour += 1) await lapse(HOUR_MS);
    expect(files()).toEqual(
      [...others, ...['08', '09', '10'].map((hour) => nameOf(`20260101T${hour}0100000`))].sort(),
    );
  });

  test('one of a clock that was ahead is not taken for the newest when old ones are deleted', async () => {
    const { share, lapse, files } = await openSite({ everyHours: 1, keep: 1 });
    const ahead = nameOf('20270101T000000000');
    writeFileSync(join(share, ahead), '');
    await lapse(MINUTE_MS);
    await lapse(HOUR_MS);
    expect(files()).toEqual([nameOf('20260101T070100000'), ahead]);
  });

  test('what a power cut has left of one goes with the next', async () => {
    const site = await openSite();
    writeFileSync(join(site.share, `${nameOf('20251231T060000000')}.new`), 'half');
    await site.reopen();
    expect(site.backups.status.last).toBeNull();
    await site.lapse(MINUTE_MS);
    expect(site.files()).toEqual([FIRST]);
  });
});

describe('at once', () => {
  test('whoever asks while one is made is given that', async () => {
    const held = holdWork();
    const { backups } = await openSite({}, held.work);
    const both = [backups.make(ADMINISTRATOR), backups.make(ADMINISTRATOR)];
    await expect.poll(held.begun).toBe(1);
    held.end(MADE);
    const [one, other] = await Promise.all(both);
    expect(one).toBe(other);
    expect(held.begun()).toBe(1);
  });

  test('names who has asked', async () => {
    const { house, backups } = await openSite();
    await backups.make(ADMINISTRATOR);
    expect(await house.lastAudit()).toMatchObject({ action: 'backup-made', actor: 'Ada', door: 'page' });
  });

  test('fails where no folder is set, and then none is made by the clock either', async () => {
    const held = holdWork();
    const { house, backups } = await openSite({ folder: '' }, held.work);
    await expect(backups.make(ADMINISTRATOR)).rejects.toMatchObject({ code: 'backup-failed' });
    await house.advance(2 * DAY_MS);
    expect(held.begun()).toBe(0);
    expect(backups.status).toMatchObject({ folder: null, last: null, failure: null });
  });
});

describe('a backup that fails', () => {
  test('is told with the reason, on record, and tried again after an hour', async () => {
    const { house, share, lapse, files } = await openSite();
    renameSync(share, `${share}-away`);
    const { failure } = await lapse(MINUTE_MS);
    expect(failure).toMatchObject({ at: house.clock.now(), fault: 'folder-missing' });
    expect(await house.lastAudit()).toMatchObject({
      ...{ action: 'backup-failed', reason: 'folder-missing' },
      detail: { folder: share },
    });
    renameSync(`${share}-away`, share);
    await house.advance(HOUR_MS - MINUTE_MS);
    expect(files()).toEqual([]);
    expect(await lapse(MINUTE_MS)).toMatchObject({ failure: null, last: { at: house.clock.now() } });
    expect(files()).toHaveLength(1);
  });

  test('because the folder is not there is known from the start', async () => {
    const { house, backups, lapse } = await openSite({ folder: '/nowhere/at/all' });
    const failure = { at: house.clock.now(), fault: 'folder-missing' };
    expect(await backups.look()).toMatchObject({ last: null, failure });
    expect(await lapse(MINUTE_MS)).toMatchObject({ failure: { at: house.clock.now() } });
  });

  test('names the folder to whoever has asked', async () => {
    const { share, backups } = await openSite({ folder: '/nowhere/at/all' });
    await expect(backups.make(ADMINISTRATOR)).rejects.toMatchObject({
      code: 'backup-failed',
      message: expect.stringMatching(/^\/nowhere\/at\/all is not there/) as string,
    });
    expect(readdirSync(share)).toEqual([]);
  });

  test('takes no room that the sign-ins need', async () => {
    const { house, backups, files } = await openSite({ reserveMiB: 2 ** 40 });
    await expect(backups.make(ADMINISTRATOR)).rejects.toMatchObject({ code: 'backup-failed' });
    expect(backups.status.failure).toMatchObject({ fault: 'no-room' });
    expect(await house.lastAudit()).toMatchObject({ reason: 'no-room' });
    expect(files()).toEqual([]);
  });

  test.each([
    ['EACCES', 'no-rights'],
    ['EROFS', 'no-rights'],
    ['SQLITE_FULL', 'no-room'],
    ['SQLITE_CORRUPT', 'damaged'],
    ['ESTALE', 'folder-missing'],
    ['ECONNRESET', 'too-slow'],
    ['EIO', 'other'],
    ['', 'other'],
  ])('with the code %s is said to be %s', async (code, fault) => {
    const held = holdWork();
    const { backups } = await openSite({}, held.work);
    const made = backups.make(ADMINISTRATOR);
    await expect.poll(held.begun).toBe(1);
    held.end(new BackupError('it did not work', code));
    await expect(made).rejects.toMatchObject({ code: 'backup-failed' });
    expect(backups.status.failure).toMatchObject({ fault, message: 'it did not work' });
  });

  test('by never ending does not keep the host from stopping', async () => {
    const held = holdWork();
    const { house, backups } = await openSite({}, held.work);
    await house.advance(MINUTE_MS);
    await expect.poll(held.begun).toBe(1);
    const closed = backups.close();
    const isOver = vi.fn();
    void closed.then(isOver);
    await house.advance(9000);
    expect(isOver).not.toHaveBeenCalled();
    await house.advance(1000);
    await closed;
    expect(held.abandoned()).toBe(1);
    held.end(MADE);
  });

  test('by never ending is told after an hour, and no other is begun before it has ended', async () => {
    const held = holdWork();
    const { house, backups, lapse } = await openSite({}, held.work);
    await house.advance(MINUTE_MS);
    await expect.poll(held.begun).toBe(1);
    const asked = expect(backups.make(ADMINISTRATOR)).rejects.toMatchObject({ code: 'backup-failed' });
    expect(await lapse(HOUR_MS)).toMatchObject({ failure: { fault: 'too-slow' } });
    await asked;
    await house.advance(2 * DAY_MS);
    await expect(backups.make(ADMINISTRATOR)).rejects.toThrow('does not answer');
    expect(held.begun()).toBe(1);
    held.end(MADE);
    await expect.poll(() => backups.status.failure).toBeNull();
  });
});
