import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App } from '../../server/apps/app.ts';
import { KeyswitchError } from '../../server/errors.ts';
import {
  ADMINISTRATOR,
  HOUR_MS,
  openHouse,
  SECOND_MS,
  temporaryFolder,
  type House,
} from '../../test/house.ts';
import { KEYS, publish, publishManifest, type Release } from '../../test/release.ts';
import { createStation } from '../station.ts';
import type { Installer } from './installer.ts';
import { createSource } from './source.ts';
import type { UpdateState } from './update-state.ts';
import { startUpdates, type Updates, type UpdatesNeeds } from './updates.ts';

const TEN_HOURS_IN_MIN = 600;
const MANIFEST = 'latest-linux.yml';
const nameOf = (version: string): string => `Keyswitch-${version}.AppImage`;

interface Station {
  readonly house: House;
  readonly updates: Updates;
  readonly desk: App;
  readonly hmi: App;
  /** Where updates are looked for. */
  readonly shelf: string;
  /** Where they are staged. */
  readonly folder: string;
  readonly installed: string[];
  readonly left: () => number;
  release(version: string, release?: Partial<Release>): void;
  /** Waits until what is being done is done, as far as it does not wait for anybody. */
  settled(): Promise<UpdateState>;
}

interface StationOptions {
  readonly updateWhileSignedIn?: boolean;
  readonly install?: Installer['install'];
  readonly before?: (station: Pick<Station, 'release' | 'shelf' | 'house' | 'hmi'>) => void | Promise<void>;
  readonly needs?: Partial<UpdatesNeeds>;
}

async function openStation(options: StationOptions = {}): Promise<Station> {
  const { updateWhileSignedIn = false, install = () => Promise.resolve(), before, needs = {} } = options;
  const house = await openHouse();
  const { features, clock, random, log } = house;
  const { app: desk } = await features.apps.add(
    { name: 'Desk', logoutTimeInMin: 60, station: true },
    ADMINISTRATOR,
  );
  for (const [name, type] of [
    ['Ada', 'Admin'],
    ['Olivia', 'Active'],
  ] as const) {
    await features.apps.grant(desk, await house.addUser(name, { type }), '9', ADMINISTRATOR);
  }
  const hmi = await house.addApp('HMI', { Ada: '9', Olivia: '5' }, TEN_HOURS_IN_MIN);
  const shelf = temporaryFolder();
  const folder = join(house.folder, 'updates');
  const release: Station['release'] = (version, other = {}) =>
    publish(shelf, {
      ...{ version, manifest: MANIFEST, name: nameOf(version), content: Buffer.from(`version ${version}`) },
      ...other,
    });
  await before?.({ release, shelf, house, hmi });
  const installed: string[] = [];
  let left = 0;
  const updates = startUpdates(
    {
      ...{ host: { features }, station: createStation({ features }, log), clock, random, log, folder },
      installer: {
        ...{ manifest: MANIFEST, nameOf, restart: null },
        async install(file) {
          await install(file);
          installed.push(file);
        },
      },
      ...{ key: KEYS.publicKey, version: '1.0.0', source: createSource(shelf, { clock, caFile: '' }) },
      ...{ freeBytes: () => Promise.resolve(2 ** 40), keepFreeBytes: 0, leave: () => void (left += 1) },
      ...needs,
    },
    { updateWhileSignedIn },
  );
  const settled = (): Promise<UpdateState> =>
    new Promise((resolve) => {
      updates.follow((state) => ['nothing', 'counting', 'leaving'].includes(state.doing) && resolve(state));
    });
  return { house, updates, desk, hmi, shelf, folder, installed, left: () => left, release, settled };
}

const COUNTDOWN_MS = 30 * SECOND_MS;

describe('at a station where nobody is signed in', () => {
  test('a newer release is staged, counted down for half a minute, installed, and left for', async () => {
    const station = await openStation({ before: ({ release }) => release('1.1.0') });
    expect(await station.settled()).toMatchObject({ doing: 'counting', staged: { version: '1.1.0' } });
    await station.house.advance(COUNTDOWN_MS - 1);
    expect(station.installed).toEqual([]);
    await station.house.advance(1);
    expect(await station.settled()).toMatchObject({ doing: 'leaving' });
    expect(station.installed).toEqual([join(station.folder, 'Keyswitch-1.1.0.AppImage')]);
    expect(station.left()).toBe(1);
  });

  test.each(['1.0.0', '0.9.0'])('release %s is none for version 1.0.0', async (version) => {
    const station = await openStation({ before: ({ release }) => release(version) });
    expect(await station.settled()).toEqual({ doing: 'nothing', staged: null, failure: null });
  });

  test('whoever signs in stops the countdown, and whoever leaves last starts it anew', async () => {
    const station = await openStation({ before: ({ release }) => release('1.1.0') });
    const { house, hmi, updates } = station;
    await station.settled();
    await house.advance(COUNTDOWN_MS - 1);
    await house.signIn('Olivia', { app: hmi });
    expect(updates.state().doing).toBe('nothing');
    await house.advance(2 * COUNTDOWN_MS);
    // One user after another is no moment without anybody.
    const told: string[] = [];
    updates.follow(({ doing }) => told.push(doing));
    await house.signIn('Ada', { app: hmi });
    expect(told).toEqual(['nothing']);
    await house.features.sessions.endAtApp(hmi.id, 'signed-out', ADMINISTRATOR);
    expect(updates.state().doing).toBe('counting');
    expect(station.installed).toEqual([]);
  });

  test('an administrator at an HMI, or in a browser, is somebody too', async () => {
    const station = await openStation({
      before: async ({ release, house }) => {
        release('1.1.0');
        await house.signIn('Ada');
      },
    });
    expect(await station.settled()).toMatchObject({ doing: 'nothing', staged: { version: '1.1.0' } });
  });
});

describe('while somebody is signed in', () => {
  const busy = async ({ release, house, hmi }: { release: Station['release']; house: House; hmi: App }) => {
    release('1.1.0');
    await house.signIn('Olivia', { app: hmi });
  };

  test('nothing is installed, unless the settings allow it', async () => {
    const waiting = await openStation({ before: busy });
    expect((await waiting.settled()).doing).toBe('nothing');
    const allowed = await openStation({ before: busy, updateWhileSignedIn: true });
    expect((await allowed.settled()).doing).toBe('counting');
  });

  test('an administrator at the station has it installed at once, when nobody else is there', async () => {
    const station = await openStation({ before: busy });
    const { house, updates, desk, hmi } = station;
    await station.settled();
    await house.signIn('Ada', { app: desk });
    updates.install();
    expect([updates.mayBeAsked(), updates.state().doing]).toEqual([false, 'nothing']);
    await house.features.sessions.endAtApp(hmi.id, 'signed-out', ADMINISTRATOR);
    expect([updates.mayBeAsked(), updates.state().doing]).toEqual([true, 'nothing']);
    updates.install();
    expect((await station.settled()).doing).toBe('leaving');
    // Their session goes on in the new version.
    expect(house.features.sessions.ofApp(desk.id)?.user.name).toBe('Ada');
  });

  test('nobody else at the station has it installed', async () => {
    const station = await openStation({ before: busy, updateWhileSignedIn: true });
    const { house, updates, desk } = station;
    await station.settled();
    await house.signIn('Olivia', { app: desk });
    updates.install();
    expect(updates.state().doing).toBe('counting');
  });
});

describe('what is refused', () => {
  const stranger = generateKeyPairSync('ed25519').privateKey;
  test.each<[string, string, (station: Pick<Station, 'release' | 'shelf'>) => void]>([
    ['an empty folder', 'update-unreachable', () => {}],
    [
      'the signature of somebody else',
      'update-unsigned',
      ({ release }) => release('1.1.0', { signedBy: stranger }),
    ],
    [
      'a manifest without a signature',
      'update-unreachable',
      ({ release, shelf }) => {
        release('1.1.0');
        rmSync(join(shelf, `${MANIFEST}.sig`));
      },
    ],
    [
      'a manifest of 10 MB',
      'update-invalid',
      ({ shelf }) => publishManifest(shelf, MANIFEST, Buffer.alloc(10 * 2 ** 20, '# ')),
    ],
    [
      'a manifest that grows when it is read',
      'update-invalid',
      ({ shelf }) =>
        publishManifest(shelf, MANIFEST, Buffer.from('a: &a [x,x]\nversion: 1.1.0\nfiles: [*a,*a,*a]\n')),
    ],
    [
      'an installer for another machine',
      'update-invalid',
      ({ release }) => release('1.1.0', { name: 'Keyswitch-1.1.0-arm64.AppImage' }),
    ],
    [
      'an installer elsewhere',
      'update-invalid',
      ({ release }) => release('1.1.0', { lies: { url: '../Keyswitch-1.1.0.AppImage' } }),
    ],
    [
      'an installer of another size',
      'update-mismatch',
      ({ release }) => release('1.1.0', { lies: { size: 5 } }),
    ],
    [
      'another installer than was signed',
      'update-mismatch',
      ({ release, shelf }) => {
        release('1.1.0');
        writeFileSync(join(shelf, nameOf('1.1.0')), 'version 6.6.6');
      },
    ],
    [
      'a manifest without its installer',
      'update-unreachable',
      ({ release, shelf }) => {
        release('1.1.0');
        rmSync(join(shelf, nameOf('1.1.0')));
      },
    ],
  ])('is %s: %s, with a line in the log', async (_what, code, before) => {
    const station = await openStation({ before });
    expect(await station.settled()).toEqual({
      doing: 'nothing',
      staged: null,
      failure: { of: 'looking', code },
    });
    const staged = existsSync(station.folder) ? readdirSync(station.folder) : [];
    expect(staged).toEqual([]);
    expect(station.house.log.lines.filter(({ msg }) => msg === 'no update')).toMatchObject([{ code }]);
  });
});

describe('looking', () => {
  test('comes again after six hours, and a chance of one more', async () => {
    const station = await openStation();
    const { house, updates } = station;
    await station.settled();
    station.release('1.1.0');
    let looks = 0;
    updates.follow(({ doing }) => (looks += doing === 'looking' ? 1 : 0));
    await house.advance(6 * HOUR_MS - 1);
    expect(looks).toBe(0);
    await house.advance(HOUR_MS + 1);
    expect(looks).toBe(1);
    expect(await station.settled()).toMatchObject({ staged: { version: '1.1.0' } });
  });

  test('finds a newer release than the one that waits, and only that one stays', async () => {
    const station = await openStation({
      before: async ({ release, house, hmi }) => {
        release('1.1.0');
        await house.signIn('Olivia', { app: hmi });
      },
    });
    const { house, folder } = station;
    await station.settled();
    station.release('1.2.0');
    await house.advance(7 * HOUR_MS);
    expect(await station.settled()).toMatchObject({ staged: { version: '1.2.0' } });
    expect(readdirSync(folder)).toEqual([nameOf('1.2.0')]);
  });

  test('finds that a release was taken back, and clears it away', async () => {
    const station = await openStation({
      before: async ({ release, house, hmi }) => {
        release('1.1.0');
        await house.signIn('Olivia', { app: hmi });
      },
    });
    await station.settled();
    station.release('1.0.0');
    await station.house.advance(7 * HOUR_MS);
    expect(await station.settled()).toMatchObject({ staged: null, failure: null });
  });
});

describe('an installation', () => {
  test('that the system refuses leaves the host as it is, and waits for an administrator', async () => {
    const install = (): Promise<void> => Promise.reject(new KeyswitchError('update-not-installed'));
    const station = await openStation({ install, before: ({ release }) => release('1.1.0') });
    await station.settled();
    await station.house.advance(COUNTDOWN_MS);
    expect(await station.settled()).toMatchObject({
      ...{ doing: 'nothing', staged: { version: '1.1.0' } },
      failure: { of: 'installing', code: 'update-not-installed' },
    });
    await station.house.advance(8 * HOUR_MS);
    expect((await station.settled()).doing).toBe('nothing');
    expect(station.left()).toBe(0);
  });

  test('does not run what was changed on the disk since', async () => {
    const station = await openStation({ before: ({ release }) => release('1.1.0') });
    const { staged } = await station.settled();
    writeFileSync(staged!.file, 'version 6.6.6');
    await station.house.advance(COUNTDOWN_MS);
    expect(await station.settled()).toMatchObject({ staged: null, failure: { code: 'update-mismatch' } });
    expect(station.installed).toEqual([]);
  });
});
