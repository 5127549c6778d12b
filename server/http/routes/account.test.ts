import { afterAll, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { PASSWORD, startTestHost, type Ask, type TestHost } from '../../../test/host.ts';
import {
  badInput,
  expectScenario,
  INSTANT,
  problem,
  PROBLEM_TYPE,
  type Scenario,
} from '../../../test/scenario.ts';

const DAY_MS = 86_400_000;
const NEW_PASSWORD = 'a boiler that hums';

const house = await startTestHost();
afterAll(() => house.close());

let count = 0;
/** Somebody new with a session that asks, and one elsewhere. */
async function signedIn(): Promise<{ name: string; own: string; other: string }> {
  const name = `anouk${(count += 1)}`;
  await house.addUser(name);
  const { accessToken: other } = await house.signIn(name);
  const { accessToken: own } = await house.signIn(name);
  return { name, own, other };
}

const statusOf = async (ask: Ask) => (await house.ask('GET', '/api/v1/session', ask)).status;
const signInWith = async (username: string, password: string) =>
  (await house.ask('POST', '/api/v1/sign-in', { json: { username, password } })).status;

describe('GET /api/v1/account', () => {
  test("shows the caller's own account, and nothing of the password but its times", async () => {
    const { name, own } = await signedIn();
    await expectScenario(house, {
      title: '',
      path: '/api/v1/account',
      ask: { token: own },
      status: 200,
      body: {
        name,
        displayName: name,
        type: 'Active',
        hasPassword: true,
        hasPin: false,
        passwordChangedAt: INSTANT,
        passwordExpiresAt: null,
        passwordExpiresSoon: false,
      },
      headers: { 'cache-control': 'no-store' },
      absent: ['argon2', PASSWORD],
    });
  });

  test('tells when the password has to be replaced, and from the warning time on that this is soon', async () => {
    const clock = createFixedClock();
    const setAt = clock.now();
    const config = { 'passwords.maxAgeDays': '90', 'passwords.warnDays': '14' };
    await using plant = await startTestHost({ clock, config });
    await plant.addUser('olivia');
    const times = async (): Promise<unknown> => {
      const { accessToken: token } = await plant.signIn('olivia');
      const { body } = await plant.ask('GET', '/api/v1/account', { token });
      const { passwordChangedAt, passwordExpiresAt, passwordExpiresSoon } = body as Record<string, unknown>;
      return [passwordChangedAt, passwordExpiresAt, passwordExpiresSoon];
    };
    const [changedAt, expiresAt] = [setAt, setAt + 90 * DAY_MS].map((ms) => new Date(ms).toISOString());
    expect(await times()).toEqual([changedAt, expiresAt, false]);
    await clock.advance(76 * DAY_MS - 1);
    expect(await times()).toEqual([changedAt, expiresAt, false]);
    await clock.advance(1);
    expect(await times()).toEqual([changedAt, expiresAt, true]);
  });

  test('of somebody from an envelope has no password', async () => {
    const { secret } = await house.features.emergency.add({ name: 'Emergency' }, HOST_ACTOR);
    const { body } = await house.ask('POST', '/api/v1/emergency/sign-in', {
      json: { secret, reason: 'the boiler' },
    });
    const { accessToken: token } = body as { accessToken: string };
    expect((await house.ask('GET', '/api/v1/account', { token })).body).toEqual({
      name: 'Emergency',
      displayName: 'Emergency',
      type: 'Admin',
      hasPassword: false,
      hasPin: false,
      passwordChangedAt: null,
      passwordExpiresAt: null,
      passwordExpiresSoon: false,
    });
  });
});

describe('PUT /api/v1/password', () => {
  const put = (ask: Ask): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
    title: '',
    method: 'PUT',
    path: '/api/v1/password',
    ask,
  });
  const good = { currentPassword: PASSWORD, newPassword: NEW_PASSWORD };

  test("replaces the password and ends the user's other sessions, not this one nor anybody else's", async () => {
    const { name, own, other } = await signedIn();
    const bystander = await signedIn();
    await expectScenario(house, {
      ...put({ token: own, json: good }),
      status: 204,
      headers: { 'set-cookie': undefined, 'cache-control': 'no-store' },
      absent: [PASSWORD, NEW_PASSWORD],
      events: [`SessionEnded ${name} at Keyswitch: password-changed`],
      trail: [
        `password-changed by ${name} via api of ${name}`,
        `session-ended by ${name} via api of ${name} (password-changed)`,
      ],
    });
    const statuses = [own, other, bystander.own, bystander.other].map((token) => statusOf({ token }));
    expect(await Promise.all(statuses)).toEqual([200, 401, 200, 200]);
    expect([await signInWith(name, NEW_PASSWORD), await signInWith(name, PASSWORD)]).toEqual([200, 401]);
  });

  test('leaves the page that asks its cookie', async () => {
    const { name } = await signedIn();
    const cookie = await house.signInForCookie(name);
    const answer = await house.ask('PUT', '/api/v1/password', { cookie, json: good });
    expect([answer.status, await statusOf({ cookie })]).toEqual([204, 200]);
    expect(house.features.sessions.list().filter(({ user }) => user.name === name)).toHaveLength(1);
  });

  test('asks for the current password, and looks like a refused sign-in where it is wrong', async () => {
    const { name, own, other } = await signedIn();
    await expectScenario(house, {
      ...put({ token: own, json: { ...good, currentPassword: 'not this one' } }),
      status: 401,
      body: problem(401, 'sign-in-refused'),
      headers: { 'content-type': PROBLEM_TYPE, 'set-cookie': undefined },
      absent: ['not this one', NEW_PASSWORD],
      trail: [`password-change-refused by ${name} via api of ${name} (wrong-password)`],
    });
    expect([await statusOf({ token: own }), await statusOf({ token: other })]).toEqual([200, 200]);
    expect(await signInWith(name, PASSWORD)).toBe(200);
  });

  const tooShort = {
    field: 'newPassword',
    rule: 'min-length',
    values: { limit: 15 },
    message: 'The password must have at least 15 characters.',
  };
  const unacceptable: [title: string, newPassword: (name: string) => string, faults: object[]][] = [
    ['that is too short', () => 'fourteen chars', [tooShort]],
    [
      'that is two faults at once',
      (name) => name,
      [
        tooShort,
        {
          field: 'newPassword',
          rule: 'not-user-name',
          message: "The password must not be the user's name with digits and symbols around it.",
        },
      ],
    ],
    [
      'that is the present one',
      () => PASSWORD,
      [
        {
          field: 'newPassword',
          rule: 'not-present',
          message: 'The new password must differ from the present one.',
        },
      ],
    ],
  ];
  test.each(unacceptable)('names every rule that a new one breaks %s', async (_, newPassword, faults) => {
    const { name, own, other } = await signedIn();
    await expectScenario(house, {
      ...put({ token: own, json: { ...good, newPassword: newPassword(name) } }),
      status: 400,
      body: problem(400, 'password-unacceptable', { faults }),
      absent: [PASSWORD, 'fourteen'],
      trail: [`password-change-refused by ${name} via api of ${name} (policy)`],
    });
    const [row] = await house.features.audit.newest(1);
    expect(row?.detail).toEqual({ rules: faults.map((fault) => (fault as { rule: string }).rule) });
    expect([await statusOf({ token: own }), await statusOf({ token: other })]).toEqual([200, 200]);
  });

  const bad: [title: string, ask: Ask, status: number, body: unknown][] = [
    ['nothing', { json: {} }, 400, badInput('currentPassword: is missing', 'newPassword: is missing')],
    [
      'empty ones',
      { json: { currentPassword: '', newPassword: '' } },
      400,
      badInput('currentPassword: must not be empty', 'newPassword: must not be empty'),
    ],
    [
      'half a character',
      {
        raw: `{"currentPassword":"${PASSWORD}","newPassword":"\\ud83d and fifteen more"}`,
        headers: { 'Content-Type': 'application/json' },
      },
      400,
      badInput('newPassword: must be valid Unicode'),
    ],
    [
      '1 MB',
      { json: { ...good, newPassword: 'x'.repeat(2 ** 20) } },
      413,
      problem(413, 'body-too-large', { detail: 'The body must have at most 16384 bytes.' }),
    ],
    [
      "somebody else's name",
      { json: { ...good, username: 'adam' } },
      400,
      badInput('username: is not a known field'),
    ],
  ];
  test.each(bad)('refuses %s before anything is checked', async (_, ask, status, body) => {
    const { own } = await signedIn();
    await expectScenario(house, { ...put({ token: own, ...ask }), status, body, absent: [PASSWORD, 'xxx'] });
  });

  test('waits for the minimum age of a password that its user chose, and not of a one-time secret', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'passwords.preset': 'part11' } });
    await plant.addUser('olivia', { mustChange: true });
    const asked = await plant.ask('POST', '/api/v1/sign-in', {
      json: { username: 'olivia', password: PASSWORD },
    });
    const { ticket } = asked.body as { ticket: string };
    await clock.advance(1000);
    // However young the secret is: a second.
    const changed = await plant.ask('POST', '/api/v1/password-change', {
      json: { ticket, newPassword: NEW_PASSWORD },
    });
    expect(changed.status).toBe(200);

    const next = { currentPassword: NEW_PASSWORD, newPassword: 'a pump that sings' };
    await expectScenario(plant, {
      ...put({ token: await tokenOf(plant, NEW_PASSWORD), json: next }),
      status: 400,
      body: problem(400, 'password-unacceptable', {
        faults: [
          {
            field: 'newPassword',
            rule: 'min-age',
            values: { limit: 24 },
            message: expect.stringMatching(/24/),
          },
        ],
      }),
      trail: ['password-change-refused by olivia via api of olivia (policy)'],
    });
    await clock.advance(DAY_MS - 1);
    const early = await plant.ask('PUT', '/api/v1/password', {
      token: await tokenOf(plant, NEW_PASSWORD),
      json: next,
    });
    expect(early.body).toMatchObject({ faults: [{ rule: 'min-age' }] });
    await clock.advance(1);
    const token = await tokenOf(plant, NEW_PASSWORD);
    expect((await plant.ask('PUT', '/api/v1/password', { token, json: next })).status).toBe(204);
    // Nor does the one before come back within ten.
    await clock.advance(DAY_MS);
    const back = { currentPassword: next.newPassword, newPassword: NEW_PASSWORD };
    const again = await plant.ask('PUT', '/api/v1/password', {
      token: await tokenOf(plant, next.newPassword),
      json: back,
    });
    expect(again.body).toMatchObject({ faults: [{ rule: 'history', values: { limit: 10 } }] });
  });

  async function tokenOf(plant: TestHost, password: string): Promise<string> {
    const { body } = await plant.ask('POST', '/api/v1/sign-in', { json: { username: 'olivia', password } });
    return (body as { accessToken: string }).accessToken;
  }

  test('has whoever guesses at an open screen wait as at the door, and the session goes on', async () => {
    const clock = createFixedClock();
    await using plant = await startTestHost({ clock, config: { 'lockout.delayAfter': '2' } });
    await plant.addUser('olivia');
    const { accessToken: token } = await plant.signIn('olivia');
    const change = (currentPassword: string) =>
      plant.ask('PUT', '/api/v1/password', { token, json: { ...good, currentPassword } });
    const seen: unknown[] = [];
    for (let tries = 0; tries < 2; tries += 1) {
      const { status, headers } = await change('a guess');
      seen.push([status, headers['retry-after']]);
    }
    expect(seen).toEqual([
      [401, undefined],
      [401, '1'],
    ]);
    await expectScenario(plant, {
      ...put({ token, json: good }),
      status: 429,
      body: problem(429, 'too-many-tries'),
      headers: { 'retry-after': '1' },
      trail: ['password-change-refused by olivia via api of olivia (too-many-tries)'],
    });
    expect((await plant.ask('GET', '/api/v1/session', { token })).status).toBe(200);
    await clock.advance(1000);
    expect((await change(PASSWORD)).status).toBe(204);
  });
});
