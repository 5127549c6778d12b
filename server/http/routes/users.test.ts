import { afterAll, describe, expect, test } from 'vitest';
import { PASSWORD, startTestHost } from '../../../test/host.ts';
import { badInput, expectScenario, GUID, problem, type Scenario } from '../../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken: token } = await house.signIn('adam');
afterAll(() => house.close());

const active = { id: GUID, type: 'Active', enabled: true, logoutTimeInMin: null };
const tooShort = 'The password must have at least 15 characters.';

const get: Scenario[] = [
  {
    title: 'lists the users by name, without a hash',
    path: '/api/v1/users',
    ask: { token },
    status: 200,
    body: [
      { ...active, name: 'Administrator', displayName: 'Administrator', type: 'Admin' },
      { ...active, name: 'adam', displayName: 'adam', type: 'Admin' },
      { ...active, name: 'olivia', displayName: 'olivia' },
    ],
    headers: { 'cache-control': 'no-store' },
    absent: ['argon2', 'hash', 'password'],
  },
];
const post = (json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
  method: 'POST',
  path: '/api/v1/users',
  ask: { token, json },
});
const add: Scenario[] = [
  {
    title: 'adds an active user without a limit',
    ...post({ name: 'rita', password: PASSWORD }),
    status: 201,
    body: { ...active, name: 'rita', displayName: 'rita' },
    absent: [PASSWORD, 'argon2'],
    events: ['UserChanged rita'],
    trail: ['user-added by adam via api of rita'],
  },
  {
    title: 'adds a user with everything there is to say',
    ...post({
      name: 'rené',
      displayName: ' René Dupont ',
      type: 'Passive',
      logoutTimeInMin: 10_080,
      password: PASSWORD,
    }),
    status: 201,
    body: { ...active, name: 'rené', displayName: 'René Dupont', type: 'Passive', logoutTimeInMin: 10_080 },
    events: ['UserChanged rené'],
    trail: ['user-added by adam via api of rené'],
  },
  {
    title: 'does not add a second one of the same name',
    ...post({ name: 'olivia', password: PASSWORD }),
    status: 409,
    body: problem(409, 'already-exists', { detail: 'A user named olivia exists. Choose another name.' }),
    absent: [PASSWORD],
  },
  {
    title: 'names the rule that a password breaks, not the password',
    ...post({ name: 'sue', password: 'too short' }),
    status: 400,
    body: problem(400, 'password-unacceptable', {
      detail: tooShort,
      faults: [{ field: 'newPassword', message: tooShort }],
    }),
    absent: ['too short'],
  },
  {
    title: 'asks for name and password',
    ...post({}),
    status: 400,
    body: badInput('name: is missing', 'password: is missing'),
  },
  {
    title: 'names every limit at once, and the values of none',
    ...post({
      name: 'a\tb',
      displayName: 'd'.repeat(129),
      type: 'admin',
      logoutTimeInMin: 0,
      password: 'p'.repeat(8193),
      id: 1,
    }),
    status: 400,
    body: badInput(
      'name: must not hold control characters',
      'displayName: must have at most 128 characters',
      'type: must be one of Passive, Active, Admin',
      'logoutTimeInMin: must be at least 1',
      'password: must have at most 8192 characters',
      'id: is not a known field',
    ),
    absent: ['ppp', 'ddd'],
  },
];
const patch = (name: string, json: unknown): Pick<Scenario, 'method' | 'path' | 'ask'> => ({
  method: 'PATCH',
  path: `/api/v1/users/${encodeURIComponent(name)}`,
  ask: { token, json },
});
const change: Scenario[] = [
  {
    title: 'changes what is named and nothing else',
    ...patch('rita', { displayName: 'Rita', logoutTimeInMin: 3 }),
    status: 200,
    body: { ...active, name: 'rita', displayName: 'Rita', logoutTimeInMin: 3 },
    events: ['UserChanged rita'],
    trail: ['user-changed by adam via api of rita'],
  },
  {
    title: 'takes a limit away with null',
    ...patch('rita', { logoutTimeInMin: null }),
    status: 200,
    body: { ...active, name: 'rita', displayName: 'Rita' },
    events: ['UserChanged rita'],
    trail: ['user-changed by adam via api of rita'],
  },
  {
    title: 'does not know every user',
    ...patch('nobody', { enabled: false }),
    status: 404,
    body: problem(404, 'not-found', { detail: 'No user is named nobody.' }),
  },
  {
    title: 'does not rename, and sets no password',
    ...patch('rita', { name: 'zita', password: PASSWORD }),
    status: 400,
    body: badInput('name: is not a known field', 'password: is not a known field'),
    absent: [PASSWORD],
  },
  {
    title: 'names the fault of a name that cannot be one',
    ...patch('x'.repeat(65), {}),
    status: 400,
    body: badInput('userName: must have at most 64 characters'),
  },
];

describe('GET /api/v1/users', () => {
  test.each(get)('$title', async (scenario) => void (await expectScenario(house, scenario)));
});

describe('POST /api/v1/users', () => {
  test.each(add)('$title', async (scenario) => void (await expectScenario(house, scenario)));
});

describe('PATCH /api/v1/users/{userName}', () => {
  test.each(change)('$title', async (scenario) => void (await expectScenario(house, scenario)));

  test('ends every session of a user it disables, and lets them in no more', async () => {
    const cookie = await house.signInForCookie('olivia');
    const { accessToken } = await house.signIn('olivia', hmi.id);
    house.events();
    await house.trail();
    const ended = house.published('SessionEnded', 2);
    const { body } = await house.ask('PATCH', '/api/v1/users/olivia', { token, json: { enabled: false } });
    expect(body).toMatchObject({ name: 'olivia', enabled: false });
    // From the answer on, whether their ends are on disk yet or not.
    const asked = [{ cookie }, { token: accessToken ?? '' }].map((by) =>
      house.ask('GET', '/api/v1/session', by),
    );
    for (const { status } of await Promise.all(asked)) expect(status).toBe(401);
    await ended;
    expect(house.events().sort()).toEqual([
      'SessionEnded olivia at HMI: user-disabled',
      'SessionEnded olivia at Keyswitch: user-disabled',
      'UserChanged olivia',
    ]);
    expect((await house.trail()).sort()).toEqual([
      'session-ended by host via host of olivia (user-disabled)',
      'session-ended by host via host of olivia at HMI (user-disabled)',
      'user-changed by adam via api of olivia',
    ]);
    const again = await house.ask('POST', '/api/v1/sign-in', {
      json: { username: 'olivia', password: PASSWORD },
    });
    expect(again.status).toBe(401);
  });

  test('leaves the last administrator in place', async () => {
    await house.ask('PATCH', '/api/v1/users/Administrator', { token, json: { enabled: false } });
    const last = 'adam is the last enabled administrator. Make another one first.';
    await expectScenario(house, {
      title: '',
      ...patch('adam', { type: 'Active' }),
      status: 400,
      body: badInput(`type: ${last}`),
    });
    await expectScenario(house, {
      title: '',
      ...patch('adam', { enabled: false }),
      status: 400,
      body: badInput(`enabled: ${last}`),
    });
  });
});
