import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
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

const CLEARED = '__Host-keyswitch=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0';
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

  test.each([
    ['of a browser at Keyswitch itself is activity', true],
    ['of a page at an app is none: what it asks by itself keeps nobody there', false],
  ])('a request with the cookie %s', async (_title, isActivity) => {
    const clock = createFixedClock();
    await using later = await startTestHost({ clock, config: { 'sessions.browserIdleMin': '2' } });
    await later.addUser('olivia');
    const { app } = await later.addApp('Panel', { idleLimitInMin: 2, users: { olivia: '5' } });
    const cookie = await later.signInForCookie('olivia', isActivity ? undefined : app.id);
    const idleExpiresAt = async (): Promise<string> => {
      const { body } = await later.ask('GET', '/api/v1/session', { cookie });
      return (body as { session: { idleExpiresAt: string } }).session.idleExpiresAt;
    };
    const before = Date.parse(await idleExpiresAt());
    await clock.advance(60_000);
    expect(Date.parse(await idleExpiresAt()) - before).toBe(isActivity ? 60_000 : 0);
  });

  test('goes by the token where there are both', async () => {
    const { accessToken } = await house.signIn('adam');
    const cookie = await house.signInForCookie('olivia');
    const { body } = await house.ask('GET', '/api/v1/session', { token: accessToken, cookie });
    expect(body).toMatchObject({ session: { user: { name: 'adam' } } });
  });
});

describe('POST /api/v1/lock', () => {
  test('ends the session at the app at once, for everybody, and clears the cookie', async () => {
    const cookie = await house.signInForCookie('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/lock',
      ask: { cookie },
      status: 204,
      headers: { 'set-cookie': [CLEARED] },
      events: ['SessionEnded olivia at HMI: screen-locked'],
      trail: ['session-ended by olivia via page of olivia at HMI (screen-locked)'],
    });
    expect(await statusOf({ cookie })).toBe(401);
    const { body } = await house.ask('GET', `/api/v1/apps/${hmi.id}/state`);
    expect(body).toMatchObject({ authenticated: false });
  });

  test('needs a session', async () => {
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/lock',
      status: 401,
      body: problem(401, 'not-signed-in'),
    });
  });
});

describe('POST /api/v1/sign-out', () => {
  const signedOut = {
    method: 'POST',
    path: '/api/v1/sign-out',
    status: 204,
    events: ['SessionEnded olivia at Keyswitch: signed-out'],
  };

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

describe('GET /api/v1/sessions', () => {
  /** What the list says of a session, but for its id and its times. */
  const item = (name: string, more: object) => ({
    id: GUID,
    kind: 'bearer',
    user: { id: GUID, name, displayName: name, type: name === 'adam' ? 'Admin' : 'Active' },
    app: null,
    role: name === 'adam' ? 'Admin' : 'Active',
    openedAt: INSTANT,
    expiresAt: INSTANT,
    idleExpiresAt: null,
    own: false,
    door: 'api',
    address: '127.0.0.1',
    ...more,
  });
  const atHmi = { kind: 'app', app: { id: GUID, name: 'HMI' }, role: '5' };
  const atPage = { kind: 'browser', door: 'page', idleExpiresAt: INSTANT };

  /** Each session a second after the one before. */
  async function openPlant() {
    const clock = createFixedClock();
    const plant = await startTestHost({ clock });
    onTestFinished(() => plant.close());
    await plant.addUser('olivia');
    await plant.addUser('adam', { type: 'Admin' });
    const { app } = await plant.addApp('HMI', { users: { olivia: '5' } });
    const page = await plant.signInForCookie('olivia');
    await clock.advance(1000);
    const screen = await plant.signIn('olivia', app.id);
    await clock.advance(1000);
    const program = await plant.signIn('adam');
    return { plant, page, screen, program };
  }

  test('shows mine, newest first, each with its door and address, and marks the one that asks', async () => {
    const { plant, page, screen, program } = await openPlant();
    await expectScenario(plant, {
      title: '',
      path: '/api/v1/sessions',
      ask: { cookie: page },
      status: 200,
      body: [item('olivia', { ...atHmi, id: screen.sessionId }), item('olivia', { ...atPage, own: true })],
      headers: { 'cache-control': 'no-store' },
      absent: ['adam', page, screen.accessToken],
    });
    const seenByApp = await plant.ask('GET', '/api/v1/sessions?all=false', { token: screen.accessToken });
    expect(seenByApp.body).toEqual([item('olivia', { ...atHmi, own: true }), item('olivia', atPage)]);
    await plant.features.sessions.end(program.sessionId, 'signed-out', HOST_ACTOR);
    const later = await plant.ask('GET', '/api/v1/sessions', { cookie: page });
    expect(later.body).toHaveLength(2);
  });

  test("shows everyone's to an administrator who asks for them, and else mine", async () => {
    const { plant, program } = await openPlant();
    const mine = item('adam', { id: program.sessionId, own: true });
    const list = async (query: string): Promise<unknown> =>
      (await plant.ask('GET', `/api/v1/sessions${query}`, { token: program.accessToken })).body;
    expect(await list('?all=true')).toEqual([mine, item('olivia', atHmi), item('olivia', atPage)]);
    expect(await list('')).toEqual([mine]);
    expect(await list('?all=false')).toEqual([mine]);
  });

  const refusals: [title: string, query: string, status: number, body: unknown][] = [
    ["everyone's to one who is no administrator", '?all=true', 403, problem(403, 'forbidden')],
    ['a word that is neither', '?all=yes', 400, badInput('all: must be one of true, false')],
    ['two words', '?all=true&all=false', 400, badInput('all: must be one of true, false')],
    ['what it does not know', '?user=adam', 400, badInput('user: is not a known field')],
  ];
  test.each(refusals)('refuses %s', async (title, query, status, body) => {
    await expectScenario(house, {
      title,
      path: `/api/v1/sessions${query}`,
      ask: { token: accessToken },
      status,
      body,
      absent: ['adam'],
    });
  });
});

describe('DELETE /api/v1/sessions/{sessionId}', () => {
  const end = (id: string, ask: Ask) =>
    ({ title: '', method: 'DELETE', path: `/api/v1/sessions/${id}`, ask }) as const;
  const notMine = problem(404, 'not-found', { detail: 'No live session of yours has this id.' });

  test("ends another one of one's own, and no more", async () => {
    const cookie = await house.signInForCookie('olivia');
    const other = await house.signIn('olivia');
    await expectScenario(house, {
      ...end(other.sessionId, { cookie }),
      status: 204,
      headers: { 'set-cookie': undefined },
      events: ['SessionEnded olivia at Keyswitch: ended-by-owner'],
      trail: ['session-ended by olivia via page of olivia (ended-by-owner)'],
    });
    expect([await statusOf({ token: other.accessToken }), await statusOf({ cookie })]).toEqual([401, 200]);
    await expectScenario(house, { ...end(other.sessionId, { cookie }), status: 404, body: notMine });
  });

  test('ends the very one that asks as signing out does, and clears the cookie', async () => {
    const cookie = await house.signInForCookie('olivia');
    const { body } = await house.ask('GET', '/api/v1/session', { cookie });
    await expectScenario(house, {
      ...end((body as { session: { id: string } }).session.id, { cookie }),
      status: 204,
      headers: { 'set-cookie': [CLEARED] },
      events: ['SessionEnded olivia at Keyswitch: signed-out'],
      trail: ['session-ended by olivia via page of olivia (signed-out)'],
    });
    expect(await statusOf({ cookie })).toBe(401);
  });

  test("ends anyone's for an administrator", async () => {
    const admin = await house.signIn('adam');
    const other = await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      ...end(other.sessionId, { token: admin.accessToken }),
      status: 204,
      events: ['SessionEnded olivia at HMI: ended-by-administrator'],
      trail: ['session-ended by adam via api of olivia at HMI (ended-by-administrator)'],
    });
    expect(await statusOf({ token: other.accessToken })).toBe(401);
  });

  test.each([
    ['of somebody else', async () => (await house.signIn('adam')).sessionId],
    ['that never was', () => 'eb97a642-78f5-4458-b8ca-036fe70298ef'],
    ['that is no id', () => 'x'],
  ])('does not tell a session %s from one that is not there', async (_, id) => {
    const sessionId = await id();
    await expectScenario(house, {
      ...end(sessionId, { token: accessToken }),
      status: 404,
      body: notMine,
      absent: ['adam'],
    });
    const known = house.features.sessions.byId(sessionId);
    if (known !== null) expect(known.user.name).toBe('adam');
  });

  test('refuses an id that is too long for one', async () => {
    await expectScenario(house, {
      ...end('x'.repeat(65), { token: accessToken }),
      status: 400,
      body: badInput('sessionId: must have at most 64 characters'),
    });
  });
});

describe('POST /api/v1/sessions/end-others', () => {
  const endOthers = { title: '', method: 'POST', path: '/api/v1/sessions/end-others' } as const;

  async function openPlant() {
    const plant = await startTestHost();
    onTestFinished(() => plant.close());
    await plant.addUser('olivia');
    await plant.addUser('adam', { type: 'Admin' });
    const { app } = await plant.addApp('HMI', { users: { olivia: '5' } });
    const page = await plant.signInForCookie('olivia');
    const program = await plant.signIn('olivia');
    const screen = await plant.signIn('olivia', app.id);
    const admin = await plant.signIn('adam');
    const alive = async (): Promise<string[]> => {
      const asks: [string, Ask][] = [
        ['page', { cookie: page }],
        ['program', { token: program.accessToken }],
        ['screen', { token: screen.accessToken }],
        ['admin', { token: admin.accessToken }],
      ];
      const answers = await Promise.all(
        asks.map(async ([name, ask]) => [name, (await plant.ask('GET', '/api/v1/session', ask)).status]),
      );
      return answers.flatMap(([name, status]) => (status === 200 ? [name as string] : []));
    };
    return { plant, page, admin, alive };
  }

  test.each([
    ['that says so', { whose: 'mine' }],
    ['that says nothing', {}],
  ])("ends one's own but the one that asks, with a body %s", async (_, json) => {
    const { plant, page, alive } = await openPlant();
    await expectScenario(plant, {
      ...endOthers,
      ask: { cookie: page, json },
      status: 200,
      body: { ended: 2 },
      headers: { 'set-cookie': undefined },
      events: [
        'SessionEnded olivia at Keyswitch: ended-by-owner',
        'SessionEnded olivia at HMI: ended-by-owner',
      ],
      trail: [
        'session-ended by olivia via page of olivia (ended-by-owner)',
        'session-ended by olivia via page of olivia at HMI (ended-by-owner)',
      ],
    });
    expect(await alive()).toEqual(['page', 'admin']);
    await expectScenario(plant, {
      ...endOthers,
      ask: { cookie: page, json },
      status: 200,
      body: { ended: 0 },
    });
  });

  test("ends everyone's but the one that asks, for an administrator", async () => {
    const { plant, admin, alive } = await openPlant();
    await expectScenario(plant, {
      ...endOthers,
      ask: { token: admin.accessToken, json: { whose: 'everyone' } },
      status: 200,
      body: { ended: 3 },
      events: [
        'SessionEnded olivia at Keyswitch: ended-by-administrator',
        'SessionEnded olivia at Keyswitch: ended-by-administrator',
        'SessionEnded olivia at HMI: ended-by-administrator',
      ],
      trail: [
        'session-ended by adam via api of olivia (ended-by-administrator)',
        'session-ended by adam via api of olivia (ended-by-administrator)',
        'session-ended by adam via api of olivia at HMI (ended-by-administrator)',
      ],
    });
    expect(await alive()).toEqual(['admin']);
  });

  test("ends nobody's where one who is no administrator asks for everyone's, or for nobody knows whose", async () => {
    const { plant, page, alive } = await openPlant();
    const refusals: [json: object, status: number, body: unknown][] = [
      [{ whose: 'everyone' }, 403, problem(403, 'forbidden')],
      [{ whose: 'adam' }, 400, badInput('whose: must be one of mine, everyone')],
      [{ userId: 'x' }, 400, badInput('userId: is not a known field')],
    ];
    for (const [json, status, body] of refusals) {
      await expectScenario(plant, { ...endOthers, ask: { cookie: page, json }, status, body });
    }
    expect(await alive()).toEqual(['page', 'program', 'screen', 'admin']);
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
