import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, filesWith, openHouse } from '../../test/house.ts';

describe('adding an app', () => {
  test('tells its key once, and keeps it as a hash only', async () => {
    const house = await openHouse();
    const { apps, store } = house.features;
    const { app, key } = await apps.add({ name: 'HMI', logoutTimeInMin: 10 }, ADMINISTRATOR);
    expect(app).toMatchObject({ name: 'HMI', logoutTimeInMin: 10, station: false });
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    const row = await store.read.selectFrom('apps').selectAll().executeTakeFirstOrThrow();
    expect(row.key_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(filesWith(house.folder, key)).toEqual([]);
  });

  test('announces and audits it, without its key', async () => {
    const house = await openHouse();
    const { app, key } = await house.features.apps.add({ name: 'HMI', logoutTimeInMin: 7 }, ADMINISTRATOR);
    expect(house.events).toEqual([{ name: 'AppChanged', app }]);
    const entry = await house.lastAudit();
    expect(entry).toMatchObject({
      action: 'app-added',
      actor: ADMINISTRATOR.name,
      app: 'HMI',
      address: ADMINISTRATOR.address,
      detail: { logoutTimeInMin: 7 },
    });
    expect(JSON.stringify(entry)).not.toContain(key);
  });

  test('refuses a name that is taken, and the one who has it keeps its key', async () => {
    const house = await openHouse();
    const { apps } = house.features;
    const { app, key } = await apps.add({ name: 'HMI', logoutTimeInMin: 10 }, ADMINISTRATOR);
    await expect(apps.add({ name: 'HMI', logoutTimeInMin: 5 }, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'already-exists',
    });
    expect(apps.list()).toEqual([app]);
    expect(apps.keyMatches(app.id, key)).toBe(true);
  });

  test('keeps names apart that differ in letter case', async () => {
    const house = await openHouse();
    const upper = await house.addApp('HMI');
    const lower = await house.addApp('hmi');
    expect(house.features.apps.byName('HMI')).toEqual(upper);
    expect(house.features.apps.byName('hmi')).toEqual(lower);
    expect(house.features.apps.byName('Hmi')).toBeNull();
  });
});

describe('changing an app', () => {
  test('is audited with what was and what is, announced, and on disk', async () => {
    const house = await openHouse();
    const { app, key } = await house.features.apps.add({ name: 'HMI', logoutTimeInMin: 7 }, ADMINISTRATOR);
    const changed = await house.features.apps.change(app.id, { idleLimitInMin: 2 }, ADMINISTRATOR);
    expect(changed).toEqual({ ...app, idleLimitInMin: 2 });
    expect(house.events.at(-1)).toEqual({ name: 'AppChanged', app: changed });
    expect(await house.lastAudit()).toMatchObject({
      action: 'app-changed',
      actor: ADMINISTRATOR.name,
      app: 'HMI',
      detail: { before: { idleLimitInMin: null }, after: { idleLimitInMin: 2 } },
    });
    await house.restart();
    expect(house.features.apps.byId(app.id)).toEqual(changed);
    expect(house.features.apps.keyMatches(app.id, key)).toBe(true);
  });

  test('of two at the same time keeps both', async () => {
    const house = await openHouse();
    const { id } = await house.addApp('HMI');
    const { apps } = house.features;
    await Promise.all([
      apps.change(id, { idleLimitInMin: 2 }, ADMINISTRATOR),
      apps.change(id, { logoutTimeInMin: 20 }, ADMINISTRATOR),
    ]);
    expect(apps.byId(id)).toMatchObject({ idleLimitInMin: 2, logoutTimeInMin: 20 });
  });

  test('refuses an id that no app has', async () => {
    const house = await openHouse();
    const change = house.features.apps.change('no app', { idleLimitInMin: 2 }, ADMINISTRATOR);
    await expect(change).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('finding an app', () => {
  test('takes its id in any letter case', async () => {
    const house = await openHouse();
    const app = await house.addApp('HMI');
    expect(house.features.apps.byId(app.id)).toEqual(app);
    expect(house.features.apps.byId(app.id.toUpperCase())).toEqual(app);
    expect(house.features.apps.byId('00000000-0000-4000-8000-000000000000')).toBeNull();
  });

  test('works the same after a restart', async () => {
    const house = await openHouse();
    const { app, key } = await house.features.apps.add({ name: 'HMI', logoutTimeInMin: 10 }, ADMINISTRATOR);
    await house.addApp('Boiler');
    await house.restart();
    const { apps } = house.features;
    expect(apps.list().map(({ name }) => name)).toEqual(['Boiler', 'HMI']);
    expect(apps.byId(app.id)).toEqual(app);
    expect(apps.keyMatches(app.id, key)).toBe(true);
  });

  test('tells the station from other apps', async () => {
    const house = await openHouse();
    await house.addApp('HMI');
    expect(house.features.apps.station()).toBeNull();
    const { app } = await house.features.apps.add(
      { name: 'desk', logoutTimeInMin: 10, station: true },
      ADMINISTRATOR,
    );
    expect(house.features.apps.station()).toEqual(app);
  });
});

test('a key matches its own app alone', async () => {
  const house = await openHouse();
  const { apps } = house.features;
  const hmi = await apps.add({ name: 'HMI', logoutTimeInMin: 10 }, ADMINISTRATOR);
  const boiler = await apps.add({ name: 'Boiler', logoutTimeInMin: 10 }, ADMINISTRATOR);
  const { key } = hmi;
  const cases: [string, string, boolean][] = [
    [hmi.app.id, key, true],
    [hmi.app.id.toUpperCase(), key, true],
    [boiler.app.id, key, false],
    ['no app', key, false],
    [hmi.app.id, '', false],
    [hmi.app.id, key.slice(0, -1), false],
    [hmi.app.id, `${key}A`, false],
    [hmi.app.id, key.toUpperCase(), false],
  ];
  for (const [id, candidate, expected] of cases) expect(apps.keyMatches(id, candidate)).toBe(expected);
});

describe('who may use an app', () => {
  test('is granted with the data the app is told, changed in place and audited', async () => {
    const house = await openHouse();
    const user = await house.addUser('operator');
    const app = await house.addApp('HMI');
    const { apps } = house.features;
    await apps.grant(app, user, '5', ADMINISTRATOR);
    await apps.grant(app, user, '9', ADMINISTRATOR);
    expect(await apps.usersOf(app.id)).toEqual([{ appId: app.id, userId: user.id, data: '9' }]);
    const entries = (await house.audit()).filter(({ action }) => action === 'app-user-granted');
    expect(entries).toMatchObject([
      { actor: ADMINISTRATOR.name, subject: 'operator', app: 'HMI', detail: { before: null, after: '5' } },
      { actor: ADMINISTRATOR.name, subject: 'operator', app: 'HMI', detail: { before: '5', after: '9' } },
    ]);
    expect(house.events.slice(-2)).toEqual([
      { name: 'AppChanged', app },
      { name: 'AppChanged', app },
    ]);
  });

  test('is told of nobody else, and at the station of everybody', async () => {
    const house = await openHouse();
    const operator = await house.addUser('operator');
    const admin = await house.addUser('Ada', { type: 'Admin' });
    const hmi = await house.addApp('HMI', { operator: '5' });
    const { apps, store } = house.features;
    const { app: desk } = await apps.add({ name: 'desk', logoutTimeInMin: 10, station: true }, ADMINISTRATOR);
    expect(await apps.roleOf(store.read, hmi, operator)).toBe('5');
    expect(await apps.roleOf(store.read, hmi, admin)).toBeNull();
    expect(await apps.roleOf(store.read, desk, operator)).toBe('Active');
    expect(await apps.roleOf(store.read, desk, admin)).toBe('Admin');
    await apps.grant(desk, operator, '7', ADMINISTRATOR);
    expect(await apps.roleOf(store.read, desk, operator)).toBe('7');
  });

  test('may be granted empty data, which is a leave all the same', async () => {
    const house = await openHouse();
    const operator = await house.addUser('operator');
    const hmi = await house.addApp('HMI', { operator: '' });
    expect(await house.features.apps.roleOf(house.features.store.read, hmi, operator)).toBe('');
    expect(await house.signIn('operator', { app: hmi })).toMatchObject({ session: { role: '' } });
  });
});
