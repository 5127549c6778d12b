import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  filesWith,
  MINUTE_MS,
  openControlRoom,
  openHouse,
  PASSWORD,
  SECRETS,
  temporaryFolder,
  testSettings,
} from '../test/house.ts';
import { openFeatures } from './features.ts';
import { createFixedClock } from './ports/clock.ts';
import { createMemoryLog } from './ports/log.ts';
import { createFixedRandom } from './ports/random.ts';

const ports = () => ({ clock: createFixedClock(), random: createFixedRandom(), log: createMemoryLog() });

describe('opening', () => {
  test('a folder that is open already is refused', async () => {
    const house = await openHouse();
    await expect(openFeatures(testSettings(house.folder), ports())).rejects.toMatchObject({
      code: 'data-folder-in-use',
    });
  });

  test.each([
    [
      'a damaged database',
      'store-corrupt',
      (folder: string) => writeFileSync(join(folder, 'keyswitch.db'), 'no database\n'.repeat(500)),
    ],
    [
      'something else in the place of the database',
      'data-folder-unusable',
      (folder: string) => mkdirSync(join(folder, 'keyswitch.db')),
    ],
  ])('a start that fails over %s lets go of the folder', async (_name, code, spoil) => {
    const folder = temporaryFolder();
    spoil(folder);
    // A folder that was not let go of would be in use the second time.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(openFeatures(testSettings(folder), ports())).rejects.toMatchObject({ code });
    }
  });

  test('a start that fails later lets go of the folder and the database too', async () => {
    const house = await openHouse();
    await house.features.store.write((writer) =>
      writer.updateTable('signing_keys').set({ public_jwk: 'spoilt' }).execute(),
    );
    await expect(
      house.restart({}, async () => {
        await expect(openFeatures(testSettings(house.folder), ports())).rejects.toThrow(SyntaxError);
        await expect(openFeatures(testSettings(house.folder), ports())).rejects.toThrow(SyntaxError);
      }),
    ).rejects.toThrow(SyntaxError);
  });

  test('a folder is free for the next when the features are closed', async () => {
    const house = await openHouse();
    await house.restart({}, async () => {
      const features = await openFeatures(testSettings(house.folder), ports());
      onTestFinished(() => features.close());
      await features.close();
    });
    expect(await house.features.users.list()).toEqual([]);
  });
});

describe('a day in the control room', () => {
  /** Does one of each, and collects every secret that was typed, told or made on the way. */
  async function live() {
    const room = await openControlRoom();
    const { house, hmi, boiler, operator } = room;
    const { apps, users, links } = house.features;
    const secrets = new Set([PASSWORD, 'the own password of the newcomer', 'a mistyped password']);
    const keep = (...values: (string | undefined)[]): void => {
      for (const value of values) if (value !== undefined) secrets.add(value);
    };
    const { key } = await apps.add({ name: 'Panel', logoutTimeInMin: 10 }, ADMINISTRATOR);
    keep(key, SECRETS.secretPwdKey.toString(), SECRETS.passwordHashingKey.toString());

    await house.signIn('operator', { app: hmi, password: 'a mistyped password' }).catch(() => {});
    await house.signIn('nobodyatall', { app: hmi }).catch(() => {});
    const page = await house.signIn('operator');
    const program = await house.signIn('operator', { presentation: 'bearer' });
    const token = await house.signIn('operator', { app: hmi, presentation: 'token' });
    const pair = await house.features.sessions.refresh(program.refreshToken ?? '', DOOR);
    for (const { cookie, accessToken, refreshToken } of [page, program, token, pair]) {
      keep(cookie, accessToken, refreshToken);
    }
    await house.features.sessions.refresh(program.refreshToken ?? '', DOOR).catch(() => {});

    await house.addUser('newcomer', { mustChange: true });
    const { ticket } = (await house.signIn('newcomer').catch((thrown: unknown) => thrown)) as {
      ticket: string;
    };
    keep(ticket);
    await house.features.sessions.changePassword(ticket, 'short', DOOR).catch(() => {});
    const changed = await house.features.sessions.changePassword(
      ticket,
      'the own password of the newcomer',
      DOOR,
    );
    keep(changed.cookie);

    await house.plcSignIn(operator, boiler);
    await links.add(
      {
        ...{ connection: 'Data Source=127.0.0.1:1,0,2', area: 'DB250', address: 'W188', appId: hmi.id },
        ...{ defaultValue: 0, onConnect: 'host', allowAdmin: false },
      },
      ADMINISTRATOR,
    );
    await house.advance(10 * MINUTE_MS);
    await house.advance(10 * MINUTE_MS);
    await users.change('operator', { enabled: false }, ADMINISTRATOR);
    await house.settle();
    return { ...room, secrets, unknownName: 'nobodyatall' };
  }

  test('leaves a trail in which every row has its actor, its door, its time and the rest where it applies', async () => {
    const { house } = await live();
    const trail = await house.audit();
    const told = trail.map(({ action, actor, door, address, subject, app, reason }) =>
      [action, 'by', actor, 'from', door, address, 'on', subject, app, reason].join(' '),
    );
    const api = 'from api 192.0.2.7 on';
    const page = 'by Ada from page 192.0.2.1 on';
    expect(told.filter((line) => !line.startsWith('signing-key-added'))).toEqual([
      `user-added ${page} operator  `,
      `user-added ${page} supervisor  `,
      `app-added ${page}  HMI `,
      `app-user-granted ${page} operator HMI `,
      `app-user-granted ${page} supervisor HMI `,
      `app-added ${page}  Boiler `,
      `app-user-granted ${page} operator Boiler `,
      `app-user-granted ${page} supervisor Boiler `,
      `app-added ${page}  Panel `,
      `sign-in-refused by anonymous ${api} operator HMI wrong-password`,
      `sign-in-refused by anonymous ${api}  HMI unknown-user`,
      `sign-in by operator ${api} operator  password`,
      `sign-in by operator ${api} operator  password`,
      `sign-in by operator ${api} operator HMI password`,
      `session-ended by operator ${api} operator  refresh-reused`,
      `user-added ${page} newcomer  `,
      `password-change-required by newcomer ${api} newcomer  one-time-secret`,
      `password-change-refused by newcomer ${api} newcomer  policy`,
      `password-changed by newcomer ${api} newcomer  `,
      `sign-in by newcomer ${api} newcomer  password`,
      'sign-in by PLC link 1 from plc  on operator Boiler plc',
      expect.stringMatching(/^link-added by Ada from page 192\.0\.2\.1 on [0-9a-f-]{36} HMI $/),
      'session-ended by host from host  on operator HMI time-limit',
      'session-ended by host from host  on operator  idle',
      'session-ended by host from host  on newcomer  idle',
      `user-changed ${page} operator  `,
      'session-ended by host from host  on operator Boiler user-disabled',
    ]);
    const start = Date.UTC(2026, 0, 1, 6);
    for (const { at } of trail) expect(at).toBeGreaterThanOrEqual(start);
    expect(trail.at(-1)?.at).toBe(start + 20 * MINUTE_MS);
    expect(trail.map(({ seq }) => seq)).toEqual(trail.map((_, i) => i + 1));
  });

  test('leaves no secret in any file of the data folder, nor in the log, nor a name that belongs to nobody', async () => {
    const { house, secrets, unknownName } = await live();
    expect(secrets.size).toBeGreaterThanOrEqual(13);
    const expectNoTrace = (): void => {
      for (const secret of [...secrets, unknownName]) {
        expect(filesWith(house.folder, secret)).toEqual([]);
        expect(JSON.stringify(house.log.lines)).not.toContain(secret);
      }
    };
    expectNoTrace();
    await house.restart();
    expectNoTrace();
    // The search itself finds what is there.
    expect(filesWith(house.folder, 'newcomer')).not.toEqual([]);
  });
});

test('closing waits for what is being written, and keeps the sessions', async () => {
  const { house, hmi } = await openControlRoom();
  const { session } = await house.signIn('operator', { app: hmi });
  const adding = house.features.users.change('operator', { displayName: 'Olivia' }, ADMINISTRATOR);
  await house.restart();
  expect(await adding).toMatchObject({ displayName: 'Olivia' });
  expect(house.features.sessions.ofApp(hmi.id)).toMatchObject({
    id: session.id,
    user: { displayName: 'Olivia' },
  });
});

describe('what the features are opened with', () => {
  test('hashes passwords at the cost that is set, and makes them anew when that changes', async () => {
    const { house } = await openControlRoom({ config: { passwords: { memoryKib: 128, iterations: 3 } } });
    const hashOfOperator = async (): Promise<string> => {
      const query = house.features.store.read.selectFrom('passwords').innerJoin('users', 'id', 'user_id');
      return (await query.select('hash').where('name', '=', 'operator').executeTakeFirstOrThrow()).hash;
    };
    expect(await hashOfOperator()).toMatch(/\$m=128,.*t=3/);
    await house.restart({ config: { passwords: { iterations: 2 } } });
    await house.signIn('operator');
    expect(await hashOfOperator()).toMatch(/\$m=64,.*t=2/);
    await house.signIn('operator');
  });

  test('another PASSWORD_HASHING_KEY lets no password in', async () => {
    const { house } = await openControlRoom();
    await house.restart({ secrets: { passwordHashingKey: Buffer.from('another pepper') } });
    await expect(house.signIn('operator')).rejects.toMatchObject({ code: 'sign-in-refused' });
    await house.restart();
    await house.signIn('operator');
  });

  test('tokens are issued in the name and for the audience that are set, and for no other', async () => {
    const { house } = await openControlRoom();
    const { accessToken = '' } = await house.signIn('operator', { presentation: 'bearer' });
    expect(decodeJwt(accessToken)).toMatchObject({ iss: SECRETS.jwtIssuer, aud: SECRETS.jwtAudience });
    await house.restart({ secrets: { jwtAudience: 'another plant' } });
    await expect(house.features.sessions.byAccessToken(accessToken)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
  });
});
