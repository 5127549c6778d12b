import { afterAll, describe, expect, test } from 'vitest';
import { startTestHost } from '../../../test/host.ts';
import { badInput, expectScenario, GUID, ONE_TIME_SECRET } from '../../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
const { accessToken: token } = await house.signIn('adam');
afterAll(() => house.close());

describe('POST /api/v1/first-run', () => {
  const run = { method: 'POST', path: '/api/v1/first-run' };
  const app = { id: GUID, name: 'HMI' };

  test('makes nothing on a host that has all it needs', async () => {
    await expectScenario(house, {
      title: '',
      ...run,
      ask: { token, json: {} },
      status: 200,
      body: { administrator: null, sample: null },
    });
  });

  test('makes the sample, tells its secrets this once, and makes nothing the second time', async () => {
    const { body } = await expectScenario(house, {
      title: '',
      ...run,
      ask: { token, json: { sample: true } },
      status: 200,
      body: {
        administrator: null,
        sample: {
          users: [
            { username: 'operator', oneTimeSecret: ONE_TIME_SECRET },
            { username: 'supervisor', oneTimeSecret: ONE_TIME_SECRET },
          ],
          app,
        },
      },
      events: [
        'AppChanged HMI',
        'UserChanged operator',
        'AppChanged HMI',
        'UserChanged supervisor',
        'AppChanged HMI',
      ],
      trail: [
        'app-added by host via host at HMI',
        'user-added by host via host of operator',
        'app-user-granted by host via host of operator at HMI',
        'user-added by host via host of supervisor',
        'app-user-granted by host via host of supervisor at HMI',
      ],
    });
    const { users } = (body as { sample: { users: { username: string; oneTimeSecret: string }[] } }).sample;
    expect(users[0]?.oneTimeSecret).not.toBe(users[1]?.oneTimeSecret);

    await expectScenario(house, {
      title: '',
      ...run,
      ask: { token, json: { sample: true } },
      status: 200,
      body: { administrator: null, sample: { users: [], app } },
      absent: users.map(({ oneTimeSecret }) => oneTimeSecret),
    });
    const [{ username = '', oneTimeSecret: password = '' } = {}] = users;
    const signedIn = await house.ask('POST', '/api/v1/sign-in', { json: { username, password } });
    expect(signedIn.body).toMatchObject({
      status: 403,
      code: 'password-change-required',
      why: 'one-time-secret',
    });
  });

  test('refuses what it does not know', async () => {
    await expectScenario(house, {
      title: '',
      ...run,
      ask: { token, json: { sample: 'yes', reset: true } },
      status: 400,
      body: badInput('sample: must be true or false', 'reset: is not a known field'),
    });
  });
});
