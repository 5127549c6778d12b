import { afterAll, describe, expect, test } from 'vitest';
import { createFixedClock } from '../../ports/clock.ts';
import { startTestHost, type Bearer, type Ask } from '../../../test/host.ts';
import {
  badInput,
  expectScenario,
  GUID,
  INSTANT,
  JWT,
  problem,
  PROBLEM_TYPE,
} from '../../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken } = await house.signIn('olivia');
afterAll(() => house.close());

const statusOf = async (ask: Ask) => (await house.ask('GET', '/api/v1/session', ask)).status;

describe('GET /api/v1/session', () => {
  const olivia = { id: GUID, name: 'olivia', displayName: 'olivia', type: 'Active' };
  const times = { openedAt: INSTANT, expiresAt: INSTANT };

  test('shows the session of a token, and no secret of it', async () => {
    const { accessToken, sessionId } = await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      path: '/api/v1/session',
      ask: { token: accessToken },
      status: 200,
      body: {
        session: {
          id: sessionId,
          kind: 'app',
          user: olivia,
          app: { id: hmi.id, name: 'HMI' },
          role: '5',
          ...times,
          idleExpiresAt: null,
        },
      },
      headers: { 'set-cookie': undefined, 'cache-control': 'no-store', etag: undefined },
      absent: [accessToken],
    });
  });

  test('shows the session of a cookie with its idle limit, and does not repeat the cookie', async () => {
    const cookie = await house.signInForCookie('olivia');
    await expectScenario(house, {
      title: '',
      path: '/api/v1/session',
      ask: { cookie },
      status: 200,
      body: {
        session: {
          id: GUID,
          kind: 'browser',
          user: olivia,
          app: null,
          role: 'Active',
          ...times,
          idleExpiresAt: INSTANT,
        },
      },
      headers: { 'set-cookie': undefined },
      absent: [cookie],
    });
  });

  test('goes by the token where there are both', async () => {
    const { accessToken } = await house.signIn('adam');
    const cookie = await house.signInForCookie('olivia');
    const { body } = await house.ask('GET', '/api/v1/session', { token: accessToken, cookie });
    expect(body).toMatchObject({ session: { user: { name: 'adam' } } });
  });
});

describe('POST /api/v1/sign-out', () => {
  const signedOut = {
    method: 'POST',
    path: '/api/v1/sign-out',
    status: 204,
    events: ['SessionEnded olivia at Keyswitch: signed-out'],
  };
  const CLEARED = '__Host-keyswitch=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0';

  test('ends the session of a cookie, and clears the cookie', async () => {
    const cookie = await house.signInForCookie('olivia');
    await expectScenario(house, {
      title: '',
      ...signedOut,
      ask: { cookie },
      headers: { 'set-cookie': [CLEARED] },
      trail: ['session-ended by olivia via page of olivia (signed-out)'],
    });
    expect(await statusOf({ cookie })).toBe(401);
  });

  test('ends the session of a token, and its refresh token with it', async () => {
    const { accessToken, refreshToken } = await house.signIn('olivia');
    await expectScenario(house, {
      title: '',
      ...signedOut,
      ask: { token: accessToken },
      trail: ['session-ended by olivia via api of olivia (signed-out)'],
    });
    expect(await statusOf({ token: accessToken })).toBe(401);
    const refreshed = await house.ask('POST', '/api/v1/refresh', { json: { refreshToken } });
    expect(refreshed.status).toBe(401);
  });

  test('ends nobody else', async () => {
    const [one, other] = [await house.signInForCookie('olivia'), await house.signInForCookie('olivia')];
    await house.ask('POST', '/api/v1/sign-out', { cookie: one });
    expect([await statusOf({ cookie: one }), await statusOf({ cookie: other })]).toEqual([401, 200]);
  });

  test('is refused a second time', async () => {
    const { accessToken: token } = await house.signIn('olivia');
    await house.ask('POST', '/api/v1/sign-out', { token });
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-out',
      ask: { token },
      status: 401,
      body: problem(401, 'not-signed-in'),
      headers: { 'www-authenticate': 'Bearer', 'content-type': PROBLEM_TYPE },
    });
  });
});

describe('POST /api/v1/refresh', () => {
  const refresh = (refreshToken: unknown, ask: Ask = {}) =>
    house.ask('POST', '/api/v1/refresh', { ...ask, json: { refreshToken } });

  test('trades a refresh token for a new pair of the same session', async () => {
    const { refreshToken, accessToken, sessionId } = await house.signIn('olivia');
    const { body } = await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/refresh',
      ask: { json: { refreshToken } },
      status: 200,
      body: {
        session: expect.objectContaining({ id: sessionId, kind: 'bearer' }),
        accessToken: JWT,
        accessTokenExpiresAt: INSTANT,
        refreshToken: JWT,
      },
      headers: { 'cache-control': 'no-store' },
      absent: [refreshToken],
    });
    const next = body as Bearer;
    expect([await statusOf({ token: accessToken }), await statusOf({ token: next.accessToken })]).toEqual([
      200, 200,
    ]);
    expect((await refresh(next.refreshToken)).status).toBe(200);
  });

  test('ends the session when a refresh token comes a second time', async () => {
    const { refreshToken, accessToken } = await house.signIn('olivia');
    const next = (await refresh(refreshToken)).body as Bearer;
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/refresh',
      ask: { json: { refreshToken } },
      status: 401,
      body: problem(401, 'not-signed-in'),
      headers: { 'www-authenticate': 'Bearer' },
      events: ['SessionEnded olivia at Keyswitch: refresh-reused'],
      trail: ['session-ended by olivia via api of olivia (refresh-reused)'],
    });
    expect((await refresh(next.refreshToken)).status).toBe(401);
    expect([await statusOf({ token: accessToken }), await statusOf({ token: next.accessToken })]).toEqual([
      401, 401,
    ]);
  });

  test('lets one of two who come at once through, and ends the session', async () => {
    const { refreshToken } = await house.signIn('olivia');
    const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    const won = answers.find(({ status }) => status === 200)?.body as Bearer;
    expect(await statusOf({ token: won.accessToken })).toBe(401);
  });

  test('works although the last access token, sent along, is worth nothing any more', async () => {
    const clock = createFixedClock();
    await using later = await startTestHost({ clock });
    await later.addUser('olivia');
    const { refreshToken, accessToken: token } = await later.signIn('olivia');
    await clock.advance(300_000);
    expect((await later.ask('GET', '/api/v1/session', { token })).status).toBe(401);
    const answer = await later.ask('POST', '/api/v1/refresh', { token, json: { refreshToken } });
    expect(answer.status).toBe(200);
  });

  const refusals: [title: string, refreshToken: unknown, status: number, body: unknown][] = [
    ['nothing', undefined, 400, badInput('refreshToken: is missing')],
    ['a number', 7, 400, badInput('refreshToken: must be text')],
    ['an empty text', '', 400, badInput('refreshToken: must not be empty')],
    [
      'a text longer than any token',
      'x'.repeat(4097),
      400,
      badInput('refreshToken: must have at most 4096 characters'),
    ],
    ['a text that is no token', 'x.y.z', 401, problem(401, 'not-signed-in')],
    ['an access token', accessToken, 401, problem(401, 'not-signed-in')],
  ];
  test.each(refusals)('refuses %s, and ends nothing', async (title, refreshToken, status, body) => {
    await expectScenario(house, {
      title,
      method: 'POST',
      path: '/api/v1/refresh',
      ask: { json: { refreshToken } },
      status,
      body,
    });
  });
});
