import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { PASSWORD, startTestHost, type TestHost } from '../../../test/host.ts';
import {
  badInput,
  expectScenario,
  GUID,
  INSTANT,
  ONE_TIME_SECRET,
  problem,
  type Scenario,
} from '../../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken: token } = await house.signIn('adam');
afterAll(() => house.close());

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The way in of the command line. */
function commandLineKey({ dataFolder }: TestHost): string {
  return (JSON.parse(readFileSync(join(dataFolder, 'control.json'), 'utf8')) as { key: string }).key;
}

const active = { id: GUID, type: 'Active', enabled: true, logoutTimeInMin: null };
const tooShort = 'The password must have at least 15 characters.';
/** What the list says of somebody with a password of their own who never signed in. */
const listed = {
  ...active,
  emergency: false,
  password: 'set',
  passwordExpiresAt: null,
  lock: null,
  lastSignInAt: null,
};
const administrator = { name: 'Administrator', displayName: 'Administrator', type: 'Admin' };

const get: Scenario[] = [
  {
    title: 'lists the users by name, without a hash',
    path: '/api/v1/users',
    ask: { token },
    status: 200,
    body: [
      { ...listed, ...administrator, password: 'one-time', passwordExpiresAt: INSTANT },
      { ...listed, name: 'adam', displayName: 'adam', type: 'Admin', lastSignInAt: INSTANT },
      { ...listed, name: 'olivia', displayName: 'olivia' },
    ],
    headers: { 'cache-control': 'no-store' },
    absent: ['argon2', 'hash', 'ecret'],
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
      faults: [{ field: 'password', rule: 'min-length', values: { limit: 15 }, message: tooShort }],
    }),
    absent: ['too short'],
  },
  {
    title: 'asks for a name',
    ...post({}),
    status: 400,
    body: badInput('name: is missing'),
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

  test('tells until when each password is good, and which are sealed', async () => {
    const clock = createFixedClock();
    const start = clock.now();
    await using plant = await startTestHost({
      clock,
      config: { 'passwords.maxAgeDays': '2', 'passwords.warnDays': '1' },
    });
    await plant.addUser('adam', { type: 'Admin' });
    await plant.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    const list = async (): Promise<unknown> => {
      const { accessToken: token } = await plant.signIn('adam');
      return (await plant.ask('GET', '/api/v1/users', { token })).body;
    };
    const instant = (ms: number): string => new Date(ms).toISOString();
    const before = { passwordExpiresAt: instant(start + DAY_MS), password: 'one-time' };
    const sealed = { name: 'Emergency', displayName: 'Emergency', type: 'Admin', password: 'none' };
    expect(await list()).toEqual([
      { ...listed, ...administrator, ...before },
      { ...listed, ...sealed, emergency: true },
      {
        ...{ ...listed, name: 'adam', displayName: 'adam', type: 'Admin' },
        passwordExpiresAt: instant(start + 2 * DAY_MS),
        lastSignInAt: instant(start),
      },
    ]);
    await clock.advance(MINUTE_MS);
    await plant.addUser('olivia');
    await clock.advance(2 * DAY_MS - MINUTE_MS);
    const { body } = await plant.ask('GET', '/api/v1/users', { token: commandLineKey(plant) });
    const passwords = (body as { name: string; password: string }[]).map(({ name, password }) => [
      name,
      password,
    ]);
    expect(passwords).toEqual([
      ['Administrator', 'one-time'],
      ['Emergency', 'none'],
      ['adam', 'expired'],
      ['olivia', 'set'],
    ]);
  });
});

describe('POST /api/v1/users', () => {
  test.each(add)('$title', async (scenario) => void (await expectScenario(house, scenario)));

  test('makes a one-time secret where no password is sent, and shows it this once', async () => {
    const { body } = await expectScenario(house, {
      title: '',
      ...post({ name: 'nadja', displayName: 'Nadja' }),
      status: 201,
      body: {
        ...{ ...active, name: 'nadja', displayName: 'Nadja' },
        oneTimeSecret: ONE_TIME_SECRET,
        oneTimeSecretExpiresAt: INSTANT,
      },
      headers: { 'cache-control': 'no-store' },
      absent: ['argon2'],
      events: ['UserChanged nadja'],
      trail: ['user-added by adam via api of nadja'],
    });
    const { oneTimeSecret, oneTimeSecretExpiresAt } = body as Record<string, string>;
    const leftMs = Date.parse(oneTimeSecretExpiresAt!) - Date.now();
    expect(leftMs).toBeGreaterThan(DAY_MS - 60_000);
    expect(leftMs).toBeLessThanOrEqual(DAY_MS);
    const [row] = await house.features.audit.newest(1);
    expect(row?.detail).toEqual({ type: 'Active', logoutTimeInMin: null, credential: 'one-time' });

    const users = await house.ask('GET', '/api/v1/users', { token });
    expect(users.text).not.toContain(oneTimeSecret);
    expect(users.body).toContainEqual({
      ...{ ...listed, name: 'nadja', displayName: 'Nadja' },
      password: 'one-time',
      passwordExpiresAt: oneTimeSecretExpiresAt,
    });
    const json = { username: 'nadja', password: oneTimeSecret };
    const asked = await house.ask('POST', '/api/v1/sign-in', { json });
    expect(asked.body).toMatchObject({ code: 'password-change-required', why: 'one-time-secret' });
  });

  test('records that a password came by script', async () => {
    await house.ask('POST', '/api/v1/users', { token, json: { name: 'sven', password: PASSWORD } });
    const [row] = await house.features.audit.newest(1);
    expect(row).toMatchObject({
      action: 'user-added',
      subject: 'sven',
      detail: { credential: 'provisioned' },
    });
  });

  test('takes no password where provisioning is switched off, from the command line neither', async () => {
    await using strict = await startTestHost({ config: { 'passwords.provisioning': 'false' } });
    const control = commandLineKey(strict);
    await expectScenario(strict, {
      title: '',
      method: 'POST',
      path: '/api/v1/users',
      ask: { token: control, json: { name: 'rita', password: PASSWORD } },
      status: 403,
      body: problem(403, 'forbidden', {
        detail: 'Passwords are not set by scripts here (passwords.provisioning).',
      }),
      absent: [PASSWORD],
    });
    await expectScenario(strict, {
      title: '',
      method: 'POST',
      path: '/api/v1/users',
      ask: { token: control, json: { name: 'rita' } },
      status: 201,
      body: expect.objectContaining({ name: 'rita', oneTimeSecret: ONE_TIME_SECRET }),
      events: ['UserChanged rita'],
      trail: ['user-added by command line via command-line of rita'],
    });
  });
});

describe('POST /api/v1/users/{userName}/password-reset', () => {
  const reset = (name: string): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
    title: '',
    method: 'POST',
    path: `/api/v1/users/${encodeURIComponent(name)}/password-reset`,
    ask: { token },
  });

  test('puts a one-time secret in the place of the password, and ends the sessions of the user', async () => {
    await house.addUser('pia');
    const { accessToken } = await house.signIn('pia');
    const { body } = await expectScenario(house, {
      ...reset('pia'),
      status: 200,
      body: { username: 'pia', oneTimeSecret: ONE_TIME_SECRET, expiresAt: INSTANT },
      headers: { 'cache-control': 'no-store', 'set-cookie': undefined },
      absent: ['argon2', PASSWORD],
      events: ['SessionEnded pia at Keyswitch: password-reset'],
      trail: [
        'password-reset by adam via api of pia',
        'session-ended by adam via api of pia (password-reset)',
      ],
    });
    const { oneTimeSecret, expiresAt } = body as Record<string, string>;
    expect(Math.abs(Date.parse(expiresAt!) - Date.now() - DAY_MS)).toBeLessThan(60_000);
    expect((await house.ask('GET', '/api/v1/session', { token: accessToken })).status).toBe(401);
    const signIn = (password: string | undefined) =>
      house.ask('POST', '/api/v1/sign-in', { json: { username: 'pia', password } });
    expect((await signIn(PASSWORD)).body).toMatchObject({ code: 'sign-in-refused' });
    expect((await signIn(oneTimeSecret)).body).toMatchObject({
      code: 'password-change-required',
      why: 'one-time-secret',
    });
    const trail = JSON.stringify(await house.features.audit.newest(20));
    expect(trail).toContain(expiresAt);
    expect(trail).not.toContain(oneTimeSecret);
  });

  test('replaces the secret of the reset before', async () => {
    await house.addUser('quinn');
    const secrets: string[] = [];
    for (let times = 0; times < 2; times += 1) {
      const { body } = await house.ask('POST', '/api/v1/users/quinn/password-reset', { token });
      secrets.push((body as { oneTimeSecret: string }).oneTimeSecret);
    }
    const codes: unknown[] = [];
    for (const password of secrets) {
      const { body } = await house.ask('POST', '/api/v1/sign-in', { json: { username: 'quinn', password } });
      codes.push((body as { code: string }).code);
    }
    expect(codes).toEqual(['sign-in-refused', 'password-change-required']);
  });

  test('does not know every user', async () => {
    await expectScenario(house, {
      ...reset('nobody'),
      status: 404,
      body: problem(404, 'not-found', { detail: 'No user is named nobody.' }),
    });
  });

  test('takes nothing from an emergency account', async () => {
    await using plant = await startTestHost();
    await plant.features.emergency.add({ name: 'Sealed' }, HOST_ACTOR);
    await expectScenario(plant, {
      ...reset('Sealed'),
      ask: { token: commandLineKey(plant) },
      status: 403,
      body: problem(403, 'forbidden', { detail: 'Sealed is an emergency account. Seal it anew instead.' }),
      absent: ['ecret'],
    });
  });
});

describe('POST /api/v1/users/{userName}/unlock', () => {
  test('lets a user in again whom ten failures have locked until an administrator unlocks', async () => {
    await using plant = await startTestHost({ config: { 'lockout.preset': 'jube' } });
    await plant.addUser('adam', { type: 'Admin' });
    await plant.addUser('olivia');
    const { accessToken: token } = await plant.signIn('adam');
    const signIn = async (password: string): Promise<unknown> => {
      const { body, status } = await plant.ask('POST', '/api/v1/sign-in', {
        json: { username: 'olivia', password },
      });
      return (body as { code?: string }).code ?? status;
    };
    const lockOf = async (): Promise<unknown> => {
      const { body } = await plant.ask('GET', '/api/v1/users', { token });
      return (body as { name: string; lock: unknown }[]).find(({ name }) => name === 'olivia')?.lock;
    };
    for (let tries = 0; tries < 9; tries += 1) await signIn('a guess');
    expect(await lockOf()).toBeNull();
    await plant.trail();
    await signIn('a guess');
    expect(await plant.trail()).toEqual([
      'sign-in-refused by anonymous via api of olivia (wrong-password)',
      'account-locked by anonymous via api of olivia',
    ]);
    expect(await lockOf()).toEqual({ until: null, failures: 10, places: null });
    expect(await signIn(PASSWORD)).toBe('sign-in-refused');
    expect(await plant.trail()).toEqual(['sign-in-refused by anonymous via api of olivia (locked)']);

    const unlock = { method: 'POST', path: '/api/v1/users/olivia/unlock', ask: { token }, status: 204 };
    await expectScenario(plant, {
      title: '',
      ...unlock,
      trail: ['account-unlocked by adam via api of olivia'],
    });
    expect(await lockOf()).toBeNull();
    expect(await signIn(PASSWORD)).toBe(200);
    // Asked for again there is nothing to do, and nothing to record.
    await expectScenario(plant, { title: '', ...unlock });
  });

  test('lifts a timed lock at an address as well', async () => {
    const clock = createFixedClock();
    const config = { 'lockout.tries': '3', 'lockout.lockMin': '20' };
    await using plant = await startTestHost({ clock, config });
    await plant.addUser('olivia');
    const control = commandLineKey(plant);
    const signIn = (password: string) =>
      plant.ask('POST', '/api/v1/sign-in', { json: { username: 'olivia', password } });
    for (let tries = 0; tries < 3; tries += 1) await signIn('a guess');
    const { body } = await plant.ask('GET', '/api/v1/users', { token: control });
    const until = new Date(clock.now() + 20 * MINUTE_MS).toISOString();
    expect(body).toContainEqual({
      ...{ ...listed, name: 'olivia', displayName: 'olivia' },
      lock: { until, failures: 3, places: ['127.0.0.1'] },
    });
    expect((await signIn(PASSWORD)).status).toBe(429);
    await plant.ask('POST', '/api/v1/users/olivia/unlock', { token: control });
    expect((await signIn(PASSWORD)).status).toBe(200);
  });

  test('does not know every user', async () => {
    await expectScenario(house, {
      title: '',
      method: 'POST',
      path: '/api/v1/users/nobody/unlock',
      ask: { token },
      status: 404,
      body: problem(404, 'not-found', { detail: 'No user is named nobody.' }),
    });
  });
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
