import { describe, expect, onTestFinished, test } from 'vitest';
import {
  ADMINISTRATOR,
  DOOR,
  openControlRoom,
  PASSWORD,
  SECOND_MS,
  type ControlRoom,
} from '../../test/house.ts';
import { KeyswitchError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { createTokens } from '../tokens/tokens.ts';
import { openSessions, type Credential, type Sessions, type SignedIn } from './sessions.ts';

interface FullRoom extends ControlRoom {
  readonly sessions: Sessions;
  fill(isFull: boolean): void;
  openEnvelope(): Promise<SignedIn>;
}

/** The operator is signed in at the HMI, an envelope is sealed, and then the store takes nothing more. */
async function openFullRoom(): Promise<FullRoom> {
  const room = await openControlRoom();
  const { house, hmi } = room;
  const { features, clock, random, log } = house;
  const { secret } = await features.emergency.add({ name: 'Emergency' }, ADMINISTRATOR);
  await house.signIn('operator', { app: hmi });
  let isFull = false;
  const store: Store = {
    ...features.store,
    write: (operation) =>
      isFull ? Promise.reject(new KeyswitchError('storage-full')) : features.store.write(operation),
  };
  const tokens = createTokens({ keys: features.keys, clock }, { issuer: 'i', audience: 'a' });
  const sessions = await openSessions(
    { ...features, store, mayRecord: () => true, tokens, clock, random, log },
    { browserIdleMin: 15, browserMaxHours: 12, accessTokenSec: 300, refreshTokenDays: 7 },
  );
  onTestFinished(() => sessions.close());
  // Only one of the two is to end what falls due.
  await features.sessions.close();
  house.story();
  isFull = true;
  const sign = (credential: Credential): Promise<SignedIn> =>
    sessions.signIn({ credential, appId: null, presentation: 'cookie', door: DOOR });
  return {
    ...room,
    sessions,
    fill: (now) => {
      isFull = now;
    },
    openEnvelope: () => sign({ kind: 'emergency', secret, reason: 'nobody else gets in' }),
  };
}

describe('on a full disk', () => {
  test('nobody new is signed in, and the answer says why', async () => {
    const { house, sessions } = await openFullRoom();
    const credential = { kind: 'password', username: 'supervisor', password: PASSWORD } as const;
    const request = { credential, appId: null, presentation: 'cookie', door: DOOR } as const;
    await expect(sessions.signIn(request)).rejects.toMatchObject({ code: 'storage-full' });
    expect(house.story()).toEqual([]);
    expect(sessions.list()).toHaveLength(1);
  });

  test('a sign-out takes effect at once, and is on record as soon as there is room', async () => {
    const { house, hmi, sessions, fill } = await openFullRoom();
    const session = sessions.ofApp(hmi.id);
    expect(await sessions.end(session?.id ?? '', 'signed-out', DOOR)).toBe(true);
    expect(sessions.ofApp(hmi.id)).toBeNull();
    expect(house.story()).toEqual(['operator at HMI ended: signed-out']);
    const endedAt = house.clock.now();

    await house.advance(5 * SECOND_MS);
    expect(await house.sessionRows()).toMatchObject([{ ended_at: null }]);
    fill(false);
    await house.advance(5 * SECOND_MS);
    await house.settle();
    expect(await house.sessionRows()).toMatchObject([{ ended_at: endedAt, end_reason: 'signed-out' }]);
    expect(await house.audit()).toContainEqual(
      expect.objectContaining({ action: 'session-ended', subject: 'operator', reason: 'signed-out' }),
    );
    expect(house.story()).toEqual([]);
  });

  test('so does a sign-out at the app, which a PLC asks for', async () => {
    const { house, hmi, sessions } = await openFullRoom();
    expect(await sessions.endAtApp(hmi.id.toUpperCase(), 'plc', DOOR)).toBe(true);
    expect(await sessions.endAtApp(hmi.id, 'plc', DOOR)).toBe(false);
    expect(house.story()).toEqual(['operator at HMI ended: plc']);
  });

  test('what was refused is tried once more at an orderly stop', async () => {
    const { house, hmi, sessions, fill } = await openFullRoom();
    await sessions.endAtApp(hmi.id, 'signed-out', DOOR);
    fill(false);
    await sessions.close();
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'signed-out' }]);
  });

  test('a stop while the disk is still full says what is lost, and comes to its end', async () => {
    const { house, hmi, sessions } = await openFullRoom();
    await sessions.endAtApp(hmi.id, 'signed-out', DOOR);
    await sessions.close();
    expect(await house.sessionRows()).toMatchObject([{ end_reason: null }]);
    expect(house.log.lines.at(-1)).toMatchObject({ level: 'error', waiting: 1 });
    await house.advance(60 * SECOND_MS);
    expect(house.log.lines.filter((line) => line['waiting'] === 1)).toHaveLength(1);
  });

  test('who signs in at the app as soon as there is room finds the former session ended, once, as it was', async () => {
    const { house, hmi, sessions, fill } = await openFullRoom();
    await sessions.endAtApp(hmi.id, 'signed-out', DOOR);
    const endedAt = house.clock.now();
    await house.clock.advance(SECOND_MS);
    fill(false);
    const credential = { kind: 'password', username: 'supervisor', password: PASSWORD } as const;
    await sessions.signIn({ credential, appId: hmi.id, presentation: 'none', door: DOOR });
    expect(house.story()).toEqual(['operator at HMI ended: signed-out', 'supervisor at HMI opened']);

    await house.advance(5 * SECOND_MS);
    await house.settle();
    expect(await house.sessionRows()).toMatchObject([
      { end_reason: 'signed-out', ended_at: endedAt },
      { end_reason: null },
    ]);
    const ends = (await house.audit()).filter(({ action }) => action === 'session-ended');
    expect(ends).toMatchObject([{ subject: 'operator', reason: 'signed-out', address: DOOR.address }]);
    expect(house.story()).toEqual([]);
  });

  test('a session still ends by its limit', async () => {
    const { house } = await openFullRoom();
    await house.advance(10 * 60 * SECOND_MS);
    expect(house.story()).toEqual(['operator at HMI ended: time-limit']);
  });

  test('an emergency code opens, keeps its code, and is on record as soon as there is room', async () => {
    const { house, sessions, fill, openEnvelope } = await openFullRoom();
    const { session, cookie, sealed } = await openEnvelope();
    expect(sealed).toBeNull();
    expect(sessions.byCookie(cookie ?? '')).toEqual(session);
    expect(house.story()).toEqual(['Emergency at Keyswitch opened']);

    fill(false);
    await house.advance(5 * SECOND_MS);
    await house.settle();
    expect(await house.sessionRows()).toContainEqual(
      expect.objectContaining({ id: session.id, emergency_reason: 'nobody else gets in' }),
    );
    expect(await house.audit()).toContainEqual(
      expect.objectContaining({ action: 'sign-in', subject: 'Emergency', reason: 'emergency' }),
    );
    expect((await openEnvelope()).sealed).not.toBeNull();
  });

  test('what happened is put on record in its order, an opening before its end', async () => {
    const { house, sessions, fill, openEnvelope } = await openFullRoom();
    const { session } = await openEnvelope();
    await sessions.end(session.id, 'signed-out', DOOR);
    fill(false);
    await house.advance(5 * SECOND_MS);
    await house.settle();
    expect(await house.sessionRows()).toContainEqual(
      expect.objectContaining({ id: session.id, end_reason: 'signed-out' }),
    );
  });
});
