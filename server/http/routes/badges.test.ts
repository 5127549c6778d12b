import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { PASSWORD, startTestHost, type Ask } from '../../../test/host.ts';
import {
  badInput,
  expectScenario,
  GUID,
  INSTANT,
  JWT,
  problem,
  PROBLEM_TYPE,
  type Scenario,
} from '../../../test/scenario.ts';

const PIN = '739154';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
const { accessToken: admin } = await house.signIn('adam');
afterAll(() => house.close());

let count = 0;
/** Somebody new with a badge, a PIN and a session. */
async function withBadge(): Promise<{ name: string; badge: string; badgeId: string; token: string }> {
  const name = `bente${(count += 1)}`;
  const badge = `00490${count}8337`;
  await house.addUser(name);
  const { accessToken: token } = await house.signIn(name);
  const enrolled = await house.ask('POST', '/api/v1/badges', {
    ...{ token: admin, json: { userName: name, badge, label: 'blue' } },
  });
  await house.ask('PUT', '/api/v1/pin', { token, json: { currentPassword: PASSWORD, newPin: PIN } });
  return { name, badge, badgeId: (enrolled.body as { id: string }).id, token };
}

const signIn = (json: object): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
  title: '',
  method: 'POST',
  path: '/api/v1/badge-sign-in',
  ask: { json },
});
const refused = { status: 401, body: problem(401, 'sign-in-refused') };

describe('POST /api/v1/badge-sign-in', () => {
  test('signs in with badge and PIN', async () => {
    const { name, badge } = await withBadge();
    await expectScenario(house, {
      ...signIn({ badge: ` ${badge}`, secondFactor: PIN }),
      status: 200,
      body: {
        session: expect.objectContaining({ kind: 'bearer' }) as unknown,
        ...{ accessToken: JWT, accessTokenExpiresAt: INSTANT, refreshToken: JWT },
      },
      absent: [badge, PIN],
      events: [`SessionOpened ${name} at Keyswitch`],
      trail: [`sign-in by ${name} via api of ${name} (badge)`],
    });
  });

  test('signs a page in with a cookie, as the user of an app', async () => {
    const { name, badge } = await withBadge();
    const { app } = await house.addApp(`Panel of ${name}`, { users: { [name]: '5' } });
    const json = { badge, secondFactor: PIN, appId: app.id, presentation: 'cookie' };
    const { status, body, headers } = await house.ask('POST', '/api/v1/badge-sign-in', { json });
    expect(status).toBe(200);
    expect(body).toMatchObject({ session: { kind: 'app', user: { name }, app: { id: app.id }, role: '5' } });
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-keyswitch=.*HttpOnly.*SameSite=Strict/);
  });

  test('asks for the PIN of every number in the same words, and keeps no trace', async () => {
    const { badge } = await withBadge();
    const answers = [];
    for (const number of [badge, '77310042', 'ÄÖ \u{1f511} 77']) {
      const { text } = await expectScenario(house, {
        ...signIn({ badge: number }),
        status: 403,
        body: problem(403, 'second-factor-required', { factor: 'pin' }),
        headers: { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', 'set-cookie': undefined },
        absent: [number],
      });
      answers.push(text);
    }
    expect(new Set(answers).size).toBe(1);
  });

  test('refuses all that is wrong alike', async () => {
    const { name, badge, badgeId } = await withBadge();
    const wrong = signIn({ badge, secondFactor: '739155' });
    const trail = (reason: string) => [`sign-in-refused by anonymous via api of ${name} (${reason})`];
    const answers = [
      await expectScenario(house, { ...wrong, ...refused, trail: trail('wrong-pin') }),
      await expectScenario(house, {
        ...signIn({ badge: '77310042', secondFactor: PIN }),
        ...refused,
        trail: ['sign-in-refused by anonymous via api (unknown-badge)'],
      }),
    ];
    await house.ask('DELETE', `/api/v1/badges/${badgeId}`, { token: admin });
    const revoked = signIn({ badge, secondFactor: PIN });
    answers.push(await expectScenario(house, { ...revoked, ...refused, trail: trail('badge-revoked') }));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  const malformed: [string, object, string][] = [
    ['10 KB', { badge: '4'.repeat(10_240) }, 'badge: must have at most 128 characters'],
    ['three characters', { badge: '491' }, 'badge: must have at least 4 characters'],
    ['a line end', { badge: '0004918337\r\n' }, 'badge: must not hold control characters'],
    ['two readers at once', { badge: '00049\u000283\u000337' }, 'badge: must not hold control characters'],
    ['half a surrogate pair', { badge: '0004918\ud83d' }, 'badge: must be valid Unicode'],
    ['no badge', {}, 'badge: is missing'],
    ['a number that is one', { badge: 4918337 }, 'badge: must be text'],
    ['an empty PIN', { badge: '0004918337', secondFactor: '' }, 'secondFactor: must not be empty'],
  ];

  test.each(malformed)('says of %s what is wrong, without repeating it', async (_what, json, fault) => {
    await expectScenario(house, {
      ...signIn(json),
      status: 400,
      body: badInput(fault),
      absent: ['0004918', '44444'],
    });
  });

  test('answers whatever is sent, and never with a fault of its own', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            badge: fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.jsonValue()),
            secondFactor: fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.jsonValue()),
          },
          { requiredKeys: ['badge'] },
        ),
        async (json) => {
          const { status } = await house.ask('POST', '/api/v1/badge-sign-in', { json });
          expect([400, 401, 403]).toContain(status);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('where badges sign in alone, takes no more', async () => {
    await using alone = await startTestHost({ config: { 'badges.signIn': 'alone' } });
    await alone.addUser('olivia');
    const enrolled = { userName: 'olivia', badge: '0004918337', label: '' };
    await alone.features.badges.enrol(enrolled, { name: 'adam', door: 'page', address: null });
    const status = async (json: object) =>
      (await alone.ask('POST', '/api/v1/badge-sign-in', { json })).status;
    expect(await status({ badge: '0004918337' })).toBe(200);
    expect(await status({ badge: '0004918338' })).toBe(401);
  });
});

describe('PUT /api/v1/pin', () => {
  const put = (token: string, json: object): Pick<Scenario, 'title' | 'method' | 'path' | 'ask'> => ({
    ...{ title: '', method: 'PUT', path: '/api/v1/pin', ask: { token, json } },
  });

  test('sets the PIN, which the account then tells of, and nothing more', async () => {
    const name = 'piet';
    await house.addUser(name);
    const { accessToken: token } = await house.signIn(name);
    const hasPin = async () =>
      ((await house.ask('GET', '/api/v1/account', { token })).body as { hasPin: boolean }).hasPin;
    expect(await hasPin()).toBe(false);
    await expectScenario(house, {
      ...put(token, { currentPassword: PASSWORD, newPin: PIN }),
      status: 204,
      headers: { 'set-cookie': undefined, 'cache-control': 'no-store' },
      trail: [`pin-changed by ${name} via api of ${name}`],
    });
    expect(await hasPin()).toBe(true);
  });

  test('asks for the current password', async () => {
    const { name, token } = await withBadge();
    await expectScenario(house, {
      ...put(token, { currentPassword: 'not the present one', newPin: '402881' }),
      ...refused,
      trail: [`pin-change-refused by ${name} via api of ${name} (wrong-password)`],
    });
  });

  test('names the rules that a PIN breaks', async () => {
    const { name, token } = await withBadge();
    await expectScenario(house, {
      ...put(token, { currentPassword: PASSWORD, newPin: '1234' }),
      status: 400,
      body: problem(400, 'pin-unacceptable', {
        faults: [
          {
            ...{ field: 'newPin', rule: 'min-length', values: { limit: 6 } },
            message: 'The PIN must have at least 6 digits.',
          },
          {
            ...{ field: 'newPin', rule: 'not-simple' },
            message: 'The PIN must not be a date, a run, or the same over and over.',
          },
        ],
      }),
      trail: [`pin-change-refused by ${name} via api of ${name} (policy)`],
    });
  });
});

describe('badges, for administrators', () => {
  const BADGES = '/api/v1/badges';
  const ask = (json: object): Ask => ({ token: admin, json });

  test('are enrolled and listed without their numbers', async () => {
    await house.addUser('greta');
    const badge = { id: GUID, userName: 'greta', displayName: 'greta', label: 'key fob 3' };
    const row = { ...badge, enrolledAt: INSTANT, revokedAt: null };
    await expectScenario(house, {
      ...{ title: '', method: 'POST', path: BADGES },
      ask: ask({ userName: 'greta', badge: '5530 0271', label: 'key fob 3' }),
      status: 201,
      body: row,
      absent: ['5530'],
      trail: ['badge-enrolled by adam via api of greta'],
    });
    const { body, text } = await house.ask('GET', BADGES, { token: admin });
    expect(body).toContainEqual(row);
    expect(text).not.toMatch(/5530|hash/);
  });

  test.each([
    ['a badge in use', { userName: 'adam', badge: '66310042' }, 409, 'already-exists'],
    ['nobody', { userName: 'nobody', badge: '66310043' }, 404, 'not-found'],
  ])('are refused for %s', async (_what, json, status, code) => {
    await house.ask('POST', BADGES, ask({ userName: 'adam', badge: '66310042' }));
    await expectScenario(house, {
      ...{ title: '', method: 'POST', path: BADGES, ask: ask(json) },
      status,
      body: problem(status, code),
      absent: [json.badge],
    });
  });

  test('are revoked with every session of their user, once', async () => {
    const { name, badgeId, token } = await withBadge();
    const revoke = { title: '', method: 'DELETE', path: `${BADGES}/${badgeId}`, ask: { token: admin } };
    await expectScenario(house, {
      ...revoke,
      status: 204,
      events: [`SessionEnded ${name} at Keyswitch: badge-revoked`],
      trail: [
        `badge-revoked by adam via api of ${name}`,
        `session-ended by adam via api of ${name} (badge-revoked)`,
      ],
    });
    expect((await house.ask('GET', '/api/v1/session', { token })).status).toBe(401);
    await expectScenario(house, { ...revoke, status: 404, body: problem(404, 'not-found') });
  });
});
