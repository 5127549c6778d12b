import { describe, expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DAY_MS,
  DOOR,
  filesWith,
  openControlRoom,
  PASSWORD,
  SECOND_MS,
  type ControlRoom,
  type HouseOptions,
} from '../../test/house.ts';
import type { Session } from './session.ts';

const NEW_PASSWORD = 'the password of my own choice';

interface SignedInRoom extends ControlRoom {
  readonly own: Session;
  change(newPassword?: string, currentPassword?: string): Promise<void>;
}

/** The operator signed in at a browser, with a further session at the HMI. */
async function openSignedIn(options?: HouseOptions): Promise<SignedInRoom> {
  const room = await openControlRoom(options);
  const { house, hmi } = room;
  await house.signIn('operator', { app: hmi });
  const { session: own } = await house.signIn('operator');
  const door = { ...DOOR, name: 'operator' };
  house.story();
  return {
    ...room,
    own,
    change: (newPassword = NEW_PASSWORD, currentPassword = PASSWORD) =>
      house.features.sessions.changeOwnPassword(own, currentPassword, newPassword, door),
  };
}

describe("replacing one's own password", () => {
  test('makes the new one the only one', async () => {
    const { house, change } = await openSignedIn();
    await change();
    await expect(house.signIn('operator')).rejects.toMatchObject({ code: 'sign-in-refused' });
    await house.signIn('operator', { password: NEW_PASSWORD });
  });

  test('ends every other session of the user, and leaves this one and those of others', async () => {
    const { house, boiler, own, change } = await openSignedIn();
    const { session: other } = await house.signIn('supervisor', { app: boiler });
    house.story();
    await change();
    expect(house.story()).toEqual(['operator at HMI ended: password-changed']);
    expect(new Set(house.features.sessions.list())).toEqual(new Set([own, other]));
  });

  test('is audited, and neither password is anywhere on disk or in the log', async () => {
    const { house, change } = await openSignedIn();
    await change();
    const by = { actor: 'operator', subject: 'operator', address: DOOR.address };
    expect((await house.audit()).slice(-2)).toMatchObject([
      { action: 'password-changed', ...by },
      { action: 'session-ended', reason: 'password-changed', ...by },
    ]);
    for (const secret of [PASSWORD, NEW_PASSWORD]) {
      expect(filesWith(house.folder, secret)).toEqual([]);
      expect(JSON.stringify(house.log.lines)).not.toContain(secret);
    }
  });

  test.each([
    ['a wrong current password', NEW_PASSWORD, 'not the present one', 'sign-in-refused'],
    ['a new one that is too short', 'short', PASSWORD, 'password-unacceptable'],
    ['the present one again', PASSWORD, PASSWORD, 'password-unacceptable'],
  ])('is refused for %s, which changes and ends nothing', async (_what, wanted, current, code) => {
    const { house, change } = await openSignedIn();
    await expect(change(wanted, current)).rejects.toMatchObject({ code });
    expect(house.story()).toEqual([]);
    expect(await house.lastAudit()).toMatchObject({ action: 'password-change-refused', subject: 'operator' });
    await house.signIn('operator');
  });

  test('counts wrong tries like those at the door: whoever found a screen open does not guess for ever', async () => {
    const { house, change } = await openSignedIn();
    for (let tries = 0; tries < 3; tries += 1) await change(NEW_PASSWORD, 'a guess').catch(() => {});
    await expect(change(NEW_PASSWORD, 'another guess')).rejects.toMatchObject({
      code: expect.stringMatching(/sign-in-refused|too-many-tries/) as string,
      retryAfterSec: expect.any(Number) as number,
    });
    await expect(change()).rejects.toMatchObject({ code: 'too-many-tries' });
    expect(house.features.sessions.list()).toHaveLength(2);
  });

  test('records tries that were not even looked at, one row a second for all of them', async () => {
    const { house, change } = await openSignedIn();
    for (let tries = 0; tries < 3; tries += 1) await change(NEW_PASSWORD, 'a guess').catch(() => {});
    const before = (await house.audit()).length;
    const unchecked = async () => {
      await expect(change()).rejects.toMatchObject({ code: 'too-many-tries' });
    };
    for (let tries = 0; tries < 3; tries += 1) await unchecked();
    const row = {
      action: 'password-change-refused',
      actor: 'operator',
      subject: 'operator',
      reason: 'too-many-tries',
    };
    expect((await house.audit()).slice(before)).toMatchObject([{ ...row, detail: {} }]);
    // The delay after the third wrong one is a second; another one makes it longer.
    await house.advance(SECOND_MS);
    await change(NEW_PASSWORD, 'a guess').catch(() => {});
    await unchecked();
    expect(await house.lastAudit()).toMatchObject({ ...row, detail: { tries: 3 } });
  });

  test('is not done twice by two at once with the same current password', async () => {
    const { house, change } = await openSignedIn();
    const wanted = ['the first of two passwords', 'the second of two passwords'];
    const outcomes = await Promise.allSettled(wanted.map((password) => change(password)));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    await house.signIn('operator', { password: wanted[winner] ?? '' });
  });

  test('waits for the minimum age, which a forced change does not know', async () => {
    const { house, change } = await openSignedIn({ config: { passwords: { preset: 'part11' } } });
    await expect(change()).rejects.toMatchObject({
      code: 'password-unacceptable',
      faults: [expect.objectContaining({ rule: 'min-age' })],
    });
    await house.advance(DAY_MS);
  });
});

describe("an administrator's reset", () => {
  const reset = ({ house }: ControlRoom) => house.features.sessions.resetPassword('operator', ADMINISTRATOR);

  test('makes a secret that opens nothing but the way to replace it', async () => {
    const room = await openSignedIn();
    const { oneTimeSecret } = await reset(room);
    await expect(room.house.signIn('operator')).rejects.toMatchObject({ code: 'sign-in-refused' });
    const error = (await room.house
      .signIn('operator', { password: oneTimeSecret })
      .catch((thrown: unknown) => thrown)) as { ticket: string };
    expect(error).toMatchObject({ code: 'password-change-required', why: 'one-time-secret' });
    await room.house.features.sessions.changePassword(error.ticket, NEW_PASSWORD, DOOR);
    await room.house.signIn('operator', { password: NEW_PASSWORD });
  });

  test('ends every session of the user', async () => {
    const room = await openSignedIn();
    await reset(room);
    expect(room.house.story().toSorted()).toEqual([
      'operator at HMI ended: password-reset',
      'operator at Keyswitch ended: password-reset',
    ]);
  });

  test('is good for 24 hours', async () => {
    const room = await openSignedIn();
    const first = await reset(room);
    expect(first.expiresAt).toBe(room.house.clock.now() + DAY_MS);
    await room.house.advance(DAY_MS - 1);
    await expect(room.house.signIn('operator', { password: first.oneTimeSecret })).rejects.toMatchObject({
      code: 'password-change-required',
    });
    await room.house.advance(1);
    await expect(room.house.signIn('operator', { password: first.oneTimeSecret })).rejects.toMatchObject({
      code: 'sign-in-refused',
    });
  });

  test('is audited without the secret, which is nowhere on disk', async () => {
    const room = await openSignedIn();
    const { oneTimeSecret } = await reset(room);
    expect(await room.house.audit()).toContainEqual(
      expect.objectContaining({ action: 'password-reset', actor: 'Ada', subject: 'operator' }),
    );
    expect(filesWith(room.house.folder, oneTimeSecret)).toEqual([]);
  });

  test('unlocks the account', async () => {
    const room = await openControlRoom({ config: { lockout: { preset: 'jube' } } });
    for (let tries = 0; tries < 10; tries += 1) {
      await room.house.signIn('operator', { password: 'a guess' }).catch(() => {});
    }
    await expect(room.house.signIn('operator')).rejects.toMatchObject({ code: 'sign-in-refused' });
    const { oneTimeSecret } = await reset(room);
    await expect(room.house.signIn('operator', { password: oneTimeSecret })).rejects.toMatchObject({
      code: 'password-change-required',
    });
  });

  test.each(['nobody', 'Operator'])('knows no user %s', async (name) => {
    const { house } = await openControlRoom();
    await expect(house.features.sessions.resetPassword(name, ADMINISTRATOR)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('takes nothing from an emergency account, whose code is sealed', async () => {
    const { house } = await openControlRoom();
    await house.features.emergency.add({ name: 'Emergency' }, ADMINISTRATOR);
    await expect(house.features.sessions.resetPassword('Emergency', ADMINISTRATOR)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});
