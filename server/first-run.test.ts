import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, DAY_MS, DOOR, filesWith, openHouse, type House } from '../test/house.ts';
import { firstRun, type FirstCredential, type FirstRun } from './first-run.ts';

const run = ({ features }: House, sample = false): Promise<FirstRun> =>
  firstRun(features, { sample, appLogoutTimeInMin: 10 });

const credentialsOf = ({ administrator, sample }: FirstRun): FirstCredential[] => [
  ...(administrator === null ? [] : [administrator]),
  ...(sample?.users ?? []),
];

/** Everything that a first run may make or change. */
async function inventory({ features }: House): Promise<unknown> {
  const { users, apps } = features;
  const granted = await Promise.all(apps.list().map(({ id }) => apps.usersOf(id)));
  const passwords = await features.store.read
    .selectFrom('passwords')
    .selectAll()
    .orderBy('user_id')
    .execute();
  return { users: await users.list(), apps: apps.list(), granted, passwords };
}

describe('the first start', () => {
  test('makes the administrator and the station, and tells the secret of the one', async () => {
    const house = await openHouse();
    const made = await run(house);
    expect(made).toEqual({
      administrator: {
        username: 'Administrator',
        oneTimeSecret: expect.stringMatching(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/) as string,
      },
      sample: null,
    });
    expect(await house.features.users.list()).toMatchObject([
      { name: 'Administrator', type: 'Admin', enabled: true, logoutTimeInMin: null },
    ]);
    expect(house.features.apps.list()).toMatchObject([
      { name: hostname(), station: true, logoutTimeInMin: 10, idleLimitInMin: 5 },
    ]);
  });

  test('is audited as the doing of the host', async () => {
    const house = await openHouse();
    await run(house, true);
    const entries = (await house.audit()).filter(({ action }) => action !== 'signing-key-added');
    expect(entries.map(({ action, subject, app }) => `${action} ${subject ?? app}`)).toEqual([
      `app-added ${hostname()}`,
      'user-added Administrator',
      'app-added HMI',
      'user-added operator',
      'app-user-granted operator',
      'user-added supervisor',
      'app-user-granted supervisor',
    ]);
    for (const entry of entries) expect(entry).toMatchObject({ actor: 'host', door: 'host' });
  });

  test('makes a sample where that is asked for: two users with their data at an app', async () => {
    const house = await openHouse();
    const { sample } = await run(house, true);
    const { users, apps } = house.features;
    const hmi = apps.byName('HMI');
    expect(sample?.app).toEqual({ id: hmi?.id, name: 'HMI' });
    expect(sample?.users.map(({ username }) => username)).toEqual(['operator', 'supervisor']);
    const data = await Promise.all(
      (await apps.usersOf(hmi?.id ?? '')).map(async ({ userId, data }) => [
        (await users.byId(userId))?.name,
        data,
      ]),
    );
    expect(Object.fromEntries(data)).toEqual({ operator: '5', supervisor: '9' });
  });
});

describe('a one-time secret', () => {
  test('must be replaced at the first sign-in', async () => {
    const house = await openHouse();
    for (const { username, oneTimeSecret } of credentialsOf(await run(house, true))) {
      const error = await house
        .signIn(username, { password: oneTimeSecret })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'password-change-required' });
      const { ticket } = error as { ticket: string };
      const password = `the own password of ${username}`;
      await house.features.sessions.changePassword(ticket, password, DOOR);
      await house.signIn(username, { password });
    }
  });

  test('is in no file of the data folder and in no line of the log, used or not', async () => {
    const house = await openHouse();
    const credentials = credentialsOf(await run(house, true));
    expect(credentials).toHaveLength(3);
    await house.signIn('Administrator', { password: credentials[0]?.oneTimeSecret ?? '' }).catch(() => {});
    const expectNoTrace = (): void => {
      for (const { oneTimeSecret } of credentials) {
        expect(filesWith(house.folder, oneTimeSecret)).toEqual([]);
        expect(JSON.stringify(house.log.lines)).not.toContain(oneTimeSecret);
      }
    };
    expectNoTrace();
    await house.restart();
    expectNoTrace();
  });

  test('is good for 24 hours', async () => {
    const house = await openHouse();
    const password = (await run(house)).administrator?.oneTimeSecret ?? '';
    await house.advance(DAY_MS - 1);
    await expect(house.signIn('Administrator', { password })).rejects.toMatchObject({
      code: 'password-change-required',
    });
    await house.advance(1);
    await expect(house.signIn('Administrator', { password })).rejects.toMatchObject({
      code: 'sign-in-refused',
    });
  });
});

describe('repeating it', () => {
  test('makes an administrator where an emergency account is the only one', async () => {
    const house = await openHouse();
    await house.features.emergency.add({ name: 'Administrator' }, ADMINISTRATOR);
    expect((await run(house)).administrator).toMatchObject({ username: 'Administrator 2' });
  });

  test('changes nothing: neither users nor passwords nor apps nor what was granted', async () => {
    const house = await openHouse();
    await run(house, true);
    const [before, audited] = [await inventory(house), (await house.audit()).length];
    expect(await run(house, true)).toEqual({
      administrator: null,
      sample: { users: [], app: { id: expect.any(String) as string, name: 'HMI' } },
    });
    expect(await run(house)).toEqual({ administrator: null, sample: null });
    await house.restart();
    expect(await run(house, true)).toMatchObject({ administrator: null, sample: { users: [] } });
    expect(await inventory(house)).toEqual(before);
    expect(await house.audit()).toHaveLength(audited);
  });

  test('keeps what was changed in the sample, and adds what is missing of it', async () => {
    const house = await openHouse();
    const { users, apps } = house.features;
    const operator = await house.addUser('operator', { displayName: 'Oskar' });
    const hmi = await house.addApp('HMI', { operator: '3' }, 30);
    const { sample } = await run(house, true);
    expect(sample?.users.map(({ username }) => username)).toEqual(['supervisor']);
    expect(await users.byName('operator')).toEqual(operator);
    expect(apps.byName('HMI')).toEqual(hmi);
    expect(await apps.usersOf(hmi.id)).toContainEqual({ appId: hmi.id, userId: operator.id, data: '3' });
    expect(await apps.usersOf(hmi.id)).toHaveLength(2);
    await house.signIn('operator');
  });

  test('makes no administrator where there is one by another name', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    expect(await run(house)).toMatchObject({ administrator: null });
    expect((await house.features.users.list()).map(({ name }) => name)).toEqual(['Ada']);
  });

  test('makes an administrator by a free name where the usual one is taken by somebody who is none', async () => {
    const house = await openHouse();
    const taken = await house.addUser('Administrator', { type: 'Active' });
    const { administrator } = await run(house);
    expect(administrator?.username).toBe('Administrator 2');
    expect(await house.features.users.byName('Administrator')).toEqual(taken);
    expect(await house.features.users.byName('Administrator 2')).toMatchObject({
      type: 'Admin',
      enabled: true,
    });
    expect(await run(house)).toMatchObject({ administrator: null });
  });

  test('makes one station, by a free name where an app has that of the machine', async () => {
    const house = await openHouse();
    const taken = await house.addApp(hostname());
    const alsoTaken = await house.addApp(`${hostname()} station`);
    await run(house);
    await run(house);
    const { apps } = house.features;
    expect(apps.list().filter(({ station }) => station)).toEqual([apps.station()]);
    expect(apps.list()).toHaveLength(3);
    for (const app of [taken, alsoTaken]) expect(apps.byId(app.id)).toEqual(app);
    await apps.add({ name: 'Boiler', logoutTimeInMin: 10 }, ADMINISTRATOR);
  });
});

describe("Jube's preset", () => {
  const runJube = ({ features }: House): Promise<FirstRun> =>
    firstRun(features, { sample: false, preset: 'jube', appLogoutTimeInMin: 10 });
  const signIn = (house: House) => house.signIn('Administrator', { password: 'Administrator' });

  test("makes Jube's administrator, whose secret is good for replacing it alone", async () => {
    const house = await openHouse();
    expect(await runJube(house)).toEqual({
      administrator: { username: 'Administrator', oneTimeSecret: 'Administrator' },
      sample: null,
    });
    await expect(signIn(house)).rejects.toMatchObject({
      code: 'password-change-required',
      ticket: expect.any(String) as string,
    });
    const added = (await house.audit()).find(({ action }) => action === 'user-added');
    expect(added).toMatchObject({
      subject: 'Administrator',
      detail: { type: 'Admin', credential: 'preset' },
    });
  });

  test('gives it a day: all the world knows that secret', async () => {
    const house = await openHouse();
    await runJube(house);
    await house.advance(DAY_MS - 1);
    await expect(signIn(house)).rejects.toMatchObject({ code: 'password-change-required' });
    await house.advance(1);
    await expect(signIn(house)).rejects.toMatchObject({ code: 'sign-in-refused' });
  });

  test('makes nothing where an administrator can sign in', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    expect(await runJube(house)).toEqual({ administrator: null, sample: null });
    expect(await house.features.users.byName('Administrator')).toBeNull();
  });
});
