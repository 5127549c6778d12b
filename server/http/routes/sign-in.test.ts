import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HOST_ACTOR, type Actor } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { PASSWORD, startTestHost, type Answer, type Ask, type TestHost } from '../../../test/host.ts';
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
        const given = { password: PASSWORD, ...json };
        seen.add(bytesOf(await house.ask('POST', '/api/v1/sign-in', { json: given })));
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

/** The whole answer but for its Date. */
function bytesOf({ status, rawHeaders, text }: Answer): string {
  const date = rawHeaders.indexOf('Date');
  return JSON.stringify([status, rawHeaders.toSpliced(date, 2), text]);
}

describe('whoever guesses passwords', () => {
  const signInAt = (host: TestHost, username: string, password = PASSWORD) =>
    host.ask('POST', '/api/v1/sign-in', { json: { username, password } });
  /** A wrong password from somewhere else. */
  const failFrom = (host: TestHost, address: string, username: string): Promise<unknown> => {
    const door: Actor = { name: 'anonymous', door: 'api', address };
    const credential = { kind: 'password', username, password: 'a guess' } as const;
    const request = { credential, appId: null, presentation: 'bearer', door } as const;
    return host.features.sessions.signIn(request).catch(() => {});
  };

  test('has to wait from the third failure on, and is told how long; the right password waits too', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'lockout.delayAfter': '3' } });
    await plant.addUser('olivia');
    const waits: unknown[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, headers } = await signInAt(plant, 'olivia', 'a guess');
      waits.push([status, headers['retry-after']]);
    }
    expect(waits).toEqual([
      [401, undefined],
      [401, undefined],
      [401, '1'],
    ]);
    await expectScenario(plant, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: 'olivia', password: PASSWORD } },
      status: 429,
      body: problem(429, 'too-many-tries'),
      headers: { 'retry-after': '1', 'content-type': PROBLEM_TYPE, 'set-cookie': undefined },
      absent: [PASSWORD, 'olivia'],
      trail: ['sign-in-refused by anonymous via api of olivia (too-many-tries)'],
    });
    await clock.advance(1000);
    expect((await signInAt(plant, 'olivia', 'a guess')).headers['retry-after']).toBe('2');
    await clock.advance(1999);
    expect((await signInAt(plant, 'olivia')).status).toBe(429);
    await clock.advance(1);
    expect((await signInAt(plant, 'olivia')).status).toBe(200);
    // The success has cleared what was counted.
    expect((await signInAt(plant, 'olivia', 'a guess')).headers['retry-after']).toBeUndefined();
  });

  test('fills no trail meanwhile: what was not checked is recorded once a second, with how many there were', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'lockout.tries': '1' } });
    await signInAt(plant, 'nobody');
    await plant.trail();
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await signInAt(plant, 'nobody')).status).toBe(429);
    }
    await clock.advance(1000);
    await signInAt(plant, 'nobody');
    const row = 'sign-in-refused by anonymous via api (too-many-tries)';
    expect(await plant.trail()).toEqual([row, row]);
    expect((await plant.features.audit.newest(1))[0]?.detail).toEqual({ tries: 5 });
  });

  test('is slowed as an address that tries many names, but not those who are known there', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'lockout.addressTries': '3' } });
    await plant.addUser('olivia');
    await plant.addUser('rita');
    expect((await signInAt(plant, 'rita')).status).toBe(200);
    for (const name of ['one', 'two', 'three']) await signInAt(plant, name, 'a guess');
    const answers = [await signInAt(plant, 'olivia'), await signInAt(plant, 'four')];
    expect(answers.map(({ status, headers }) => [status, headers['retry-after']])).toEqual([
      [429, '1'],
      [429, '1'],
    ]);
    expect(new Set(answers.map(bytesOf)).size).toBe(1);
    expect((await signInAt(plant, 'rita')).status).toBe(200);
  });

  test('locks an account where it is not known, for as long as is set, and ends no session', async () => {
    const clock = createFixedClock();
    const config = { 'lockout.accountTries': '3', 'lockout.lockMin': '5' };
    await using plant = await startTestHost({ clock, config });
    await plant.addUser('olivia');
    const { accessToken: token } = await plant.signIn('olivia');
    await plant.addUser('rita');
    await plant.trail();
    for (const name of ['olivia', 'rita']) {
      for (let tries = 0; tries < 3; tries += 1) await failFrom(plant, '192.0.2.9', name);
    }
    const rows = await plant.trail();
    expect(rows.filter((row) => row.startsWith('account-locked'))).toEqual([
      'account-locked by anonymous via api of olivia',
      'account-locked by anonymous via api of rita',
    ]);
    expect((await plant.ask('GET', '/api/v1/session', { token })).status).toBe(200);
    const statuses = [await signInAt(plant, 'olivia'), await signInAt(plant, 'rita')].map((it) => it.status);
    expect(statuses).toEqual([200, 401]);
    expect(await plant.trail()).toEqual([
      'sign-in by olivia via api of olivia (password)',
      'sign-in-refused by anonymous via api of rita (locked)',
    ]);
    await clock.advance(5 * 60_000);
    expect((await signInAt(plant, 'rita')).status).toBe(200);
  });

  describe('learns nothing of an account', () => {
    const tries: [what: string, username: string, password: string][] = [
      ['that is nobody', 'nobody', PASSWORD],
      ['by a wrong password', 'olivia', 'a guess'],
      ['that is locked, by its password', 'lara', PASSWORD],
      ['that is locked, by a wrong one', 'linus', 'a guess'],
      ['that is disabled', 'dora', PASSWORD],
      ['that is passive', 'paul', PASSWORD],
      ['that has an envelope and no password', 'Emergency', PASSWORD],
      ['whose one-time secret is over', 'nora', PASSWORD],
    ];

    test.each([
      ['the first time', { 'lockout.delayAfter': '0' }, [401, undefined], [401, undefined]],
      ['where the next try has to wait', { 'lockout.delayAfter': '1' }, [401, '1'], [429, '1']],
      ['where the name is locked here', { 'lockout.tries': '1' }, [401, '900'], [429, '900']],
    ])('%s: the very same bytes for all of them', async (_when, config, first, second) => {
      const clock = createFixedClock();
      await using plant = await startTestHost({ clock, config: { 'lockout.accountTries': '3', ...config } });
      for (const name of ['olivia', 'lara', 'linus', 'dora', 'nora']) await plant.addUser(name);
      await plant.addUser('paul', { type: 'Passive' });
      await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
      await plant.features.users.change('dora', { enabled: false }, HOST_ACTOR);
      await endOneTimeSecretOf(plant, 'nora');
      for (const name of ['lara', 'linus']) {
        for (const place of [1, 2, 3]) await failFrom(plant, `192.0.2.${place}`, name);
      }
      await plant.trail();
      const answers: Answer[] = [];
      for (const [, name, password] of tries) answers.push(await signInAt(plant, name, password));
      const [{ status, headers } = {} as Answer] = answers;
      expect([status, headers['retry-after']]).toEqual(first);
      expect(new Set(answers.map(bytesOf)).size).toBe(1);
      const reasons = (await plant.trail()).flatMap((row) => /\((.+)\)$/.exec(row)?.[1] ?? []);
      expect(reasons).toEqual([
        'unknown-user',
        'wrong-password',
        'locked',
        'locked',
        'user-disabled',
        'user-passive',
        'wrong-password',
        'wrong-password',
      ]);
      const again: Answer[] = [];
      for (const [, name, password] of tries) again.push(await signInAt(plant, name, password));
      expect([again[0]?.status, again[0]?.headers['retry-after']]).toEqual(second);
      expect(new Set(again.map(bytesOf)).size).toBe(1);
    });
  });

  /** Makes PASSWORD a one-time secret that is over. */
  async function endOneTimeSecretOf({ features }: TestHost, name: string): Promise<void> {
    const user = await features.users.byName(name);
    const hash = await features.passwords.hashOneTime(PASSWORD);
    await features.store.write((writer) =>
      features.passwords.set(writer, user?.id ?? '', hash, { mustChange: true, expiresAt: 0 }),
    );
  }
});

describe('a password that has come of age', () => {
  test('signs nobody in any more, but has itself replaced', async () => {
    const clock = createFixedClock();
    const config = { 'passwords.maxAgeDays': '30' };
    await using plant = await startTestHost({ clock, config });
    await plant.addUser('olivia');
    await clock.advance(30 * 86_400_000 - 1);
    expect((await plant.signIn('olivia')).accessToken).toEqual(JWT);
    await clock.advance(1);
    const { body } = await expectScenario(plant, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: 'olivia', password: PASSWORD, presentation: 'cookie' } },
      status: 403,
      body: problem(403, 'password-change-required', {
        ticket: expect.stringMatching(/^[\w-]{43}$/),
        why: 'expired',
      }),
      headers: { 'set-cookie': undefined },
      absent: [PASSWORD],
      trail: ['password-change-required by olivia via page of olivia (expired)'],
    });
    const { ticket } = body as { ticket: string };
    const answer = await plant.ask('POST', '/api/v1/password-change', {
      json: { ticket, newPassword: NEW_PASSWORD },
    });
    expect(answer.headers['set-cookie']).toEqual([expect.stringMatching(COOKIE)]);
    await clock.advance(30 * 86_400_000);
    const again = { username: 'olivia', password: NEW_PASSWORD };
    expect((await plant.ask('POST', '/api/v1/sign-in', { json: again })).body).toMatchObject({
      code: 'password-change-required',
      why: 'expired',
    });
  });

  test('is asked for as wrong where it is wrong, and not told that it has', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'passwords.maxAgeDays': '30' } });
    await plant.addUser('olivia');
    await clock.advance(30 * 86_400_000);
    await expectScenario(plant, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: 'olivia', password: 'a guess' } },
      status: 401,
      body: problem(401, 'sign-in-refused'),
      absent: ['ticket', 'expired'],
      trail: ['sign-in-refused by anonymous via api of olivia (wrong-password)'],
    });
  });
});

describe('whatever is sent for a password', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const signInWith = (password: string): Ask => ({ json: { username: 'olivia', password } });
  const refused = problem(401, 'sign-in-refused');
  const wrong = ['sign-in-refused by anonymous via api of olivia (wrong-password)'];
  const half = (text: string): Ask => ({
    raw: `{"username":"olivia","password":"${text}"}`,
    headers: JSON_TYPE,
  });
  const notUnicode = badInput('password: must be valid Unicode');
  const tooLarge = problem(413, 'body-too-large', { detail: 'The body must have at most 16384 bytes.' });
  const scenarios: Scenario[] = [
    { title: '1 byte', ask: signInWith('x'), status: 401, body: refused, trail: wrong },
    { title: 'one NUL', ask: signInWith('\0'), status: 401, body: refused, trail: wrong },
    {
      title: 'the password and a NUL after it',
      ask: signInWith(`${PASSWORD}\0`),
      status: 401,
      body: refused,
      trail: wrong,
    },
    {
      title: 'the password and a space after it',
      ask: signInWith(`${PASSWORD} `),
      status: 401,
      body: refused,
      trail: wrong,
    },
    {
      title: 'as much as a door lets in',
      ask: signInWith('x'.repeat(8192)),
      status: 401,
      body: refused,
      trail: wrong,
    },
    {
      title: 'more than that',
      ask: signInWith('x'.repeat(8193)),
      status: 400,
      body: badInput('password: must have at most 8192 characters'),
      absent: ['xxx'],
    },
    {
      title: '1 MB',
      ask: signInWith('x'.repeat(2 ** 20)),
      status: 413,
      body: tooLarge,
      absent: ['xxx'],
    },
    {
      title: '4-byte characters',
      ask: signInWith('🔒'.repeat(16)),
      status: 401,
      body: refused,
      trail: wrong,
    },
    { title: 'the first half of a character', ask: half('\\ud800'), status: 400, body: notUnicode },
    { title: 'the second half of one', ask: half('\\udc00'), status: 400, body: notUnicode },
    { title: 'two halves the wrong way round', ask: half('\\udc00\\ud800'), status: 400, body: notUnicode },
    {
      title: 'a list',
      ask: { json: { username: 'olivia', password: [PASSWORD] } },
      status: 400,
      body: badInput('password: must be text'),
    },
  ];
  test.each(scenarios)('$title is answered plainly', async (scenario) => {
    await expectScenario(house, {
      method: 'POST',
      path: '/api/v1/sign-in',
      ...scenario,
      headers: { 'content-type': PROBLEM_TYPE, 'set-cookie': undefined },
    });
  });

  test.each([
    ['1 byte', 'x', 400, 'password-unacceptable'],
    ['1 MB', 'x'.repeat(2 ** 20), 413, 'body-too-large'],
    ['more than a door lets in', 'x'.repeat(8193), 400, 'invalid-input'],
    ['a NUL alone', '\0', 400, 'password-unacceptable'],
    ['half a character', '\ud800 and fifteen more', 400, 'invalid-input'],
  ])('of %s no new password is made', async (what, newPassword, status, code) => {
    const name = `cleo ${what}`;
    await house.addUser(name, { mustChange: true });
    const asked = await house.ask('POST', '/api/v1/sign-in', {
      json: { username: name, password: PASSWORD },
    });
    const { ticket } = asked.body as { ticket: string };
    const change = (wanted: string) =>
      house.ask('POST', '/api/v1/password-change', { json: { ticket, newPassword: wanted } });
    expect((await change(newPassword)).body).toMatchObject({ status, code });
    expect((await change(NEW_PASSWORD)).status).toBe(200);
  });

  const NFC = 'é è ü in der Wärme';
  test.each([
    ['composed is good decomposed', NFC.normalize('NFC'), NFC.normalize('NFD')],
    ['decomposed is good composed', NFC.normalize('NFD'), NFC.normalize('NFC')],
    ['with NUL characters is good with all of them', 'a\0b\0c\0d\0e\0f\0g\0h', 'a\0b\0c\0d\0e\0f\0g\0h'],
    ['of 4-byte characters is good', '🔑🔒🔓🗝️🚪🏭⚙️🛢️🧯🔥💧🌡️📈📉🎛️', '🔑🔒🔓🗝️🚪🏭⚙️🛢️🧯🔥💧🌡️📈📉🎛️'],
    ['with spaces around it is good with them', '  a password with spaces  ', '  a password with spaces  '],
  ])('a password %s', async (title, set, typed) => {
    const name = `una ${title}`.slice(0, 64).trim();
    await house.features.users.add(
      { name, type: 'Active', logoutTimeInMin: null, password: set },
      HOST_ACTOR,
    );
    const status = async (password: string): Promise<number> =>
      (await house.ask('POST', '/api/v1/sign-in', { json: { username: name, password } })).status;
    expect([await status(typed), await status(typed.slice(0, -1)), await status(`${typed}.`)]).toEqual([
      200, 401, 401,
    ]);
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
    const door = 'presentation' in json ? 'page' : 'api';
    await house.features.apps.grant(hmi, novice, '1', HOST_ACTOR);
    const answer = await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/sign-in',
      ask: { json: { username: name, password: PASSWORD, ...json } },
      status: 403,
      body: problem(403, 'password-change-required', {
        ticket: expect.stringMatching(/^[\w-]{43}$/),
        why: 'one-time-secret',
      }),
      headers: { 'set-cookie': undefined },
      absent: [PASSWORD, 'Token'],
      trail: [`password-change-required by ${name} via ${door} of ${name} (one-time-secret)`],
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

  const tooShort = {
    rule: 'min-length',
    values: { limit: 15 },
    message: 'The password must have at least 15 characters.',
  };
  const unacceptable: [
    title: string,
    newPassword: (name: string) => string,
    faults: { rule: string; values?: object; message: string }[],
  ][] = [
    ['too short', () => 'fourteen chars', [tooShort]],
    [
      'too long',
      () => 'xy z'.repeat(257),
      [
        {
          rule: 'max-length',
          values: { limit: 1024 },
          message: 'The password must have at most 1024 characters.',
        },
      ],
    ],
    [
      'the user name',
      (name) => name,
      [
        tooShort,
        {
          rule: 'not-user-name',
          message: "The password must not be the user's name with digits and symbols around it.",
        },
      ],
    ],
    [
      'the one it is to replace',
      () => PASSWORD,
      [{ rule: 'not-present', message: 'The new password must differ from the present one.' }],
    ],
  ];
  test.each(unacceptable)(
    'names the rules that a password breaks that is %s, and keeps the ticket good',
    async (_, newPassword, faults) => {
      const { name, ticket } = await ticketFor();
      await expectScenario(house, {
        title: '',
        method: 'POST',
        path: '/api/v1/password-change',
        ask: { json: { ticket, newPassword: newPassword(name) } },
        status: 400,
        body: problem(400, 'password-unacceptable', {
          detail: faults.map(({ message }) => message).join(' '),
          faults: faults.map((fault) => ({ field: 'newPassword', ...fault })),
        }),
        absent: [ticket, 'xy z', PASSWORD],
        trail: [`password-change-refused by ${name} via api of ${name} (policy)`],
      });
      const [{ detail } = {}] = await house.features.audit.newest(1);
      expect(detail).toEqual({ rules: faults.map(({ rule }) => rule) });
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
