import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestHost } from '../../../test/host.ts';
import { badInput, expectScenario, GUID, INSTANT, problem, type Scenario } from '../../../test/scenario.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';

const house = await startTestHost();
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
await house.addUser('rené dupont');
const { app: hmi, key } = await house.addApp('HMI', { users: { olivia: '5', adam: '9' } });
const { accessToken: admin } = await house.signIn('adam');
afterAll(() => house.close());

const noApp = problem(404, 'not-found', { detail: `No app has the id ${UNKNOWN}.` });
const notAnId = badInput(`appId: must be a GUID such as ${UNKNOWN}`);
const nobody = {
  authenticated: false,
  user: null,
  displayName: null,
  role: null,
  openedAt: null,
  expiresAt: null,
};
const olivia = {
  authenticated: true,
  user: 'olivia',
  displayName: 'olivia',
  role: '5',
  openedAt: INSTANT,
  expiresAt: INSTANT,
};

beforeEach(() => house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`));

describe('GET /api/v1/apps/{appId}/state', () => {
  test('says that nobody is at the controls', async () => {
    await expectScenario(house, {
      title: '',
      path: `/api/v1/apps/${hmi.id}/state`,
      status: 200,
      body: nobody,
    });
  });

  test('says who is at the controls to anyone who knows the id, and tells no token', async () => {
    const { accessToken, refreshToken, sessionId } = await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      path: `/api/v1/apps/${hmi.id.toUpperCase()}/state`,
      status: 200,
      body: olivia,
      headers: { 'cache-control': 'no-store', etag: undefined },
      absent: [accessToken, refreshToken, sessionId, key],
    });
  });

  test.each([
    ['an id that no app has', UNKNOWN, 404, noApp],
    ['a name instead of an id', 'HMI', 400, notAnId],
  ])('refuses %s', async (title, id, status, body) => {
    await expectScenario(house, { title, path: `/api/v1/apps/${id}/state`, status, body });
  });
});

describe('POST /api/v1/apps/{appId}/sign-out', () => {
  test('signs out whoever is at the controls, and asks for no session', async () => {
    const { accessToken } = await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: `/api/v1/apps/${hmi.id}/sign-out`,
      status: 204,
      headers: { 'set-cookie': undefined },
      events: ['SessionEnded olivia at HMI: signed-out'],
      trail: ['session-ended by anonymous via api of olivia at HMI (signed-out)'],
    });
    expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
  });

  test('names who asked for it, where that is known', async () => {
    await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: `/api/v1/apps/${hmi.id}/sign-out`,
      ask: { token: admin },
      status: 204,
      events: ['SessionEnded olivia at HMI: signed-out'],
      trail: ['session-ended by adam via api of olivia at HMI (signed-out)'],
    });
  });

  test.each([
    ['does nothing where nobody is', hmi.id, 204, undefined],
    ['refuses an id that no app has', UNKNOWN, 404, noApp],
    ['refuses a name instead of an id', 'HMI', 400, notAnId],
  ])('%s', async (title, id, status, body) => {
    await expectScenario(house, { title, method: 'POST', path: `/api/v1/apps/${id}/sign-out`, status, body });
  });
});

describe('/api/v1/apps', () => {
  const post = (json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
    method: 'POST',
    path: '/api/v1/apps',
    ask: { token: admin, json },
  });
  const scenarios: Scenario[] = [
    {
      title: 'lists the apps by name, the station among them, without a key',
      path: '/api/v1/apps',
      ask: { token: admin },
      status: 200,
      body: expect.arrayContaining([
        { id: hmi.id, name: 'HMI', logoutTimeInMin: 10, idleLimitInMin: null, station: false },
        { id: GUID, name: expect.any(String), logoutTimeInMin: 10, idleLimitInMin: 5, station: true },
      ]),
      absent: [key, '"key"'],
    },
    {
      title: 'adds an app with the limit that is set for new ones',
      ...post({ name: 'Panel' }),
      status: 201,
      body: { id: GUID, key: expect.stringMatching(/^[\w-]{43}$/) },
      events: ['AppChanged Panel'],
      trail: ['app-added by adam via api at Panel'],
    },
    {
      title: 'does not add a second one of the same name',
      ...post({ name: 'HMI', logoutTimeInMin: 5 }),
      status: 409,
      body: problem(409, 'already-exists', { detail: 'An app named HMI exists. Choose another name.' }),
    },
    {
      title: 'adds one whose name differs in letter case',
      ...post({ name: 'hmi', logoutTimeInMin: 10_080, idleLimitInMin: 3 }),
      status: 201,
      body: { id: GUID, key: expect.any(String) },
      events: ['AppChanged hmi'],
      trail: ['app-added by adam via api at hmi'],
    },
    { title: 'asks for a name', ...post({}), status: 400, body: badInput('name: is missing') },
    {
      title: 'names the limits',
      ...post({ name: 'x'.repeat(65), logoutTimeInMin: 10_081, key: 'mine' }),
      status: 400,
      body: badInput(
        'name: must have at most 64 characters',
        'logoutTimeInMin: must be at most 10080',
        'key: is not a known field',
      ),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });

  test('shows what was added', async () => {
    const { body } = await house.ask('GET', '/api/v1/apps', { token: admin });
    const panel = { id: GUID, name: 'Panel', logoutTimeInMin: 10, idleLimitInMin: null, station: false };
    expect(body).toContainEqual(panel);
    expect(body).toContainEqual({ ...panel, name: 'hmi', logoutTimeInMin: 10_080, idleLimitInMin: 3 });
  });
});

describe('PATCH /api/v1/apps/{appId}', () => {
  const patch = (id: string, json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
    method: 'PATCH',
    path: `/api/v1/apps/${id}`,
    ask: { token: admin, json },
  });
  const changed = { id: hmi.id, name: 'HMI', logoutTimeInMin: 10, idleLimitInMin: null, station: false };
  const done = { status: 200, events: ['AppChanged HMI'], trail: ['app-changed by adam via api at HMI'] };
  const scenarios: Scenario[] = [
    {
      title: 'sets an idle limit, and leaves what is absent',
      ...patch(hmi.id.toUpperCase(), { idleLimitInMin: 2 }),
      ...done,
      body: { ...changed, idleLimitInMin: 2 },
    },
    {
      title: 'changes the time limit',
      ...patch(hmi.id, { logoutTimeInMin: 20 }),
      ...done,
      body: { ...changed, logoutTimeInMin: 20, idleLimitInMin: 2 },
    },
    {
      title: 'takes the idle limit away',
      ...patch(hmi.id, { logoutTimeInMin: 10, idleLimitInMin: null }),
      ...done,
      body: changed,
    },
    { title: 'does not know every app', ...patch(UNKNOWN, { idleLimitInMin: 1 }), status: 404, body: noApp },
    { title: 'asks for an id', ...patch('HMI', {}), status: 400, body: notAnId },
    {
      title: 'names the limits',
      ...patch(hmi.id, { logoutTimeInMin: null, idleLimitInMin: 0, name: 'Panel' }),
      status: 400,
      body: badInput(
        'logoutTimeInMin: must be a number',
        'idleLimitInMin: must be at least 1',
        'name: is not a known field',
      ),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });

  test('counts at the next sign-in', async () => {
    const idleExpiresAt = async (token: string): Promise<unknown> => {
      const { body } = await house.ask('GET', '/api/v1/session', { token });
      return (body as { session: { idleExpiresAt: unknown } }).session.idleExpiresAt;
    };
    const before = await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      ...patch(hmi.id, { idleLimitInMin: 2 }),
      ...done,
      body: { ...changed, idleLimitInMin: 2 },
    });
    expect(await idleExpiresAt(before.accessToken)).toBeNull();
    const after = await house.signIn('olivia', hmi.id);
    expect(await idleExpiresAt(after.accessToken)).toEqual(INSTANT);
    await house.ask('PATCH', `/api/v1/apps/${hmi.id}`, { token: admin, json: { idleLimitInMin: null } });
  });
});

describe('PUT /api/v1/apps/{appId}/users/{userName}', () => {
  const put = (id: string, name: string, json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
    method: 'PUT',
    path: `/api/v1/apps/${id}/users/${encodeURIComponent(name)}`,
    ask: { token: admin, json },
  });
  const granted = { status: 204, events: ['AppChanged HMI'] };
  const scenarios: Scenario[] = [
    {
      title: 'lets a user in, whatever letters the name has',
      ...put(hmi.id, 'rené dupont', { data: '7' }),
      ...granted,
      trail: ['app-user-granted by adam via api of rené dupont at HMI'],
    },
    {
      title: 'changes what the app is told',
      ...put(hmi.id, 'olivia', { data: '6' }),
      ...granted,
      trail: ['app-user-granted by adam via api of olivia at HMI'],
    },
    { title: 'does not know every app', ...put(UNKNOWN, 'olivia', { data: '1' }), status: 404, body: noApp },
    {
      title: 'does not know every user',
      ...put(hmi.id, 'Olivia', { data: '1' }),
      status: 404,
      body: problem(404, 'not-found', { detail: 'No user is named Olivia.' }),
    },
    {
      title: 'asks for the data',
      ...put(hmi.id, 'olivia', {}),
      status: 400,
      body: badInput('data: is missing'),
    },
    {
      title: 'asks for data that says something',
      ...put(hmi.id, 'olivia', { data: '' }),
      status: 400,
      body: badInput('data: must not be empty'),
    },
    {
      title: 'names the limit of the data',
      ...put(hmi.id, 'olivia', { data: 'x'.repeat(129) }),
      status: 400,
      body: badInput('data: must have at most 128 characters'),
    },
    {
      title: 'names the faults of the path',
      ...put('HMI', 'x'.repeat(65), { data: '1' }),
      status: 400,
      body: badInput(`appId: must be a GUID such as ${UNKNOWN}`, 'userName: must have at most 64 characters'),
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });

  test('counts at the next sign-in', async () => {
    await house.signIn('olivia', hmi.id);
    const { body } = await house.ask('GET', `/api/v1/apps/${hmi.id}/state`);
    expect(body).toEqual({ ...olivia, role: '6' });
  });
});
