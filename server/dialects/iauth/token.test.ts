import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { PASSWORD, startTestHost, type Ask } from '../../../test/host.ts';
import {
  badInput,
  expectScenario,
  INSTANT,
  JWT,
  problem,
  PROBLEM_TYPE,
  type Scenario,
} from '../../../test/scenario.ts';

const UNKNOWN = 'eb97a642-78f5-4458-b8ca-036fe70298ef';
const NOBODY = { Authenticated: false };

const house = await startTestHost();
await house.addUser('olivia', { logoutTimeInMin: 5 });
await house.addUser('adam', { type: 'Admin' });
await house.addUser('paul', { type: 'Passive' });
await house.addUser('novice', { mustChange: true });
await house.addUser('stranger');
await house.addUser('dora');
await house.features.users.change('dora', { enabled: false }, HOST_ACTOR);
const users = { olivia: '5', adam: '9', paul: '1', novice: '2', dora: '3' };
const { app: hmi, key } = await house.addApp('HMI', { users });
const { key: otherKey } = await house.addApp('Panel', { users });
afterAll(() => house.close());

beforeEach(() => house.ask('DELETE', `/api/Token/${hmi.id}`));

const olivia = { Authenticated: true, User: 'olivia', Role: '5', Token: JWT, TokenExpires: INSTANT };
const put = (json: unknown, path = '/api/Token'): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
  method: 'PUT',
  path,
  ask: { json },
});

describe('PUT /api/Token', () => {
  const good = { username: 'olivia', password: PASSWORD, appId: hmi.id };
  const signedIn = {
    status: 200,
    body: olivia,
    headers: { 'cache-control': 'no-store', etag: undefined, 'set-cookie': undefined },
    absent: [PASSWORD, 'refresh'],
    events: ['SessionOpened olivia at HMI'],
    trail: ['sign-in by olivia via iauth of olivia at HMI (password)'],
  };
  const admitted: Scenario[] = [
    { title: 'signs in', ...put(good), ...signedIn },
    {
      title: 'signs in with capitals',
      ...put({ Username: 'olivia', Password: PASSWORD, AppId: hmi.id.toUpperCase() }),
      ...signedIn,
    },
    {
      title: 'signs in with any letter case',
      ...put({ USERNAME: 'olivia', pAsSwOrD: PASSWORD, APPID: hmi.id }),
      ...signedIn,
    },
    {
      title: 'signs in whatever else is sent',
      ...put({ ...good, Language: 'de', __proto__: 1 }),
      ...signedIn,
    },
    { title: 'signs in at a path in any letter case', ...put(good, '/API/token'), ...signedIn },
    { title: 'signs in at a path that ends in a slash', ...put(good, '/api/Token/'), ...signedIn },
  ];
  test.each(admitted)('$title', async (scenario) => {
    await expectScenario(house, scenario);
  });

  test('answers with its fields in their order and spelling', async () => {
    const { text } = await house.ask('PUT', '/api/Token', { json: good });
    expect(text).toMatch(
      /^\{"Authenticated":true,"User":"olivia","Role":"5","Token":"[\w.-]+","TokenExpires":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"\}$/,
    );
  });

  const refused: [title: string, json: object, trail: string[]][] = [
    [
      'a name that nobody has',
      { username: 'nobody' },
      ['sign-in-refused by anonymous via iauth at HMI (unknown-user)'],
    ],
    [
      'a name in other letters',
      { username: 'Olivia' },
      ['sign-in-refused by anonymous via iauth at HMI (unknown-user)'],
    ],
    [
      'a wrong password',
      { password: 'wrong' },
      ['sign-in-refused by anonymous via iauth of olivia at HMI (wrong-password)'],
    ],
    [
      'a disabled user',
      { username: 'dora' },
      ['sign-in-refused by anonymous via iauth of dora at HMI (user-disabled)'],
    ],
    [
      'a passive user',
      { username: 'paul' },
      ['sign-in-refused by anonymous via iauth of paul at HMI (user-passive)'],
    ],
    [
      'a user without leave',
      { username: 'stranger' },
      ['sign-in-refused by anonymous via iauth of stranger at HMI (not-allowed-at-app)'],
    ],
    [
      'an app that is not there',
      { appId: UNKNOWN },
      ['sign-in-refused by anonymous via iauth of olivia (unknown-app)'],
    ],
    [
      'a password that must be replaced',
      { username: 'novice' },
      ['password-change-required by novice via iauth of novice (one-time-secret)'],
    ],
  ];
  test.each(refused)('says that nobody is authenticated, and no more, to %s', async (title, json, trail) => {
    const { text } = await expectScenario(house, {
      title,
      ...put({ ...good, ...json }),
      status: 200,
      body: NOBODY,
      headers: { 'set-cookie': undefined, 'www-authenticate': undefined },
      trail,
    });
    expect(text).toBe('{"Authenticated":false}');
  });

  test('answers every refusal with the very same bytes, Date apart', async () => {
    const seen = new Set<string>();
    for (const [, json] of refused) {
      const { status, rawHeaders, text } = await house.ask('PUT', '/api/Token', {
        json: { ...good, ...json },
      });
      seen.add(JSON.stringify([status, rawHeaders.toSpliced(rawHeaders.indexOf('Date'), 2), text]));
    }
    expect(seen.size).toBe(1);
  });

  test('does not sign out the one who is there when another one is refused', async () => {
    await house.ask('PUT', '/api/Token', { json: good });
    await house.ask('PUT', '/api/Token', { json: { ...good, username: 'adam', password: 'wrong' } });
    expect((await house.ask('GET', `/api/Token/${hmi.id}`)).body).toMatchObject({ User: 'olivia' });
  });

  const guid = 'must be a GUID such as eb97a642-78f5-4458-b8ca-036fe70298ef';
  const malformed: Scenario[] = [
    { title: 'no body', ask: {}, status: 400, body: badInput('body: is missing') },
    { title: 'a list', ask: { json: [good] }, status: 400, body: badInput('body: must be an object') },
    {
      title: 'an empty object',
      ask: { json: {} },
      status: 400,
      body: badInput('username: is missing', 'password: is missing', 'appid: is missing'),
    },
    {
      title: 'a number for a name',
      ask: { json: { ...good, username: 1 } },
      status: 400,
      body: badInput('username: must be text'),
    },
    {
      title: 'an empty password',
      ask: { json: { ...good, password: '' } },
      status: 400,
      body: badInput('password: must not be empty'),
    },
    {
      title: 'the name of an app',
      ask: { json: { ...good, appId: 'HMI' } },
      status: 400,
      body: badInput(`appid: ${guid}`),
    },
    {
      title: 'a name too long',
      ask: { json: { ...good, username: 'x'.repeat(65) } },
      status: 400,
      body: badInput('username: must have at most 64 characters'),
    },
    {
      title: 'half of JSON',
      ask: { raw: '{', headers: { 'Content-Type': 'application/json' } },
      status: 400,
      body: problem(400, 'malformed-body'),
    },
    {
      title: 'no JSON',
      ask: { raw: 'a=1', headers: { 'Content-Type': 'text/plain' } },
      status: 415,
      body: problem(415, 'unsupported-media-type'),
    },
  ];
  test.each(malformed)('refuses $title', async (scenario) => {
    await expectScenario(house, {
      method: 'PUT',
      path: '/api/Token',
      headers: { 'content-type': PROBLEM_TYPE },
      absent: [PASSWORD],
      ...scenario,
    });
  });

  test('says that the host is busy, for that is no refusal', async () => {
    await using crowded = await startTestHost({
      config: {
        'passwords.memoryKib': '32768',
        'passwords.iterations': '2',
        'passwords.maxConcurrent': '1',
        'passwords.maxWaiting': '1',
      },
    });
    const { app } = await crowded.addApp('HMI');
    const json = { username: 'nobody', password: PASSWORD, appId: app.id };
    await Promise.all(Array.from({ length: 6 }, () => crowded.ask('GET', '/api/v1/welcome')));
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => crowded.ask('PUT', '/api/Token', { json })),
    );
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    for (const { body, headers } of busy) {
      expect(body).toEqual(problem(503, 'busy'));
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    for (const { status, body } of answers) if (status !== 503) expect(body).toEqual(NOBODY);
  });

  test.each([
    ['the user', 5, 10, 5],
    ['the app', 10, 5, 5],
    ['the app alone', undefined, 7, 7],
  ])('ends when the shorter limit is over, here that of %s', async (_, userLimit, appLimit, minutes) => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    await timed.addUser('olivia', userLimit === undefined ? {} : { logoutTimeInMin: userLimit });
    const { app } = await timed.addApp('HMI', { users: { olivia: '5' }, logoutTimeInMin: appLimit });
    const { body } = await timed.ask('PUT', '/api/Token', { json: { ...good, appId: app.id } });
    const { Token, TokenExpires } = body as { Token: string; TokenExpires: string };
    expect(TokenExpires).toBe(new Date(clock.now() + minutes * 60_000).toISOString());

    await clock.advance(minutes * 60_000 - 1000);
    expect((await timed.ask('GET', '/api/v1/session', { token: Token })).status).toBe(200);
    expect((await timed.ask('GET', `/api/Token/${app.id}`)).body).toMatchObject({
      User: 'olivia',
      TokenExpires,
    });
    const ended = timed.published('SessionEnded');
    await clock.advance(1000);
    await ended;
    expect((await timed.ask('GET', `/api/Token/${app.id}`)).body).toEqual(NOBODY);
    expect((await timed.ask('GET', '/api/v1/session', { token: Token })).status).toBe(401);
  });
});

describe('PUT /api/Token/iAuth', () => {
  const path = '/api/Token/iAuth';
  test.each([path, '/api/token/IAUTH'])(
    'signs in to the host itself, with the type of user as role: %s',
    async (spelt) => {
      const { body } = await expectScenario(house, {
        title: '',
        ...put({ Username: 'adam', Password: PASSWORD }, spelt),
        status: 200,
        body: { Authenticated: true, User: 'adam', Role: 'Admin', Token: JWT, TokenExpires: INSTANT },
        absent: [PASSWORD],
        events: ['SessionOpened adam at Keyswitch'],
        trail: ['sign-in by adam via iauth of adam (password)'],
      });
      const { Token: token } = body as { Token: string };
      expect((await house.ask('GET', '/api/v1/users', { token })).status).toBe(200);
    },
  );

  test.each([
    [
      'a wrong password',
      { username: 'adam', password: 'wrong' },
      ['sign-in-refused by anonymous via iauth of adam (wrong-password)'],
    ],
    [
      'a passive user',
      { username: 'paul', password: PASSWORD },
      ['sign-in-refused by anonymous via iauth of paul (user-passive)'],
    ],
    [
      'a password that must be replaced',
      { username: 'novice', password: PASSWORD },
      ['password-change-required by novice via iauth of novice (one-time-secret)'],
    ],
  ])('says that nobody is authenticated to %s', async (title, json, trail) => {
    await expectScenario(house, { title, ...put(json, path), status: 200, body: NOBODY, trail });
  });

  test.each([
    ["after the user's limit", 5, 5],
    ['without a limit, when a browser session would at the latest', undefined, 12 * 60],
  ])('ends %s', async (_, logoutTimeInMin, minutes) => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    await timed.addUser('olivia', logoutTimeInMin === undefined ? {} : { logoutTimeInMin });
    const json = { username: 'olivia', password: PASSWORD };
    const { body } = await timed.ask('PUT', path, { json });
    const { Token: token, TokenExpires } = body as { Token: string; TokenExpires: string };
    expect(TokenExpires).toBe(new Date(clock.now() + minutes * 60_000).toISOString());

    await clock.advance(minutes * 60_000 - 1000);
    expect((await timed.ask('GET', '/api/v1/session', { token })).status).toBe(200);
    const ended = timed.published('SessionEnded');
    await clock.advance(1000);
    await ended;
    expect((await timed.ask('GET', '/api/v1/session', { token })).status).toBe(401);
  });

  test('asks for name and password', async () => {
    await expectScenario(house, {
      title: '',
      ...put({}, path),
      status: 400,
      body: badInput('username: is missing', 'password: is missing'),
    });
  });
});

describe('GET /api/Token/{appId}', () => {
  const path = `/api/Token/${hmi.id}`;
  const signIn = async () => {
    const { body } = await house.ask('PUT', '/api/Token', {
      json: { username: 'olivia', password: PASSWORD, appId: hmi.id },
    });
    return body as { Token: string; TokenExpires: string };
  };
  const withKey = (value: string): Ask => ({ headers: { 'X-App-Key': value } });

  test.each([
    ['without the key', {}],
    ['with the key', withKey(key)],
  ])('says that nobody is there, %s', async (title, ask) => {
    const { text } = await expectScenario(house, { title, path, ask, status: 200, body: NOBODY });
    expect(text).toBe('{"Authenticated":false}');
  });

  test('says who is there, and tells the token to nobody who has not proved the key', async () => {
    const { Token, TokenExpires } = await signIn();
    await expectScenario(house, {
      title: '',
      path,
      status: 200,
      body: { Authenticated: true, User: 'olivia', Role: '5', Token: null, TokenExpires },
      headers: { 'cache-control': 'no-store', etag: undefined },
      absent: [Token, 'eyJ'],
    });
  });

  test('tells the token to one who has, and it is good', async () => {
    const { TokenExpires } = await signIn();
    const { body } = await expectScenario(house, {
      title: '',
      path: path.toUpperCase(),
      ask: withKey(key),
      status: 200,
      body: { Authenticated: true, User: 'olivia', Role: '5', Token: JWT, TokenExpires },
    });
    const { Token: token } = body as { Token: string };
    expect((await house.ask('GET', '/api/v1/session', { token })).body).toMatchObject({
      session: { user: { name: 'olivia' } },
    });
    expect((await house.ask('GET', path, withKey(key))).body).toEqual(body);
  });

  test.each([
    ['a wrong key', 'x'],
    ["another app's key", otherKey],
    ['an empty key', ''],
    ['the key in other letters', key.toLowerCase() === key ? key.toUpperCase() : key.toLowerCase()],
  ])('refuses %s, whether somebody is there or not', async (title, value) => {
    const refused = {
      title,
      path,
      ask: withKey(value),
      status: 403,
      body: problem(403, 'forbidden', { detail: "The X-App-Key header is not this app's key." }),
      absent: ['olivia', key, 'eyJ'],
    };
    await expectScenario(house, refused);
    await signIn();
    await expectScenario(house, refused);
  });

  test.each([
    ['an id that no app has', UNKNOWN, `No app has the id ${UNKNOWN}.`],
    ['what is no id', 'HMI', 'No app has the id HMI.'],
    ['the name of a prototype', '__proto__', 'No app has the id __proto__.'],
  ])('does not know %s, with a key or without', async (title, id, detail) => {
    const unknown = {
      title,
      path: `/api/Token/${id}`,
      status: 404,
      body: problem(404, 'not-found', { detail }),
    };
    await expectScenario(house, unknown);
    await expectScenario(house, { ...unknown, ask: withKey(key) });
  });
});

describe('DELETE /api/Token/{appId}', () => {
  const path = `/api/Token/${hmi.id}`;
  test('signs out whoever is there, and does nothing the second time', async () => {
    const { body } = await house.ask('PUT', '/api/Token', {
      json: { username: 'olivia', password: PASSWORD, appId: hmi.id },
    });
    const { Token: token } = body as { Token: string };
    await expectScenario(house, {
      title: '',
      method: 'DELETE',
      path,
      status: 200,
      body: NOBODY,
      events: ['SessionEnded olivia at HMI: signed-out'],
      trail: ['session-ended by anonymous via iauth of olivia at HMI (signed-out)'],
    });
    await expectScenario(house, { title: '', method: 'DELETE', path, status: 200, body: NOBODY });
    expect((await house.ask('GET', path)).body).toEqual(NOBODY);
    expect((await house.ask('GET', '/api/v1/session', { token })).status).toBe(401);
  });

  test('does not know an id that no app has', async () => {
    await expectScenario(house, {
      title: '',
      method: 'DELETE',
      path: `/api/Token/${UNKNOWN}`,
      status: 404,
      body: problem(404, 'not-found', { detail: `No app has the id ${UNKNOWN}.` }),
    });
  });
});

test('whoever signs in by one door is seen at the other', async () => {
  await house.signIn('adam', hmi.id);
  expect((await house.ask('GET', `/api/Token/${hmi.id}`)).body).toMatchObject({
    User: 'adam',
    Role: '9',
    Token: null,
  });
  await house.ask('PUT', '/api/Token', { json: { username: 'olivia', password: PASSWORD, appId: hmi.id } });
  expect((await house.ask('GET', `/api/v1/apps/${hmi.id}/state`)).body).toMatchObject({
    user: 'olivia',
    role: '5',
  });
});

describe('where the setting says that there is no iAuth', () => {
  test('its paths are not there, and nothing else is different', async () => {
    await using without = await startTestHost({ config: { 'dialects.iauth': 'false' } });
    await without.addUser('olivia');
    const { app } = await without.addApp('HMI', { users: { olivia: '5' } });
    const credential = { username: 'olivia', password: PASSWORD };
    const gone: [method: string, path: string, ask: Ask][] = [
      ['PUT', '/api/Token', { json: { ...credential, appId: app.id } }],
      ['PUT', '/api/Token/iAuth', { json: credential }],
      ['GET', `/api/Token/${app.id}`, {}],
      ['DELETE', `/api/Token/${app.id}`, {}],
      ['POST', '/api/Token', {}],
    ];
    for (const [method, path, ask] of gone) {
      const detail = `Nothing is at ${path}.`;
      await expectScenario(without, {
        title: path,
        method,
        path,
        ask,
        status: 404,
        body: problem(404, 'not-found', { detail }),
      });
    }
    await without.signIn('olivia', app.id);
    expect((await without.ask('GET', `/api/v1/apps/${app.id}/state`)).body).toMatchObject({
      user: 'olivia',
      role: '5',
    });
    const described = async (host: typeof house) => (await host.ask('GET', '/api/v1/openapi.json')).text;
    expect(await described(without)).toBe(await described(house));
  });
});
