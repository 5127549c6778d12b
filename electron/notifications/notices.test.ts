import { describe, expect, test, vi } from 'vitest';
import type { BackupFault, BackupStatus } from '../../server/backups/backups.ts';
import type { CopyStatus } from '../../server/audit/forward/forward.ts';
import type { LinkStatus } from '../../server/plc/link.ts';
import { ADMINISTRATOR, DOOR, MINUTE_MS, openHouse, SECOND_MS, type House } from '../../test/house.ts';
import { startNotices, type Notice } from './notices.ts';
import { createStation } from '../station.ts';
import { text } from '../text.ts';
import { IDLE, type Staged, type UpdateState } from '../updates/update-state.ts';

vi.mock('electron', () => ({ app: { getLocale: () => 'en' } }));

interface Desk {
  readonly house: House;
  readonly stationId: string;
  /** What the host would say of its links, of its copies and of the trail. */
  readonly says: { links: LinkStatus[]; copies: CopyStatus[]; isBroken: boolean };
  /** What was said since this was last asked: title and body, urgent ones with a mark. */
  told(): string[];
  pass(ms: number): Promise<void>;
  /** What the updates say next. */
  update(state: Partial<UpdateState>): void;
}

async function openDesk(before: (house: House) => void | Promise<void> = () => {}): Promise<Desk> {
  const house = await openHouse();
  const { clock, features, log } = house;
  await house.addUser('operator', { displayName: 'Olivia' });
  const limits = { logoutTimeInMin: 10, station: true };
  const { app: station } = await features.apps.add({ name: 'Desk', ...limits }, ADMINISTRATOR);
  const user = await features.users.byName('operator');
  await features.apps.grant(station, user!, '9', ADMINISTRATOR);
  await before(house);
  const says: Desk['says'] = { links: [], copies: [], isBroken: false };
  const told: string[] = [];
  let tellUpdate: (state: UpdateState) => void = () => {};
  const status = (): ReturnType<typeof features.audit.status> => {
    const now = features.audit.status();
    const state = says.isBroken ? 'broken' : 'intact';
    return { ...now, verification: { ...now.verification, state } };
  };
  startNotices({
    features: {
      ...features,
      links: { ...features.links, status: () => says.links },
      forwarder: { ...features.forwarder, status: () => says.copies },
      audit: { ...features.audit, status },
    },
    ...{ station: createStation({ features }, log), clock, text: text() },
    updates: { follow: (listener) => void (tellUpdate = listener) },
    show: ({ title, body, isUrgent }: Notice) => told.push(`${isUrgent ? '! ' : ''}${title}: ${body}`),
  });
  return {
    ...{ house, stationId: station.id, says },
    told: () => told.splice(0),
    pass: (ms) => house.advance(ms),
    update: (state) => tellUpdate({ ...IDLE, ...state }),
  };
}

function linkOf(id: string, state: LinkStatus['state'], appId: string): LinkStatus {
  return {
    ...{ id, appId, connection: 'Data Source=10.0.0.5:102,0,1', area: 'DB250', address: 'W188' },
    ...{ state, since: 0, plc: null, value: null, valueAt: null, user: null, pending: false },
    ...{ roundTripMs: null, roundTripsMs: [], errorsLastHour: 0, lastError: null },
  };
}

const openEnvelope = async (house: House): Promise<void> => {
  const { secret } = await house.features.emergency.add({ name: 'Emergency 1' }, ADMINISTRATOR);
  await house.features.sessions.signIn({
    credential: { kind: 'emergency', secret, reason: 'the boiler is not well' },
    ...{ appId: null, presentation: 'cookie', door: DOOR },
  });
};

describe('a session at the station', () => {
  test('is told two minutes before its end, once', async () => {
    const { house, stationId, told, pass } = await openDesk();
    await house.signIn('operator', { app: house.features.apps.byId(stationId)! });
    await pass(8 * MINUTE_MS - 2 * SECOND_MS);
    expect(told()).toEqual([]);
    await pass(3 * SECOND_MS);
    expect(told()).toEqual([
      'Signed out in 2 minutes: The time of Olivia is up then. Signing in again gives it anew.',
    ]);
    await pass(5 * MINUTE_MS);
    expect(told()).toEqual([]);
  });

  test.each([9, -9])('is told in time although the clock of the PC is set by %i minutes', async (byMin) => {
    const { house, stationId, told, pass } = await openDesk();
    await house.signIn('operator', { app: house.features.apps.byId(stationId)! });
    await pass(SECOND_MS);
    house.clock.setWallClock(house.clock.now() + byMin * MINUTE_MS);
    await pass(8 * MINUTE_MS - 3 * SECOND_MS);
    expect(told()).toEqual([]);
    await pass(3 * SECOND_MS);
    expect(told()).toHaveLength(1);
  });

  test('that is no longer than that is known to be short', async () => {
    const { house, told, pass } = await openDesk();
    const short = await house.addUser('guest', { logoutTimeInMin: 2 });
    const station = house.features.apps.station()!;
    await house.features.apps.grant(station, short, '1', ADMINISTRATOR);
    await house.signIn('guest', { app: station });
    await pass(2 * MINUTE_MS);
    expect(told()).toEqual([]);
  });
});

describe('a backup that fails', () => {
  const failed = (fault: BackupFault): BackupStatus => ({
    ...{ folder: '/share', last: null, isOverdue: true },
    failure: { at: 0, fault, message: 'it did not work' },
  });
  const made: BackupStatus = { ...failed('other'), failure: null };

  test('is told once until one succeeds, or fails for another reason', async () => {
    const { house, told } = await openDesk();
    const tell = (status: BackupStatus): void => house.features.bus.publish('BackupChanged', status);
    tell(made);
    expect(told()).toEqual([]);
    tell(failed('folder-missing'));
    tell(failed('folder-missing'));
    const missing =
      'The database could not be backed up: The folder for backups is not there. Please tell an administrator.';
    expect(told()).toEqual([missing]);
    tell(failed('no-room'));
    expect(told()).toHaveLength(1);
    tell(made);
    tell(failed('folder-missing'));
    expect(told()).toEqual([missing]);
  });
});

describe('PLC links', () => {
  test('are told when trouble lasts, and when it is over', async () => {
    const { stationId, says, told, pass } = await openDesk();
    says.links = [linkOf('a', 'online', stationId)];
    await pass(10 * SECOND_MS);
    says.links = [linkOf('a', 'backing-off', stationId)];
    await pass(5 * SECOND_MS);
    expect(told()).toEqual([]);
    await pass(SECOND_MS);
    expect(told()).toEqual(['! PLC link in trouble: Desk (10.0.0.5, DB250.DBW188): Unreachable']);
    says.links = [linkOf('a', 'online', stationId)];
    await pass(6 * SECOND_MS);
    expect(told()).toEqual(['PLC link is back: Desk (10.0.0.5, DB250.DBW188)']);
  });

  test('that flap are not told again and again', async () => {
    const { stationId, says, told, pass } = await openDesk();
    for (let second = 0; second < 120; second += 1) {
      says.links = [linkOf('a', second % 4 === 0 ? 'online' : 'backing-off', stationId)];
      await pass(SECOND_MS);
    }
    expect(told()).toEqual([]);
  });

  test('that are lost together are told together, the first three by name', async () => {
    const { stationId, says, told, pass } = await openDesk();
    says.links = ['a', 'b', 'c', 'd', 'e'].map((id) => linkOf(id, 'degraded', stationId));
    await pass(6 * SECOND_MS);
    const line = 'Desk (10.0.0.5, DB250.DBW188): Degraded';
    expect(told()).toEqual([`! 5 PLC links in trouble: ${[line, line, line, 'and 2 more'].join('\n')}`]);
  });
});

describe('emergency access', () => {
  test('is told at once, with its place alone', async () => {
    const { house, told } = await openDesk();
    await openEnvelope(house);
    expect(told()).toEqual(['! Emergency access in use: Keyswitch']);
  });

  test('is told at the start where it is in use already', async () => {
    const { told } = await openDesk(openEnvelope);
    expect(told()).toEqual(['! Emergency access in use: Keyswitch']);
  });
});

describe('the record', () => {
  test('of a disk that fills up is told', async () => {
    const { house, told } = await openDesk();
    house.features.bus.publish('StorageChanged', { state: 'low', freeMiB: 900 });
    house.features.bus.publish('StorageChanged', { state: 'reserve', freeMiB: 60 });
    house.features.bus.publish('StorageChanged', { state: 'ok', freeMiB: 2000 });
    expect(told()).toEqual([
      'The disk is filling up: 900 MiB are free. Please tell an administrator.',
      '! The disk is full: Nobody new is signed in until there is room; emergency access goes on.',
    ]);
  });

  test('that is not copied is told after a minute, and when it is again', async () => {
    const { says, told, pass } = await openDesk();
    const copy = { target: 'syslog', behind: 7, since: 0, lastError: 'refused' } as const;
    says.copies = [{ ...copy, state: 'failing' }];
    await pass(MINUTE_MS);
    expect(told()).toEqual([]);
    await pass(2 * SECOND_MS);
    expect(told()).toEqual([
      'The audit trail is not copied: Entries that wait: 7. They are copied as soon as it works again.',
    ]);
    says.copies = [{ ...copy, state: 'current', behind: 0 }];
    await pass(MINUTE_MS + 2 * SECOND_MS);
    expect(told()).toEqual(['The audit trail is copied again: ']);
  });

  test('that was changed is told', async () => {
    const { says, told, pass } = await openDesk();
    says.isBroken = true;
    await pass(10 * SECOND_MS);
    expect(told()).toEqual([
      '! The audit trail has been changed: An entry is not as it was written. Please tell an administrator.',
    ]);
  });
});

describe('an update', () => {
  const staged: Staged = {
    ...{ version: '1.2.3', file: '' },
    artefact: { name: 'Keyswitch-1.2.3.AppImage', bytes: 1, sha512: '' },
  };

  test('is told when it is ready, each time before it is installed, and when it was refused', async () => {
    const { house, told, update } = await openDesk();
    await house.signIn('operator');
    update({ doing: 'looking' });
    update({ staged });
    update({ staged, doing: 'looking' });
    update({ staged });
    expect(told()).toEqual([
      'Version 1.2.3 of Keyswitch is ready: It is installed when nobody is signed in.',
    ]);
    update({ staged, doing: 'counting' });
    update({ staged, doing: 'installing' });
    update({ staged, failure: { of: 'installing', code: 'update-not-installed' } });
    expect(told()).toEqual([
      'Version 1.2.3 will be installed in 30 seconds: Keyswitch starts anew for it. Whoever is signed in stays signed in.',
      'Version 1.2.3 was not installed: Keyswitch goes on as before. An administrator can install it from the icon of Keyswitch.',
    ]);
  });

  test('that finds nobody there says how it is put off', async () => {
    const { told, update } = await openDesk();
    update({ staged, doing: 'counting' });
    expect(told()).toEqual([
      'Version 1.2.3 will be installed in 30 seconds: Keyswitch starts anew for it. Whoever signs in before that puts it off.',
    ]);
  });

  test('that fails is told once, until it fails otherwise or has worked in between', async () => {
    const { told, update } = await openDesk();
    const failure = { of: 'looking', code: 'update-unreachable' } as const;
    const failing = (): void => {
      update({ doing: 'looking', failure });
      update({ failure });
    };
    failing();
    failing();
    expect(told()).toEqual([
      'Updates of Keyswitch do not work: The folder or server that holds them cannot be read.',
    ]);
    update({ failure: { of: 'looking', code: 'internal' } });
    expect(told()).toEqual(['Updates of Keyswitch do not work: The log says more.']);
    update({});
    failing();
    expect(told()).toHaveLength(1);
  });
});
