import { describe, expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  filesWith,
  openControlRoom,
  SECOND_MS,
  type ControlRoom,
} from '../../test/house.ts';
import type { App } from '../apps/app.ts';
import type { SignedIn } from './sessions.ts';

const REASON = 'the directory is away and the boiler is not';

interface EmergencyRoom extends ControlRoom {
  readonly code: string;
  open(code?: string, app?: App | null): Promise<SignedIn>;
}

async function openWithEnvelope(): Promise<EmergencyRoom> {
  const room = await openControlRoom();
  const { house } = room;
  const { secret: code } = await house.features.emergency.add({ name: 'Emergency' }, ADMINISTRATOR);
  return {
    ...room,
    code,
    open: (secret = code, app = null) =>
      house.features.sessions.signIn({
        credential: { kind: 'emergency', secret, reason: REASON },
        appId: app?.id ?? null,
        presentation: 'cookie',
        door: DOOR,
      }),
  };
}

describe('the code of an envelope', () => {
  test('signs an administrator in, with the reason on the session', async () => {
    const { house, open } = await openWithEnvelope();
    const { session, cookie } = await open();
    expect(session).toMatchObject({ user: { name: 'Emergency', type: 'Admin' }, emergencyReason: REASON });
    expect(house.features.sessions.byCookie(cookie ?? '')).toEqual(session);
  });

  test('is audited as what it is: who, from where, why, and that the account is sealed anew', async () => {
    const { house, open } = await openWithEnvelope();
    await open();
    const by = { actor: 'Emergency', subject: 'Emergency', address: DOOR.address };
    expect((await house.audit()).slice(-2)).toMatchObject([
      { action: 'sign-in', reason: 'emergency', detail: { emergency: REASON }, ...by },
      { action: 'emergency-sealed', reason: 'used', ...by },
    ]);
  });

  test('is good once, and the answer holds the next', async () => {
    const { open, code } = await openWithEnvelope();
    const { sealed } = await open();
    expect(sealed).toMatchObject({ username: 'Emergency' });
    await expect(open(code)).rejects.toMatchObject({ code: 'sign-in-refused' });
    await open(sealed?.secret);
  });

  test('opens once when it is used twice at the same time', async () => {
    const { open, house } = await openWithEnvelope();
    const outcomes = await Promise.allSettled([open(), open()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(house.features.sessions.list()).toHaveLength(1);
  });

  test('is nowhere on disk, neither the first nor the next', async () => {
    const { house, open, code } = await openWithEnvelope();
    const { sealed } = await open();
    for (const secret of [code, sealed?.secret ?? '']) {
      expect(filesWith(house.folder, secret)).toEqual([]);
      expect(filesWith(house.folder, secret.replaceAll('-', ''))).toEqual([]);
      expect(JSON.stringify(house.log.lines)).not.toContain(secret);
    }
  });

  test('works while the account, the name and the address are locked for passwords', async () => {
    const { house, open } = await openWithEnvelope();
    for (let tries = 0; tries < 60; tries += 1) {
      await house.signIn(tries % 2 ? 'Emergency' : `user ${tries}`, { password: 'a guess' }).catch(() => {});
    }
    await expect(house.signIn('operator')).rejects.toMatchObject({ code: 'too-many-tries' });
    await open();
  });

  test('works where nothing can be recorded any more', async () => {
    const { house, open } = await openWithEnvelope();
    expect((await open()).session.user.name).toBe('Emergency');
    expect(house.story()).toEqual(['Emergency at Keyswitch opened']);
  });

  test('outlives a restart with its reason', async () => {
    const { house, open } = await openWithEnvelope();
    const { session } = await open();
    await house.restart();
    expect(house.features.sessions.byId(session.id)?.emergencyReason).toBe(REASON);
  });

  test('at an app where the account has no rights says so, and stays good', async () => {
    const { house, hmi, open } = await openWithEnvelope();
    await expect(open(undefined, hmi)).rejects.toMatchObject({ code: 'forbidden' });
    const account = await house.features.users.byName('Emergency');
    if (account === null) throw new Error('there is no account');
    await house.features.apps.grant(hmi, account, '9', ADMINISTRATOR);
    expect((await open(undefined, hmi)).session).toMatchObject({ app: { name: 'HMI' }, role: '9' });
  });

  test('of a disabled account opens nothing', async () => {
    const { house, open } = await openWithEnvelope();
    await house.addUser('Ada', { type: 'Admin' });
    await house.features.users.change('Emergency', { enabled: false }, ADMINISTRATOR);
    await expect(open()).rejects.toMatchObject({ code: 'sign-in-refused' });
    expect(await house.lastAudit()).toMatchObject({ reason: 'user-disabled', subject: 'Emergency' });
  });
});

describe('a wrong code', () => {
  const WRONG = '00000-00000-00000-00000-00000';

  test('is refused like a wrong password, and recorded without it', async () => {
    const { house, open } = await openWithEnvelope();
    await expect(open(WRONG)).rejects.toMatchObject({
      code: 'sign-in-refused',
      message: expect.any(String) as string,
    });
    expect(await house.lastAudit()).toMatchObject({
      action: 'sign-in-refused',
      reason: 'wrong-emergency-code',
      subject: null,
      detail: {},
    });
  });

  test('tried without end fills no disk: one row a second tells how many there were', async () => {
    const { house, open } = await openWithEnvelope();
    const before = (await house.audit()).length;
    for (let tries = 0; tries < 50; tries += 1) await open(WRONG).catch(() => {});
    expect(await house.audit()).toHaveLength(before + 1);
    await house.advance(SECOND_MS);
    await open(WRONG).catch(() => {});
    expect(await house.lastAudit()).toMatchObject({ reason: 'wrong-emergency-code', detail: { tries: 50 } });
  });

  test('that cannot be one is called mistyped before anything is looked up', async () => {
    const { house, open } = await openWithEnvelope();
    const before = await house.audit();
    await expect(open('ABC')).rejects.toMatchObject({ code: 'invalid-input', faults: [{ field: 'secret' }] });
    expect(await house.audit()).toEqual(before);
  });
});

describe('an emergency account', () => {
  test('has no password: whatever is typed for its name is refused as for anyone', async () => {
    const { house, code } = await openWithEnvelope();
    for (const password of [code, '', 'a long enough password']) {
      await expect(house.signIn('Emergency', { password })).rejects.toMatchObject({
        code: 'sign-in-refused',
      });
      await house.advance(60 * SECOND_MS);
    }
  });

  test('sealed anew has one good code, the last', async () => {
    const { house, open, code } = await openWithEnvelope();
    const { secret } = await house.features.emergency.seal('Emergency', ADMINISTRATOR);
    expect(await house.lastAudit()).toMatchObject({
      action: 'emergency-sealed',
      actor: 'Ada',
      reason: 'renewed',
    });
    await expect(open(code)).rejects.toMatchObject({ code: 'sign-in-refused' });
    await open(secret);
  });

  test.each(['operator', 'nobody'])('is what only such a one can be sealed as: %s is not', async (name) => {
    const { house } = await openWithEnvelope();
    await expect(house.features.emergency.seal(name, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('takes no name that is taken', async () => {
    const { house } = await openWithEnvelope();
    await expect(house.features.emergency.add({ name: 'operator' }, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'already-exists',
    });
    expect(await house.features.emergency.list()).toHaveLength(1);
  });

  test('is listed with when it was sealed and last used', async () => {
    const { house, open } = await openWithEnvelope();
    const sealedAt = house.clock.now();
    expect(await house.features.emergency.list()).toMatchObject([
      { username: 'Emergency', sealedAt, usedAt: null },
    ]);
    await house.advance(SECOND_MS);
    await open();
    const at = house.clock.now();
    expect(await house.features.emergency.list()).toMatchObject([{ sealedAt: at, usedAt: at }]);
  });
});
