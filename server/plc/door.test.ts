import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, DOOR, openControlRoom, type ControlRoom } from '../../test/house.ts';
import { createPlcDoor } from './door.ts';
import type { PlcDoor } from './link.ts';

const LINK = { allowAdmin: false, linkId: 'L1' };

/** A control room and the door of its PLCs. */
async function openDoor(): Promise<ControlRoom & { readonly door: PlcDoor }> {
  const room = await openControlRoom();
  const { features, log } = room.house;
  return { ...room, door: createPlcDoor({ ...features, log }) };
}

describe('a value', () => {
  test('signs in the user whose data it is, audited as the doing of the link', async () => {
    const { house, hmi, door } = await openDoor();
    expect(await door.signIn(hmi.id, 9, LINK)).toBe('signed-in');
    expect(door.currentValue(hmi.id)).toBe(9);
    expect(house.features.sessions.ofApp(hmi.id)).toMatchObject({ user: { name: 'supervisor' }, role: '9' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in',
      actor: 'PLC link L1',
      subject: 'supervisor',
      app: 'HMI',
      door: 'plc',
      address: null,
      reason: 'plc',
    });
  });

  test('takes the place of whoever is signed in', async () => {
    const { house, hmi, door } = await openDoor();
    await house.signIn('operator', { app: hmi });
    house.story();
    expect(await door.signIn(hmi.id, 9, LINK)).toBe('signed-in');
    expect(house.story()).toEqual([
      'operator at HMI ended: replaced, then supervisor',
      'supervisor at HMI opened',
    ]);
  });

  test('that is the current one already changes nothing', async () => {
    const { house, hmi, door } = await openDoor();
    const { session } = await house.signIn('operator', { app: hmi });
    const audited = (await house.audit()).length;
    expect(await door.signIn(hmi.id, 5, LINK)).toBe('unchanged');
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(session);
    expect(await house.audit()).toHaveLength(audited);
  });

  test.each([0, 7, 50, 4_294_967_295])('that belongs to nobody is unknown: %d', async (value) => {
    const { house, hmi, door } = await openDoor();
    const { session } = await house.signIn('operator', { app: hmi });
    expect(await door.signIn(hmi.id, value, LINK)).toBe('unknown');
    expect(house.features.sessions.list()).toEqual([session]);
  });

  test('is looked for at its own app alone', async () => {
    const { boiler, door } = await openDoor();
    expect(await door.signIn(boiler.id, 5, LINK)).toBe('unknown');
    expect(await door.signIn('no app', 5, LINK)).toBe('unknown');
  });

  test('that belongs to several users signs in none of them, and the log says so', async () => {
    const { house, hmi, supervisor, door } = await openDoor();
    await house.features.apps.grant(hmi, supervisor, '05', ADMINISTRATOR);
    expect(await door.signIn(hmi.id, 5, LINK)).toBe('barred');
    expect(house.features.sessions.list()).toEqual([]);
    expect(house.log.lines).toMatchObject([{ level: 'warn', link: 'L1', value: 5 }]);
  });

  test('signs in the one of several who is enabled', async () => {
    const { house, hmi, supervisor, door } = await openDoor();
    await house.features.apps.grant(hmi, supervisor, '5', ADMINISTRATOR);
    await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
    expect(await door.signIn(hmi.id, 5, LINK)).toBe('signed-in');
    expect(house.features.sessions.ofApp(hmi.id)?.user.name).toBe('supervisor');
  });

  test('of a disabled user is unknown', async () => {
    const { house, hmi, door } = await openDoor();
    await house.features.users.change('operator', { enabled: false }, ADMINISTRATOR);
    expect(await door.signIn(hmi.id, 5, LINK)).toBe('unknown');
    expect(house.features.sessions.list()).toEqual([]);
  });

  test('signs in an administrator only where the link allows it', async () => {
    const { house, hmi, door } = await openDoor();
    const admin = await house.addUser('Ada', { type: 'Admin' });
    await house.features.apps.grant(hmi, admin, '99', ADMINISTRATOR);
    const { session } = await house.signIn('operator', { app: hmi });
    expect(await door.signIn(hmi.id, 99, LINK)).toBe('barred');
    expect(house.features.sessions.list()).toEqual([session]);
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      actor: 'PLC link L1',
      subject: 'Ada',
      app: 'HMI',
      reason: 'admin-barred-from-plc',
    });
    expect(await door.signIn(hmi.id, 99, { ...LINK, allowAdmin: true })).toBe('signed-in');
    expect(door.currentValue(hmi.id)).toBe(99);
  });

  test('may sign in a passive user', async () => {
    const { house, hmi, door } = await openDoor();
    const visitor = await house.addUser('visitor', { type: 'Passive' });
    await house.features.apps.grant(hmi, visitor, '1', ADMINISTRATOR);
    expect(await door.signIn(hmi.id, 1, LINK)).toBe('signed-in');
  });

  test('of the current user who was given another one since opens a session with the new', async () => {
    const { house, hmi, operator, door } = await openDoor();
    await house.signIn('operator', { app: hmi });
    await house.features.apps.grant(hmi, operator, '6', ADMINISTRATOR);
    expect(door.currentValue(hmi.id)).toBe(5);
    expect(await door.signIn(hmi.id, 6, LINK)).toBe('signed-in');
    expect(door.currentValue(hmi.id)).toBe(6);
  });
});

test.each([
  ['5', 5],
  ['0', 0],
  ['007', 7],
  ['4294967295', 4_294_967_295],
  ['', null],
  ['Supervisor', null],
  ['-5', null],
  ['5.0', null],
  ['5e3', null],
  ['0x5', null],
  [' 5', null],
  ['٥', null],
  ['12345678901', null],
])('data %j are the value %s', async (data, expected) => {
  const { house, hmi, operator, door } = await openDoor();
  await house.features.apps.grant(hmi, operator, data, ADMINISTRATOR);
  await house.signIn('operator', { app: hmi });
  expect(door.currentValue(hmi.id)).toBe(expected);
  expect(door.isSignedIn(hmi.id)).toBe(true);
});

test('nobody has no value', async () => {
  const { hmi, door } = await openDoor();
  expect(door.currentValue(hmi.id)).toBeNull();
  expect(door.isSignedIn(hmi.id)).toBe(false);
});

test('the default value signs out whoever is there, audited as the doing of the link', async () => {
  const { house, hmi, boiler, door } = await openDoor();
  await house.signIn('operator', { app: hmi });
  const elsewhere = await house.signIn('operator', { app: boiler });
  await door.signOut(hmi.id, 'L1');
  expect(house.features.sessions.list()).toEqual([elsewhere.session]);
  expect(await house.lastAudit()).toMatchObject({
    action: 'session-ended',
    actor: 'PLC link L1',
    subject: 'operator',
    app: 'HMI',
    door: 'plc',
    reason: 'plc',
  });
  const audited = (await house.audit()).length;
  await door.signOut(hmi.id, 'L1');
  expect(await house.audit()).toHaveLength(audited);
});

test('a link hears of every change at its app, from whichever side, and of no other', async () => {
  const { house, hmi, boiler, door } = await openDoor();
  const heard: (number | null)[] = [];
  const stop = door.onChange(hmi.id, () => heard.push(door.currentValue(hmi.id)));
  await house.signIn('operator', { app: hmi });
  await house.signIn('operator', { app: boiler });
  await door.signIn(hmi.id, 9, LINK);
  await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR);
  stop();
  await house.signIn('operator', { app: hmi });
  expect(heard).toEqual([5, 9, null]);
});

test('a failure of the store is no refusal', async () => {
  const { house, hmi, door } = await openDoor();
  await house.restart();
  await expect(door.signIn(hmi.id, 5, LINK)).rejects.toMatchObject({ code: 'SQLITE_MISUSE' });
});
