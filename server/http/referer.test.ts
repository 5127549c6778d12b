/** Where a request says it comes from (the `Referer` header) proves nothing, for whoever sends it writes it. */
import { afterAll, expect, test } from 'vitest';
import { startTestHost } from '../../test/host.ts';
import { expectScenario, problem } from '../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
afterAll(() => house.close());

const OURS = ['/', '/users', '/api/v1/users', '/swagger'];

test.each(OURS)('a Referer of our own page is no sign-in: %s', async (page) => {
  await expectScenario(house, {
    title: '',
    path: '/api/v1/users',
    ask: { headers: { Referer: house.url + page } },
    status: 401,
    body: problem(401, 'not-signed-in'),
  });
});

test.each(OURS)('nor does it give more rights than the session has: %s', async (page) => {
  const { accessToken: token } = await house.signIn('olivia');
  await expectScenario(house, {
    title: '',
    path: '/api/v1/users',
    ask: { token, headers: { Referer: house.url + page } },
    status: 403,
    body: problem(403, 'forbidden'),
  });
});

test('nor does it excuse a page of another site', async () => {
  const cookie = await house.signInForCookie('adam');
  const headers = { Referer: `${house.url}/`, Origin: 'https://elsewhere.example' };
  const { status, body } = await house.ask('POST', '/api/v1/sign-out', { cookie, headers });
  expect({ status, body }).toEqual({ status: 403, body: problem(403, 'cross-site') });
});
