import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { PASSWORD, startTestHost } from '../../../test/host.ts';
import {
  badInput,
  ENVELOPE_CODE,
  expectScenario,
  GUID,
  INSTANT,
  JWT,
  problem,
  PROBLEM_TYPE,
  type Scenario,
} from '../../../test/scenario.ts';

const REASON = 'the directory is away and the boiler is not';
const WRONG = '00000-00000-00000-00000-00000';
const COOKIE = /^__Host-keyswitch=([\w-]{43}); Path=\/; HttpOnly; Secure; SameSite=Strict$/;

const clock = createFixedClock();
const house = await startTestHost({ clock });
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
let { secret: code } = await house.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
let token = '';
afterAll(() => house.close());
// A wrong code is recorded once a second, and an access token lasts for minutes.
beforeEach(async () => {
  await clock.advance(1000);
  await house.features.sessions.endOthers('everyone', null, HOST_ACTOR);
  token = (await house.signIn('adam')).accessToken;
});

const sealed = { username: 'Emergency', secret: ENVELOPE_CODE, sealedAt: INSTANT };
const pair = { accessToken: JWT, accessTokenExpiresAt: INSTANT, refreshToken: JWT };
const session = (kind: 'app' | 'browser' | 'bearer', role = 'Admin') => ({
  id: GUID,
  kind,
  user: { id: GUID, name: 'Emergency', displayName: 'Emergency', type: 'Admin' },
  app: kind === 'app' ? { id: hmi.id, name: 'HMI' } : null,
  role,
  openedAt: INSTANT,
  expiresAt: INSTANT,
  idleExpiresAt: kind === 'browser' ? INSTANT : null,
});
const signIn = (json: object): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
  title: '',
  method: 'POST',
  path: '/api/v1/emergency/sign-in',
  ask: { json: { secret: code, reason: REASON, ...json } },
});

/** Signs in with the present code, and keeps the one that the answer holds. */
async function open(scenario: Omit<Scenario, 'title' | 'status'>, json: object = {}) {
  const used = code;
  const answer = await expectScenario(house, {
    ...signIn(json),
    status: 200,
    ...scenario,
    absent: [used, used.replaceAll('-', '')],
  });
  code = (answer.body as { sealed: { secret: string } }).sealed.secret;
  expect(code).not.toBe(used);
  return { used, answer };
}

/** The present code still opens: whatever was done before has not used it up. */
const expectStillGood = () =>
  open({
    body: expect.anything(),
    events: expect.anything() as unknown as string[],
    trail: expect.anything() as unknown as string[],
  });

describe('POST /api/v1/emergency/sign-in', () => {
  const trail = (door: string, at = '') => [
    `sign-in by Emergency via ${door} of Emergency${at} (emergency)`,
    `emergency-sealed by Emergency via ${door} of Emergency (used)`,
  ];

  test('opens a session of an administrator, and shows the next code this once', async () => {
    const { answer } = await open({
      body: { session: session('bearer'), ...pair, sealed },
      headers: { 'cache-control': 'no-store', 'set-cookie': undefined },
      events: ['SessionOpened Emergency at Keyswitch'],
      trail: trail('api'),
    });
    const [, row] = await house.features.audit.newest(2);
    expect(row?.detail).toMatchObject({ emergency: REASON });
    const { accessToken } = answer.body as { accessToken: string };
    expect((await house.ask('GET', '/api/v1/users', { token: accessToken })).status).toBe(200);
    expect(JSON.stringify(await house.features.audit.newest(50))).not.toContain(code);
  });

  test('is good once: the next code opens, the former one looks like a wrong password', async () => {
    const { used } = await open({
      body: expect.anything(),
      events: ['SessionOpened Emergency at Keyswitch'],
      trail: trail('api'),
    });
    await expectScenario(house, {
      ...signIn({ secret: used }),
      status: 401,
      body: problem(401, 'sign-in-refused'),
      headers: { 'content-type': PROBLEM_TYPE, 'retry-after': undefined },
      absent: [used, 'Emergency'],
      trail: ['sign-in-refused by anonymous via api (wrong-emergency-code)'],
    });
    await expectStillGood();
  });

  test('gives a browser its cookie, and gives up the session that the browser had', async () => {
    const former = await house.signInForCookie('olivia');
    const { answer } = await open({
      ...{ ask: { cookie: former, json: { secret: code, reason: REASON, presentation: 'cookie' } } },
      body: { session: session('browser'), sealed },
      headers: { 'set-cookie': [expect.stringMatching(COOKIE)] },
      events: ['SessionOpened Emergency at Keyswitch', 'SessionEnded olivia at Keyswitch: replaced'],
      trail: [...trail('page'), 'session-ended by olivia via page of olivia (replaced)'],
    });
    expect(answer.text).not.toContain('Token');
    const [, cookie = ''] = COOKIE.exec(answer.headers['set-cookie']?.[0] ?? '') ?? [];
    const statuses = [former, cookie].map((it) => house.ask('GET', '/api/v1/session', { cookie: it }));
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([401, 200]);
  });

  test.each([
    ['in small letters without dashes', (it: string) => it.toLowerCase().replaceAll('-', '')],
    ['with spaces', (it: string) => ` ${it.replaceAll('-', ' ')} `],
    ['with O for 0 and l for 1', (it: string) => it.replaceAll('0', 'O').replaceAll('1', 'l')],
  ])('takes the code %s', async (_, spelt) => {
    await open(
      {
        body: expect.anything(),
        events: ['SessionOpened Emergency at Keyswitch'],
        trail: trail('api'),
      },
      { secret: spelt(code) },
    );
  });

  test('at an app where the account has rights takes the place of who is there', async () => {
    const account = await house.features.users.byName('Emergency');
    const refusal = `Emergency has no rights at HMI. Sign in at Keyswitch itself, without the app; the code is still good.`;
    await expectScenario(house, {
      ...signIn({ appId: hmi.id }),
      status: 403,
      body: problem(403, 'forbidden', { detail: refusal }),
      absent: [code],
      trail: ['sign-in-refused by anonymous via api of Emergency at HMI (not-allowed-at-app)'],
    });
    await expectStillGood();
    await house.features.apps.grant(hmi, account!, '9', HOST_ACTOR);
    await house.signIn('olivia', hmi.id);
    await open(
      {
        body: { session: session('app', '9'), ...pair, sealed },
        events: [
          'SessionEnded olivia at HMI: replaced, followed by Emergency',
          'SessionOpened Emergency at HMI',
        ],
        trail: ['session-ended by anonymous via api of olivia at HMI (replaced)', ...trail('api', ' at HMI')],
      },
      { appId: hmi.id },
    );
  });

  const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';
  const mistyped = (it: string): string => `${it.startsWith('A') ? 'B' : 'A'}${it.slice(1)}`;
  const refusals: [title: string, json: () => object, status: number, body: unknown, trail: string[]][] = [
    [
      'a wrong code',
      () => ({ secret: WRONG }),
      401,
      problem(401, 'sign-in-refused'),
      ['sign-in-refused by anonymous via api (wrong-emergency-code)'],
    ],
    [
      'a code with a character that is mistyped',
      () => ({ secret: mistyped(code) }),
      400,
      badInput('secret: is mistyped: one of the characters differs from the envelope'),
      [],
    ],
    [
      'a code that is too short',
      () => ({ secret: code.slice(0, 11) }),
      400,
      badInput('secret: must have 25 letters and digits, as on the envelope; it has 10'),
      [],
    ],
    [
      'a password',
      () => ({ secret: PASSWORD }),
      400,
      badInput('secret: must have 25 letters and digits, as on the envelope; it has 17'),
      [],
    ],
    ['a name', () => ({ username: 'Emergency' }), 400, badInput('username: is not a known field'), []],
    ['no reason', () => ({ reason: undefined }), 400, badInput('reason: is missing'), []],
    [
      'a reason of spaces',
      () => ({ reason: '     ' }),
      400,
      badInput('reason: must say in at least 3 characters why'),
      [],
    ],
    [
      'a reason that is too long',
      () => ({ reason: 'why '.repeat(126) }),
      400,
      badInput('reason: must have at most 500 characters'),
      [],
    ],
    [
      'an app that is not there',
      () => ({ appId: UNKNOWN }),
      404,
      problem(404, 'not-found', { detail: `No app has the id ${UNKNOWN}.` }),
      ['sign-in-refused by anonymous via api (unknown-app)'],
    ],
  ];
  test.each(refusals)('refuses %s, and the code stays good', async (_, json, status, body, rows) => {
    await expectScenario(house, {
      ...signIn(json()),
      status,
      body,
      headers: { 'content-type': PROBLEM_TYPE, 'set-cookie': undefined },
      absent: [code, code.slice(0, 11), 'Emergency', 'olivia', PASSWORD],
      trail: rows,
    });
    await expectStillGood();
  });

  test('refuses half a character in the reason', async () => {
    await expectScenario(house, {
      ...signIn({}),
      ask: {
        raw: `{"secret":"${code}","reason":"the boiler \\ud83d"}`,
        headers: { 'Content-Type': 'application/json' },
      },
      status: 400,
      body: badInput('reason: must be valid Unicode'),
    });
    await expectStillGood();
  });

  test.each([
    ['wrong codes', { secret: WRONG }, 401, 'wrong-emergency-code'],
    ['an app that is not there', { appId: UNKNOWN }, 404, 'unknown-app'],
  ])(
    'records %s sent without end once a second, with how many there were',
    async (_, json, status, reason) => {
      const send = () =>
        house.ask('POST', '/api/v1/emergency/sign-in', { json: { secret: code, reason: REASON, ...json } });
      await house.trail();
      for (let tries = 0; tries < 5; tries += 1) expect((await send()).status).toBe(status);
      await clock.advance(1000);
      await send();
      const row = `sign-in-refused by anonymous via api (${reason})`;
      expect(await house.trail()).toEqual([row, row]);
      expect((await house.features.audit.newest(1))[0]?.detail).toMatchObject({ tries: 5 });
    },
  );

  test('opens nothing for an account that is disabled', async () => {
    await house.features.users.change('Emergency', { enabled: false }, HOST_ACTOR);
    await expectScenario(house, {
      ...signIn({}),
      status: 401,
      body: problem(401, 'sign-in-refused'),
      absent: [code, 'Emergency'],
      trail: ['sign-in-refused by anonymous via api of Emergency (user-disabled)'],
    });
    await house.features.users.change('Emergency', { enabled: true }, HOST_ACTOR);
    await expectStillGood();
  });

  test('works where every name is barred that comes from the same address', async () => {
    const config = { 'lockout.addressTries': '1', 'lockout.tries': '1' };
    await using plant = await startTestHost({ clock: createFixedClock(), config });
    const { secret } = await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    const byName = (username: string) =>
      plant.ask('POST', '/api/v1/sign-in', { json: { username, password: PASSWORD } });
    await byName('Emergency');
    expect([(await byName('Emergency')).status, (await byName('anyone')).status]).toEqual([429, 429]);
    const answer = await plant.ask('POST', '/api/v1/emergency/sign-in', { json: { secret, reason: REASON } });
    expect(answer.status).toBe(200);
  });
});

describe('GET /api/v1/emergency', () => {
  test('tells when each was sealed and last used, and no code nor hash', async () => {
    await using plant = await startTestHost({ clock: createFixedClock(clock.now()) });
    await plant.addUser('adam', { type: 'Admin' });
    const { secret } = await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    await plant.features.emergency.add({ name: 'Another' }, HOST_ACTOR);
    const now = new Date(clock.now()).toISOString();
    const another = { username: 'Another', enabled: true, sealedAt: now, usedAt: null };
    const list = (usedAt: string | null) => ({
      title: '',
      path: '/api/v1/emergency',
      ask: { token },
      status: 200,
      body: [another, { ...another, username: 'Emergency', usedAt }],
      absent: [secret, 'ecret', 'hash'],
    });
    const { accessToken: token } = await plant.signIn('adam');
    await expectScenario(plant, list(null));
    await plant.ask('POST', '/api/v1/emergency/sign-in', { json: { secret, reason: REASON } });
    await expectScenario(plant, list(now));
  });
});

describe('POST /api/v1/emergency', () => {
  const add = (json: object): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
    title: '',
    method: 'POST',
    path: '/api/v1/emergency',
    ask: { token, json },
  });

  test('adds an account that has no password, and shows its code this once', async () => {
    const { body } = await expectScenario(house, {
      ...add({ name: 'Second envelope', displayName: 'Gate house' }),
      status: 201,
      body: { ...sealed, username: 'Second envelope' },
      headers: { 'cache-control': 'no-store' },
      events: ['UserChanged Second envelope'],
      trail: [
        'user-added by adam via api of Second envelope',
        'emergency-sealed by adam via api of Second envelope (added)',
      ],
    });
    const { secret } = body as { secret: string };
    const users = await house.ask('GET', '/api/v1/users', { token });
    expect(users.body).toContainEqual(
      expect.objectContaining({ name: 'Second envelope', type: 'Admin', emergency: true, password: 'none' }),
    );
    expect(users.text).not.toContain(secret);
    const opened = await house.ask('POST', '/api/v1/emergency/sign-in', { json: { secret, reason: REASON } });
    expect(opened.body).toMatchObject({ session: { user: { name: 'Second envelope' } } });
    const byPassword = await house.ask('POST', '/api/v1/sign-in', {
      json: { username: 'Second envelope', password: secret },
    });
    expect(byPassword.status).toBe(401);
  });

  const refusals: [title: string, json: object, status: number, body: unknown][] = [
    [
      'a name that is taken',
      { name: 'olivia' },
      409,
      problem(409, 'already-exists', { detail: 'A user named olivia exists. Choose another name.' }),
    ],
    ['no name', {}, 400, badInput('name: is missing')],
    ['a code of our own choice', { name: 'x', secret: WRONG }, 400, badInput('secret: is not a known field')],
    ['a control character', { name: 'a\nb' }, 400, badInput('name: must not hold control characters')],
  ];
  test.each(refusals)('refuses %s, and adds nobody', async (_, json, status, body) => {
    const before = await house.features.users.list();
    await expectScenario(house, { ...add(json), status, body });
    expect(await house.features.users.list()).toEqual(before);
  });
});

describe('POST /api/v1/emergency/{userName}/seal', () => {
  const seal = (name: string): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
    title: '',
    method: 'POST',
    path: `/api/v1/emergency/${encodeURIComponent(name)}/seal`,
    ask: { token },
  });

  test('puts a new code in the place of the present one', async () => {
    const former = code;
    const { body } = await expectScenario(house, {
      ...seal('Emergency'),
      status: 200,
      body: sealed,
      headers: { 'cache-control': 'no-store' },
      absent: [former],
      trail: ['emergency-sealed by adam via api of Emergency (renewed)'],
    });
    code = (body as { secret: string }).secret;
    const answer = await house.ask('POST', '/api/v1/emergency/sign-in', {
      json: { secret: former, reason: REASON },
    });
    expect(answer.status).toBe(401);
    await expectStillGood();
  });

  test.each(['olivia', 'nobody'])('seals no account that is none: %s', async (name) => {
    await expectScenario(house, {
      ...seal(name),
      status: 404,
      body: problem(404, 'not-found', { detail: `No emergency account is named ${name}.` }),
    });
  });
});
