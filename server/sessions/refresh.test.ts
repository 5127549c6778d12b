import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import {
  ADMINISTRATOR,
  DAY_MS,
  DOOR,
  MINUTE_MS,
  openControlRoom,
  SECOND_MS,
  type House,
} from '../../test/house.ts';
import type { SignedIn } from './sessions.ts';

const refresh = (house: House, { refreshToken = '' }: SignedIn): Promise<SignedIn> =>
  house.features.sessions.refresh(refreshToken, DOOR);

const byAccess = async (house: House, { accessToken = '' }: SignedIn) =>
  house.features.sessions.byAccessToken(accessToken);

describe('refreshing', () => {
  test('trades a refresh token for a new pair of the same session', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    await house.advance(4 * MINUTE_MS);
    const second = await refresh(house, first);
    expect(second).toMatchObject({
      session: { id: first.session.id },
      accessTokenExpiresAt: house.clock.now() + 5 * MINUTE_MS,
    });
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(Object.keys(second).toSorted()).toEqual(Object.keys(first).toSorted());
    expect(await byAccess(house, second)).toEqual(second.session);
    expect(await byAccess(house, first)).toEqual(second.session);
  });

  test('may go on for ever, a week at most from one to the next', async () => {
    const { house } = await openControlRoom();
    let pair = await house.signIn('operator', { presentation: 'bearer' });
    for (let round = 0; round < 3; round += 1) {
      await house.advance(7 * DAY_MS - SECOND_MS);
      pair = await refresh(house, pair);
      expect(pair.session.expiresAt).toBe(house.clock.now() + 7 * DAY_MS);
      expect(await house.sessionRows()).toMatchObject([
        { expires_at: pair.session.expiresAt, ended_at: null },
      ]);
    }
    house.story();
    await house.advance(7 * DAY_MS);
    await expect(refresh(house, pair)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(house.story()).toEqual(['operator at Keyswitch ended: time-limit']);
  });

  test('does not lengthen a session at an app', async () => {
    const { house, hmi } = await openControlRoom();
    const first = await house.signIn('operator', { app: hmi, presentation: 'bearer' });
    await house.advance(9 * MINUTE_MS);
    const second = await refresh(house, first);
    expect(second.session).toEqual(first.session);
    expect(second.accessTokenExpiresAt).toBe(first.session.expiresAt);
    await house.advance(MINUTE_MS);
    await expect(refresh(house, second)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(house.features.sessions.ofApp(hmi.id)).toBeNull();
  });

  test('goes on after a restart', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    const second = await refresh(house, first);
    await house.restart();
    expect(await byAccess(house, second)).toEqual(second.session);
    const third = await refresh(house, second);
    expect(third.session.id).toBe(first.session.id);
  });

  test('tells the role and the type that the user has now', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    await house.features.users.change('operator', { type: 'Admin' }, ADMINISTRATOR);
    const second = await refresh(house, first);
    expect(second.session).toMatchObject({ role: 'Admin', user: { type: 'Admin' } });
    expect(decodeJwt(second.accessToken ?? '')).toMatchObject({ role: 'Admin' });
  });
});

describe('a refresh token that was used before', () => {
  test('ends the session, and with it the newest tokens too', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    const second = await refresh(house, first);
    await byAccess(house, second);
    house.story();
    await expect(refresh(house, first)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(house.story()).toEqual(['operator at Keyswitch ended: refresh-reused']);
    await expect(refresh(house, second)).rejects.toMatchObject({ code: 'not-signed-in' });
    await expect(byAccess(house, second)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(await house.lastAudit()).toMatchObject({
      action: 'session-ended',
      actor: 'operator',
      subject: 'operator',
      reason: 'refresh-reused',
      address: DOOR.address,
    });
  });

  test('ends the session also generations later, and also after a restart', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    const third = await refresh(house, await refresh(house, first));
    await house.restart();
    await expect(refresh(house, first)).rejects.toMatchObject({ code: 'not-signed-in' });
    await expect(refresh(house, third)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(house.features.sessions.list()).toEqual([]);
  });

  test('ends the session also when both are used at the same time', async () => {
    const { house } = await openControlRoom();
    const first = await house.signIn('operator', { presentation: 'bearer' });
    const outcomes = await Promise.allSettled([refresh(house, first), refresh(house, first)]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(house.features.sessions.list()).toEqual([]);
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'refresh-reused' }]);
  });

  test('leaves the other sessions of the user alone', async () => {
    const { house, hmi } = await openControlRoom();
    const [first, other] = [
      await house.signIn('operator', { presentation: 'bearer' }),
      await house.signIn('operator', { presentation: 'bearer' }),
    ];
    const app = await house.signIn('operator', { app: hmi });
    await refresh(house, first);
    await expect(refresh(house, first)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(new Set(house.features.sessions.list())).toEqual(new Set([other.session, app.session]));
    await refresh(house, other);
  });
});

describe('what cannot be refreshed', () => {
  test('is a session that has ended, which ends no further', async () => {
    const { house } = await openControlRoom();
    const pair = await house.signIn('operator', { presentation: 'bearer' });
    await house.features.sessions.end(pair.session.id, 'signed-out', DOOR);
    const audited = (await house.audit()).length;
    await expect(refresh(house, pair)).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(await house.audit()).toHaveLength(audited);
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'signed-out' }]);
  });

  test('is a session that ends while it is being refreshed', async () => {
    const { house } = await openControlRoom();
    const pair = await house.signIn('operator', { presentation: 'bearer' });
    const ending = house.features.sessions.end(pair.session.id, 'signed-out', DOOR);
    const refreshing = refresh(house, pair);
    await ending;
    await expect(refreshing).rejects.toMatchObject({ code: 'not-signed-in' });
    expect(house.features.sessions.list()).toEqual([]);
    expect(await house.sessionRows()).toMatchObject([{ end_reason: 'signed-out' }]);
  });

  test.each(['access', 'nothing'])('is %s in the place of a refresh token', async (what) => {
    const { house } = await openControlRoom();
    const { session, accessToken = '' } = await house.signIn('operator', { presentation: 'bearer' });
    const refreshToken = what === 'access' ? accessToken : '';
    await expect(house.features.sessions.refresh(refreshToken, DOOR)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
    expect(house.features.sessions.list()).toEqual([session]);
  });

  test('is the refresh token in the place of an access token', async () => {
    const { house } = await openControlRoom();
    const { refreshToken = '' } = await house.signIn('operator', { presentation: 'bearer' });
    await expect(house.features.sessions.byAccessToken(refreshToken)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
  });
});
