import { describe, expect, test } from 'vitest';
import { ADMINISTRATOR, DOOR, openControlRoom, type ControlRoom } from '../../test/house.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createPlcDoor, type PlcDoor } from './door.ts';

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
    expect(door.current(hmi.id)?.value).toBe(9);
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
    expect(door.current(hmi.id)?.value).toBe(99);
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
    expect(door.current(hmi.id)?.value).toBe(5);
    expect(await door.signIn(hmi.id, 6, LINK)).toBe('signed-in');
    expect(door.current(hmi.id)?.value).toBe(6);
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
  expect(door.current(hmi.id)).toMatchObject({ name: 'operator', value: expected });
});

test('nobody is nobody', async () => {
  const { hmi, door } = await openDoor();
  expect(door.current(hmi.id)).toBeNull();
});

test('the current user has a name, a value and the time of the sign-in', async () => {
  const { house, hmi, door } = await openDoor();
  const { session } = await house.signIn('operator', { app: hmi });
  expect(door.current(hmi.id)).toEqual({ name: 'operator', value: 5, signedInAt: session.openedAt });
});

describe('a user who is only to fill the gap', () => {
  const FILL_IN = { ...LINK, onlyIfNobody: true };

  test('is signed in while nobody is', async () => {
    const { hmi, door } = await openDoor();
    expect(await door.signIn(hmi.id, 5, FILL_IN)).toBe('signed-in');
    expect(door.current(hmi.id)?.name).toBe('operator');
  });

  test('leaves whoever is signed in where they are', async () => {
    const { house, hmi, door } = await openDoor();
    const { session } = await house.signIn('supervisor', { app: hmi });
    const audited = (await house.audit()).length;
    expect(await door.signIn(hmi.id, 5, FILL_IN)).toBe('unchanged');
    expect(house.features.sessions.ofApp(hmi.id)).toEqual(session);
    expect(await house.audit()).toHaveLength(audited);
  });

  test('leaves whoever signs in at the same instant, and the audit trail tells', async () => {
    const { house, hmi, supervisor } = await openDoor();
    const { features, log } = house;
    const sessions: Sessions = {
      ...features.sessions,
      async signIn(request) {
        await house.plcSignIn(supervisor, hmi);
        return features.sessions.signIn(request);
      },
    };
    const door = createPlcDoor({ ...features, sessions, log });
    expect(await door.signIn(hmi.id, 5, FILL_IN)).toBe('unchanged');
    expect(features.sessions.ofApp(hmi.id)?.user.name).toBe('supervisor');
    expect(house.story()).toEqual(['supervisor at HMI opened']);
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      actor: 'PLC link L1',
      subject: 'operator',
      app: 'HMI',
      reason: 'app-taken',
    });
  });
});

describe('whom a value means', () => {
  /** The name once it is known: the store answers in turn. */
  async function nameOf({ door, hmi }: Awaited<ReturnType<typeof openDoor>>, value: number) {
    door.nameOf(hmi.id, value);
    await door.findName(hmi.id, value);
    return door.nameOf(hmi.id, value);
  }

  test('is looked up once, and told when it is known', async () => {
    const room = await openDoor();
    let told = 0;
    room.door.onNames(() => (told += 1));
    expect(room.door.nameOf(room.hmi.id, 5)).toBeNull();
    expect(await nameOf(room, 5)).toBe('operator');
    expect(told).toBe(1);
  });

  test.each([
    ['nobody', 7],
    ['several', 9],
  ])('is no name where it is %s', async (_who, value) => {
    const room = await openDoor();
    await room.house.features.apps.grant(room.hmi, room.operator, '9', ADMINISTRATOR);
    expect(await nameOf(room, value)).toBeNull();
    expect(await room.door.findName(room.hmi.id, value)).toBeNull();
  });

  test('follows the users of the app, and keeps the old name until the new one is known', async () => {
    const room = await openDoor();
    const { house, door, hmi, operator, supervisor } = room;
    expect(await nameOf(room, 5)).toBe('operator');
    const seen: (string | null)[] = [];
    door.onNames(() => seen.push(door.nameOf(hmi.id, 5)));
    await house.features.apps.grant(hmi, operator, '6', ADMINISTRATOR);
    expect(await nameOf(room, 5)).toBeNull();
    await house.features.apps.grant(hmi, supervisor, '5', ADMINISTRATOR);
    expect(await nameOf(room, 5)).toBe('supervisor');
    await house.features.users.change('supervisor', { enabled: false }, ADMINISTRATOR);
    expect(await nameOf(room, 5)).toBeNull();
    expect(seen.filter((name, at) => name !== seen[at - 1])).toEqual([
      ...['operator', null, 'supervisor', null],
    ]);
  });

  test('is found in the store at once', async () => {
    const { hmi, door } = await openDoor();
    expect(await door.findName(hmi.id, 9)).toBe('supervisor');
  });
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
  const stop = door.follow(hmi.id, (user) => heard.push(user?.value ?? null));
  await house.signIn('operator', { app: hmi });
  await house.signIn('operator', { app: boiler });
  await door.signIn(hmi.id, 9, LINK);
  await house.features.sessions.endAtApp(hmi.id, 'signed-out', DOOR);
  stop();
  await house.signIn('operator', { app: hmi });
  expect(heard).toEqual([null, 5, 9, null]);
});

test('a failure of the store is no refusal', async () => {
  const { house, hmi, door } = await openDoor();
  await house.restart();
  await expect(door.signIn(hmi.id, 5, LINK)).rejects.toMatchObject({ code: 'SQLITE_MISUSE' });
});
