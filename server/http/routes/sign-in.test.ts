import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { PASSWORD, startTestHost, type Ask } from '../../../test/host.ts';
import {
  expectScenario,
  GUID,
  INSTANT,
  JWT,
  problem,
  PROBLEM_TYPE,
  badInput,
  type Scenario,
} from '../../../test/scenario.ts';

const NEW_PASSWORD = 'a boiler that hums';
const COOKIE = /^__Host-keyswitch=([\w-]{43}); Path=\/; HttpOnly; Secure; SameSite=Strict$/;

const house = await startTestHost();
await house.addUser('olivia', { logoutTimeInMin: 5 });
await house.addUser('adam', { type: 'Admin' });
await house.addUser('paul', { type: 'Passive' });
await house.addUser('dora');
await house.features.users.change('dora', { enabled: false }, HOST_ACTOR);
await house.addUser('rita');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5', adam: '9', paul: '1', dora: '2' } });
afterAll(() => house.close());

const user = (name: string, type = 'Active') => ({ id: GUID, name, displayName: name, type });

function session(kind: 'app' | 'browser' | 'bearer', name: string, role: string): Record<string, unknown> {
  return {
    id: GUID,
    kind,
    user: user(name, name === 'adam' ? 'Admin' : 'Active'),
    app: kind === 'app' ? { id: hmi.id, name: 'HMI' } : null,
    role,
    openedAt: INSTANT,
    expiresAt: INSTANT,
    idleExpiresAt: kind === 'browser' ? INSTANT : null,
  };
}

describe('POST /api/v1/sign-in', () => {
  beforeEach(() => house.ask('POST', `/api/v1/apps/${hmi.id}/sign-out`));

  const pair = { accessToken: JWT, accessTokenExpiresAt: INSTANT, refreshToken: JWT };
  const scenarios: Scenario[] = [
    {
      title: 'gives a pair of tokens for Keyswitch itself',
      ask: { json: { username: 'olivia', password: PASSWORD } },
      status: 200,
      body: { session: session('bearer', 'olivia', 'Active'), ...pair },
      headers: { 'set-cookie': undefined, 'cache-control': 'no-store', etag: undefined },
      absent: [PASSWORD],
      events: ['SessionOpened olivia at Keyswitch'],
      trail: ['sign-in by olivia via api of olivia (password)'],
    },
    {
      title: 'gives a pair of tokens at an app, whose id may be in capitals',
      ask: { json: { username: 'adam', password: PASSWORD, appId: hmi.id.toUpperCase() } },
      status: 200,
      body: { session: session('app', 'adam', '9'), ...pair },
      absent: [PASSWORD],
      events: ['SessionOpened adam at HMI'],
      trail: ['sign-in by adam via api of adam at HMI (password)'],
    },
    {
      title: 'gives one cookie and no token to a browser',
      ask: { json: { username: 'olivia', password: PASSWORD, presentation: 'cookie' } },
      status: 200,
      body: { session: session('browser', 'olivia', 'Active') },
      headers: { 'set-cookie': [expect.stringMatching(COOKIE)] },
      absent: [PASSWORD, 'Token', 'eyJ'],
      events: ['SessionOpened olivia at Keyswitch'],
      trail: ['sign-in by olivia via page of olivia (password)'],
    },
    {
      title: 'gives a browser at an app a cookie that has no idle limit',
      ask: { json: { username: 'olivia', password: PASSWORD, presentation: 'cookie', appId: hmi.id } },
      status: 200,
      body: { session: session('app', 'olivia', '5') },
      headers: { 'set-cookie': [expect.stringMatching(COOKIE)] },
      absent: [PASSWORD, 'Token', 'eyJ'],
      events: ['SessionOpened olivia at HMI'],
      trail: ['sign-in by olivia via page of olivia at HMI (password)'],
    },
    {
      title: 'does not know an app that is not there',
      ask: {
        json: { username: 'olivia', password: PASSWORD, appId: 'eb97a642-78f5-4458-b8ca-036fe70298ef' },
      },
      status: 404,
      body: problem(404, 'not-found', { detail: 'No app has the id eb97a642-78f5-4458-b8ca-036fe70298ef.' }),
      headers: { 'content-type': PROBLEM_TYPE, 'set-cookie': undefined },
      absent: [PASSWORD, 'olivia'],
      trail: ['sign-in-refused by anonymous via api of olivia (unknown-app)'],
    },
    {
      title: 'names every field that is missing',
      ask: { json: {} },
      status: 400,
      body: badInput('username: is missing', 'password: is missing'),
      headers: { 'content-type': PROBLEM_TYPE },
    },
    {
      title: 'names every field that is wrong, and does not repeat what was in it',
      ask: {
        json: {
          username: 'o'.repeat(65),
          password: ['secret'],
          appId: 'x',
          presentation: 'post',
          remember: 1,
        },
      },
      status: 400,
      body: badInput(
        'username: must have at most 64 characters',
        'password: must be text',
        'appId: must be a GUID such as eb97a642-78f5-4458-b8ca-036fe70298ef',
        'presentation: must be one of bearer, cookie',
        'remember: is not a known field',
      ),
      absent: ['secret', 'ooo'],
    },
    {
      title: 'refuses an empty password before anything is looked up',
      ask: { json: { username: 'olivia', password: '' } },
      status: 400,
      body: badInput('password: must not be empty'),
    },
    {
      title: 'takes the last of two fields of the same name, as JSON has it',
      ask: {
        raw: `{"username":"nobody","username":"olivia","password":"${PASSWORD}"}`,
        headers: { 'Content-Type': 'application/json' },
      },
      status: 200,
      body: { session: session('bearer', 'olivia', 'Active'), ...pair },
      events: ['SessionOpened olivia at Keyswitch'],
      trail: ['sign-in by olivia via api of olivia (password)'],
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, { method: 'POST', path: '/api/v1/sign-in', ...scenario });
  });

  test('ends the session of the former user at the same app', async () => {
    await house.signIn('olivia', hmi.id);
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: 'adam', password: PASSWORD, appId: hmi.id } },
      status: 200,
      body: expect.objectContaining({ session: session('app', 'adam', '9') }),
      events: ['SessionEnded olivia at HMI: replaced, followed by adam', 'SessionOpened adam at HMI'],
      trail: [
        'session-ended by anonymous via api of olivia at HMI (replaced)',
        'sign-in by adam via api of adam at HMI (password)',
      ],
    });
  });

  test('keeps to the shorter limit of user and app', async () => {
    const answer = await house.ask('POST', '/api/v1/sign-in', {
      json: { username: 'olivia', password: PASSWORD, appId: hmi.id },
    });
    const { openedAt, expiresAt } = (answer.body as { session: Record<string, string> }).session;
    expect(Date.parse(expiresAt!) - Date.parse(openedAt!)).toBe(5 * 60_000);
  });

  describe('refuses', () => {
    const refusals: [title: string, json: Record<string, unknown>, trail: string][] = [
      [
        'a name that nobody has',
        { username: 'nobody' },
        'sign-in-refused by anonymous via api (unknown-user)',
      ],
      [
        'a name in other letters',
        { username: 'OLIVIA' },
        'sign-in-refused by anonymous via api (unknown-user)',
      ],
      [
        'a wrong password',
        { username: 'olivia', password: 'wrong' },
        'sign-in-refused by anonymous via api of olivia (wrong-password)',
      ],
      [
        'a user who is disabled',
        { username: 'dora' },
        'sign-in-refused by anonymous via api of dora (user-disabled)',
      ],
      [
        'a user who is passive',
        { username: 'paul' },
        'sign-in-refused by anonymous via api of paul (user-passive)',
      ],
      [
        'a passive user at an app',
        { username: 'paul', appId: hmi.id },
        'sign-in-refused by anonymous via api of paul at HMI (user-passive)',
      ],
      [
        'a disabled user at an app',
        { username: 'dora', appId: hmi.id },
        'sign-in-refused by anonymous via api of dora at HMI (user-disabled)',
      ],
      [
        'a user whom the app does not admit',
        { username: 'rita', appId: hmi.id },
        'sign-in-refused by anonymous via api of rita at HMI (not-allowed-at-app)',
      ],
      [
        'a browser with a wrong password',
        { username: 'olivia', password: 'wrong', presentation: 'cookie' },
        'sign-in-refused by anonymous via page of olivia (wrong-password)',
      ],
      [
        'a name with a NUL in it',
        { username: 'olivia\0' },
        'sign-in-refused by anonymous via api (unknown-user)',
      ],
    ];
    test.each(refusals)('%s, and the trail alone knows why', async (_, json, trail) => {
      await expectScenario(house, {
        title: '',
        method: 'POST',
        path: '/api/v1/sign-in',
        ask: { json: { password: PASSWORD, ...json } },
        status: 401,
        body: problem(401, 'sign-in-refused', {
          detail: 'The user name, the password or the right to this app is wrong. Check both and try again.',
        }),
        headers: { 'content-type': PROBLEM_TYPE, 'www-authenticate': 'Bearer', 'set-cookie': undefined },
        absent: [PASSWORD, 'olivia', 'paul', 'dora', 'rita', 'HMI'],
        trail: [trail],
      });
    });

    test('all of them with the very same bytes, Date apart', async () => {
      const seen = new Set<string>();
      for (const [, json] of refusals) {
        const { status, rawHeaders, text } = await house.ask('POST', '/api/v1/sign-in', {
          json: { password: PASSWORD, ...json },
        });
        const date = rawHeaders.indexOf('Date');
        seen.add(JSON.stringify([status, rawHeaders.toSpliced(date, 2), text]));
      }
      expect(seen.size).toBe(1);
    });
  });

  test('asks a browser to come back while too many wait, and says when', async () => {
    await using crowded = await startTestHost({
      config: {
        'passwords.memoryKib': '32768',
        'passwords.iterations': '2',
        'passwords.maxConcurrent': '1',
        'passwords.maxWaiting': '1',
      },
    });
    const json = { username: 'nobody', password: PASSWORD };
    // Warm connections, so that all of them arrive while the first one is hashed.
    await Promise.all(Array.from({ length: 6 }, () => crowded.ask('GET', '/api/v1/welcome')));
    crowded.events();
    await crowded.trail();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => crowded.ask('POST', '/api/v1/sign-in', { json })),
    );
    const busy = answers.filter(({ status }) => status === 503);
    const refused = answers.filter(({ status }) => status === 401);
    expect([busy.length + refused.length, busy.length > 0, refused.length > 0]).toEqual([6, true, true]);
    for (const { headers, body } of busy) {
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(headers['content-type']).toBe(PROBLEM_TYPE);
      expect(body).toEqual(problem(503, 'busy'));
    }
    expect(await crowded.trail()).toHaveLength(refused.length);
    expect((await crowded.ask('POST', '/api/v1/sign-in', { json })).status).toBe(401);
  });
});

describe('a browser that is signed in already', () => {
  const signInAs = (username: string, ask: Ask, json: object = {}) =>
    house.ask('POST', '/api/v1/sign-in', {
      ...ask,
      json: { username, password: PASSWORD, presentation: 'cookie', ...json },
    });

  test('gets another cookie when it signs in again, and the former one is worth nothing', async () => {
    const former = await house.signInForCookie('olivia');
    house.events();
    await house.trail();
    const answer = await signInAs('rita', { cookie: former });
    const [, next = ''] = COOKIE.exec(answer.headers['set-cookie']?.[0] ?? '') ?? [];
    expect(next).not.toBe(former);
    expect(house.events()).toEqual([
      'SessionOpened rita at Keyswitch',
      'SessionEnded olivia at Keyswitch: replaced',
    ]);
    expect(await house.trail()).toEqual([
      'sign-in by rita via page of rita (password)',
      'session-ended by olivia via page of olivia (replaced)',
    ]);
    expect((await house.ask('GET', '/api/v1/session', { cookie: former })).status).toBe(401);
    expect((await house.ask('GET', '/api/v1/session', { cookie: next })).body).toMatchObject({
      session: { user: { name: 'rita' } },
    });
  });

  test('keeps its session when the next sign-in is refused', async () => {
    const cookie = await house.signInForCookie('olivia');
    expect((await signInAs('rita', { cookie }, { password: 'wrong' })).status).toBe(401);
    expect((await house.ask('GET', '/api/v1/session', { cookie })).status).toBe(200);
  });

  test('cannot be given a cookie of our own choice', async () => {
    const planted = 'A'.repeat(43);
    const answer = await signInAs('olivia', { cookie: planted });
    expect(answer.headers['set-cookie']?.[0]).not.toContain(planted);
    expect((await house.ask('GET', '/api/v1/session', { cookie: planted })).status).toBe(401);
  });

  test('keeps a session that it holds by a token when it signs in for a cookie', async () => {
    const { accessToken } = await house.signIn('olivia');
    await signInAs('rita', { token: accessToken });
    expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(200);
  });

  test('gives its former session up when the sign-in goes on with a new password', async () => {
    const former = await house.signInForCookie('olivia');
    await house.addUser('newcomer', { mustChange: true });
    const asked = await signInAs('newcomer', { cookie: former });
    const { ticket } = asked.body as { ticket: string };
    const answer = await house.ask('POST', '/api/v1/password-change', {
      cookie: former,
      json: { ticket, newPassword: NEW_PASSWORD },
    });
    expect(answer.headers['set-cookie']?.[0]).toMatch(COOKIE);
    expect((await house.ask('GET', '/api/v1/session', { cookie: former })).status).toBe(401);
  });
});

describe('POST /api/v1/password-change', () => {
  let count = 0;
  async function ticketFor(json: object = {}): Promise<{ name: string; ticket: string }> {
    const name = `novice${(count += 1)}`;
    const novice = await house.addUser(name, { mustChange: true });
    await house.features.apps.grant(hmi, novice, '1', HOST_ACTOR);
    const answer = await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: name, password: PASSWORD, ...json } },
      status: 403,
      body: problem(403, 'password-change-required', { ticket: expect.stringMatching(/^[\w-]{43}$/) }),
      headers: { 'set-cookie': undefined },
      absent: [PASSWORD, 'Token'],
    });
    return { name, ticket: (answer.body as { ticket: string }).ticket };
  }

  test('replaces the password and finishes the sign-in that asked for it', async () => {
    const { name, ticket } = await ticketFor({ appId: hmi.id });
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/password-change',
      ask: { json: { ticket, newPassword: NEW_PASSWORD } },
      status: 200,
      body: {
        session: session('app', name, '1'),
        accessToken: JWT,
        accessTokenExpiresAt: INSTANT,
        refreshToken: JWT,
      },
      absent: [NEW_PASSWORD, ticket],
      events: [`SessionOpened ${name} at HMI`],
      trail: [
        `password-changed by ${name} via api of ${name}`,
        `sign-in by ${name} via api of ${name} at HMI (password)`,
      ],
    });
    const again = { username: name, password: NEW_PASSWORD };
    expect((await house.ask('POST', '/api/v1/sign-in', { json: again })).status).toBe(200);
    expect(
      (await house.ask('POST', '/api/v1/sign-in', { json: { ...again, password: PASSWORD } })).status,
    ).toBe(401);
  });

  test('gives a browser its cookie', async () => {
    const { ticket } = await ticketFor({ presentation: 'cookie' });
    const answer = await house.ask('POST', '/api/v1/password-change', {
      json: { ticket, newPassword: NEW_PASSWORD },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(COOKIE)]);
    expect(answer.text).not.toContain('Token');
  });

  test('takes a ticket once', async () => {
    const { ticket } = await ticketFor();
    const json = { ticket, newPassword: NEW_PASSWORD };
    expect((await house.ask('POST', '/api/v1/password-change', { json })).status).toBe(200);
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/password-change',
      ask: { json: { ...json, newPassword: 'another new password' } },
      status: 401,
      body: problem(401, 'ticket-invalid'),
      headers: { 'www-authenticate': 'Bearer' },
      absent: [ticket],
    });
  });

  const unacceptable: [title: string, newPassword: (name: string) => string, messages: string[]][] = [
    ['too short', () => 'fourteen chars', ['The password must have at least 15 characters.']],
    ['too long', () => 'x'.repeat(1025), ['The password must have at most 1024 characters.']],
    [
      'the user name',
      (name) => name,
      ['The password must have at least 15 characters.', 'The password must not be the user name.'],
    ],
    ['the one it is to replace', () => PASSWORD, ['The new password must differ from the present one.']],
  ];
  test.each(unacceptable)(
    'names the rules that a password breaks that is %s, and keeps the ticket good',
    async (_, newPassword, messages) => {
      const { name, ticket } = await ticketFor();
      await expectScenario(house, {
        title: '',
        method: 'POST',
        path: '/api/v1/password-change',
        ask: { json: { ticket, newPassword: newPassword(name) } },
        status: 400,
        body: problem(400, 'password-unacceptable', {
          detail: messages.join(' '),
          faults: messages.map((message) => ({ field: 'newPassword', message })),
        }),
        absent: [ticket, 'xxx', PASSWORD],
      });
      const json = { ticket, newPassword: NEW_PASSWORD };
      expect((await house.ask('POST', '/api/v1/password-change', { json })).status).toBe(200);
    },
  );

  const bad: [title: string, json: object, status: number, body: unknown][] = [
    [
      'a ticket nobody was given',
      { ticket: 'x', newPassword: NEW_PASSWORD },
      401,
      problem(401, 'ticket-invalid'),
    ],
    ['nothing', {}, 400, badInput('ticket: is missing', 'newPassword: is missing')],
    [
      'a ticket that is too long',
      { ticket: 'x'.repeat(129), newPassword: NEW_PASSWORD },
      400,
      badInput('ticket: must have at most 128 characters'),
    ],
  ];
  test.each(bad)('refuses %s', async (title, json, status, body) => {
    await expectScenario(house, {
      title,
      method: 'POST',
      path: '/api/v1/password-change',
      ask: { json },
      status,
      body,
    });
  });
});
