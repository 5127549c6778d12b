import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, openHouse, PASSWORD } from '../../test/house.ts';

describe('adding a user', () => {
  test('keeps what was given and announces it', async () => {
    const house = await openHouse();
    const user = await house.addUser('operator', { displayName: ' Olivia Operator ', logoutTimeInMin: 5 });
    expect(user).toMatchObject({
      name: 'operator',
      displayName: 'Olivia Operator',
      type: 'Active',
      enabled: true,
      logoutTimeInMin: 5,
    });
    expect(await house.features.users.list()).toEqual([user]);
    expect(await house.features.users.byName('operator')).toEqual(user);
    expect(await house.features.users.byId(user.id)).toEqual(user);
    expect(house.events).toEqual([{ name: 'UserChanged', user }]);
  });

  test.each([undefined, '', '   '])('shows the name where the display name is %j', async (displayName) => {
    const house = await openHouse();
    expect(await house.addUser('operator', { displayName })).toMatchObject({ displayName: 'operator' });
  });

  test('keeps names apart that differ in letter case, and lists them all', async () => {
    const house = await openHouse();
    await house.addUser('operator');
    await house.addUser('Operator', { password: 'another long password' });
    const { users } = house.features;
    expect((await users.list()).map(({ name }) => name)).toEqual(['Operator', 'operator']);
    expect((await users.byName('operator'))?.id).not.toBe((await users.byName('Operator'))?.id);
    expect(await users.byName('OPERATOR')).toBeNull();
    await expect(house.signIn('Operator')).rejects.toMatchObject({ code: 'sign-in-refused' });
    await house.signIn('operator');
  });

  test('refuses a name that is taken, and keeps the password of the one who has it', async () => {
    const house = await openHouse();
    await house.addUser('operator');
    await expect(house.addUser('operator', { password: 'another long password' })).rejects.toMatchObject({
      code: 'already-exists',
    });
    await house.signIn('operator', { password: PASSWORD });
    expect(await house.features.users.list()).toHaveLength(1);
  });

  test('of two at once with one name adds one', async () => {
    const house = await openHouse();
    const outcomes = await Promise.allSettled([house.addUser('operator'), house.addUser('operator')]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(house.events.map(({ name }) => name)).toEqual(['UserChanged']);
  });

  test('refuses a password that breaks the policy, and adds nobody', async () => {
    const house = await openHouse();
    await expect(house.addUser('operator', { password: 'u$7qx' })).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: [expect.objectContaining({ field: 'password', rule: 'min-length' })],
    });
    expect(await house.features.users.list()).toEqual([]);
    expect((await house.audit()).filter(({ action }) => action === 'user-added')).toEqual([]);
  });

  test('is audited with its actor, without a word of the password', async () => {
    const house = await openHouse();
    await house.addUser('operator', { logoutTimeInMin: 5 });
    expect(await house.lastAudit()).toMatchObject({
      at: house.clock.now(),
      action: 'user-added',
      actor: ADMINISTRATOR.name,
      subject: 'operator',
      door: ADMINISTRATOR.door,
      address: ADMINISTRATOR.address,
      detail: { type: 'Active', logoutTimeInMin: 5 },
    });
  });
});

describe('changing a user', () => {
  test('keeps the change and announces it', async () => {
    const house = await openHouse();
    const before = await house.addUser('operator');
    const change = { displayName: 'Olivia', type: 'Admin', enabled: false, logoutTimeInMin: 3 } as const;
    const user = await house.features.users.change('operator', change, ADMINISTRATOR);
    expect(user).toEqual({ ...before, ...change });
    expect(await house.features.users.byId(before.id)).toEqual(user);
    expect(house.events.at(-1)).toEqual({ name: 'UserChanged', user });
  });

  test('is audited with the values before and after, of what was changed alone', async () => {
    const house = await openHouse();
    await house.addUser('operator', { logoutTimeInMin: 5 });
    await house.features.users.change('operator', { type: 'Passive', logoutTimeInMin: null }, ADMINISTRATOR);
    expect(await house.lastAudit()).toMatchObject({
      action: 'user-changed',
      actor: ADMINISTRATOR.name,
      subject: 'operator',
      detail: {
        before: { type: 'Active', logoutTimeInMin: 5 },
        after: { type: 'Passive', logoutTimeInMin: null },
      },
    });
  });

  test.each(['nobody', 'Operator'])('refuses the name %s, which nobody has', async (name) => {
    const house = await openHouse();
    await house.addUser('operator');
    await expect(house.features.users.change(name, { enabled: false }, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(house.events).toHaveLength(1);
  });
});

describe('the last enabled administrator', () => {
  test('is not an emergency account, which is for another day', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    await house.features.emergency.add({ name: 'Envelope' }, ADMINISTRATOR);
    await expect(house.features.users.change('Ada', { enabled: false }, ADMINISTRATOR)).rejects.toMatchObject(
      { code: 'invalid-input', faults: [{ field: 'enabled' }] },
    );
    await house.features.users.change('Envelope', { enabled: false }, ADMINISTRATOR);
  });

  const LOCK_OUT = [
    ['disabled', { enabled: false }, 'enabled'],
    ['made a user like any other', { type: 'Active' }, 'type'],
    ['made passive', { type: 'Passive' }, 'type'],
  ] as const;

  test.each(LOCK_OUT)('cannot be %s, and nothing is changed or audited', async (_name, change, field) => {
    const house = await openHouse();
    const admin = await house.addUser('Ada', { type: 'Admin' });
    const disabled = await house.addUser('Adam', { type: 'Admin' });
    await house.features.users.change('Adam', { enabled: false }, ADMINISTRATOR);
    const audited = (await house.audit()).length;
    await expect(house.features.users.change('Ada', change, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'invalid-input',
      faults: [{ field }],
    });
    expect(await house.features.users.byId(admin.id)).toEqual(admin);
    expect(await house.features.users.byId(disabled.id)).toMatchObject({ enabled: false });
    expect(await house.audit()).toHaveLength(audited);
  });

  test.each(LOCK_OUT)('can be %s once there is another', async (_name, change) => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    await house.addUser('Adam', { type: 'Admin' });
    expect(await house.features.users.change('Ada', change, ADMINISTRATOR)).toMatchObject(change);
  });

  test('stays when two are demoted at once', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    await house.addUser('Adam', { type: 'Admin' });
    const outcomes = await Promise.allSettled(
      ['Ada', 'Adam'].map((name) => house.features.users.change(name, { type: 'Active' }, ADMINISTRATOR)),
    );
    expect(outcomes).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'invalid-input' } }]);
  });

  test('may change whatever else there is', async () => {
    const house = await openHouse();
    await house.addUser('Ada', { type: 'Admin' });
    const change = { displayName: 'Ada L.', logoutTimeInMin: 1 };
    expect(await house.features.users.change('Ada', change, ADMINISTRATOR)).toMatchObject(change);
  });
});
