/** Who may call what: every route of the API, asked by every kind of caller. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { HOST_ACTOR } from '../audit/audit.ts';
import { startTestHost, type Ask } from '../../test/host.ts';
import { expectScenario, problem, PROBLEM_TYPE } from '../../test/scenario.ts';

const house = await startTestHost();
await house.addUser('adam', { type: 'Admin' });
await house.addUser('olivia');
const paul = await house.addUser('paul', { type: 'Passive' });
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5', adam: '9', paul: '1' } });
afterAll(() => house.close());

const control = JSON.parse(readFileSync(join(house.dataFolder, 'control.json'), 'utf8')) as { key: string };

/** A passive user is signed in by nothing but a PLC, and holds a token only where an app asks for it with its key. */
const passive = await house.features.sessions.signIn({
  credential: { kind: 'plc', userId: paul.id, allowAdmin: false },
  appId: hmi.id,
  presentation: 'token',
  door: HOST_ACTOR,
});

const ended = await house.signIn('adam');
await house.ask('POST', '/api/v1/sign-out', { token: ended.accessToken });

const callers = {
  nobody: {},
  'a token that never was one': { token: 'x' },
  'a token whose session has ended': { token: ended.accessToken },
  'a cookie that never was one': { cookie: 'x' },
  'another scheme': { headers: { Authorization: 'Basic YWRhbTphZGFt' } },
  'a passive user': { token: passive.accessToken ?? '' },
  'an active user with a token': { token: (await house.signIn('olivia')).accessToken },
  'an active user with a cookie': { cookie: await house.signInForCookie('olivia') },
  'an administrator with a token': { token: (await house.signIn('adam')).accessToken },
  'an administrator with a cookie': { cookie: await house.signInForCookie('adam') },
  'the command line': { token: control.key },
} satisfies Record<string, Ask>;
type Name = keyof typeof callers;

const WITHOUT_SESSION: Name[] = [
  'nobody',
  'a token that never was one',
  'a token whose session has ended',
  'a cookie that never was one',
  'another scheme',
];
const WITHOUT_RIGHT: Name[] = [
  'a passive user',
  'an active user with a token',
  'an active user with a cookie',
];

type Access = 'anyone' | 'session' | 'administrator';

/** What the host answers to one who may not call; null to one who may. */
function refusalOf(access: Access, caller: Name): 401 | 403 | null {
  if (access === 'anyone') return null;
  if (WITHOUT_SESSION.includes(caller)) return 401;
  if (access === 'session') return caller === 'the command line' ? 401 : null;
  return WITHOUT_RIGHT.includes(caller) ? 403 : null;
}

/** Every route with what it answers to a caller who may call it, but sends nothing of use: so nothing changes. */
const routes: [route: string, access: Access, admitted: number][] = [
  ['GET /healthz', 'anyone', 200],
  ['GET /.well-known/jwks.json', 'anyone', 200],
  ['GET /api/v1/welcome', 'anyone', 200],
  ['GET /api/v1/password-blocklist', 'anyone', 200],
  ['POST /api/v1/sign-in', 'anyone', 400],
  ['POST /api/v1/emergency/sign-in', 'anyone', 400],
  ['POST /api/v1/badge-sign-in', 'anyone', 400],
  ['POST /api/v1/password-change', 'anyone', 400],
  ['POST /api/v1/refresh', 'anyone', 400],
  ['GET /api/v1/apps/{appId}/state', 'anyone', 400],
  ['POST /api/v1/apps/{appId}/sign-out', 'anyone', 400],
  ['GET /api/v1/session', 'session', 200],
  ['GET /api/v1/sessions', 'session', 200],
  ['DELETE /api/v1/sessions/{sessionId}', 'session', 404],
  ['POST /api/v1/sessions/end-others', 'session', 400],
  ['GET /api/v1/account', 'session', 200],
  ['PUT /api/v1/password', 'session', 400],
  ['PUT /api/v1/pin', 'session', 400],
  ['POST /api/v1/lock', 'session', 204],
  ['POST /api/v1/sign-out', 'session', 204],
  ['GET /api/v1/badges', 'administrator', 200],
  ['POST /api/v1/badges', 'administrator', 400],
  ['DELETE /api/v1/badges/{badgeId}', 'administrator', 400],
  ['GET /api/v1/apps', 'administrator', 200],
  ['POST /api/v1/apps', 'administrator', 400],
  ['PATCH /api/v1/apps/{appId}', 'administrator', 400],
  ['PUT /api/v1/apps/{appId}/users/{userName}', 'administrator', 400],
  ['GET /api/v1/users', 'administrator', 200],
  ['POST /api/v1/users', 'administrator', 400],
  ['PATCH /api/v1/users/{userName}', 'administrator', 400],
  ['POST /api/v1/users/{userName}/password-reset', 'administrator', 404],
  ['POST /api/v1/users/{userName}/unlock', 'administrator', 404],
  ['GET /api/v1/emergency', 'administrator', 200],
  ['POST /api/v1/emergency', 'administrator', 400],
  ['POST /api/v1/emergency/{userName}/seal', 'administrator', 404],
  ['POST /api/v1/first-run', 'administrator', 400],
  ['GET /api/v1/links', 'administrator', 200],
  ['POST /api/v1/links', 'administrator', 400],
  ['GET /api/v1/links/status', 'administrator', 200],
  ['PUT /api/v1/links/{linkId}', 'administrator', 400],
  ['DELETE /api/v1/links/{linkId}', 'administrator', 400],
  ['POST /api/v1/links/test', 'administrator', 400],
  ['POST /api/v1/links/{linkId}/write-default', 'administrator', 400],
  ['GET /api/v1/backups', 'administrator', 200],
  // No folder is set for them.
  ['POST /api/v1/backups', 'administrator', 409],
  ['GET /api/v1/audit', 'administrator', 200],
  ['GET /api/v1/audit/status', 'administrator', 200],
  ['GET /api/v1/audit/export', 'administrator', 400],
  // Last, for these leave rows of their own.
  ['POST /api/v1/audit/verify', 'administrator', 200],
  ['POST /api/v1/audit/archive', 'administrator', 200],
];

test('the table below has every route that the host describes, and no other', async () => {
  const { body } = await house.ask('GET', '/api/v1/openapi.json');
  const { paths } = body as { paths: Record<string, Record<string, unknown>> };
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.map(([route]) => route).sort()).toEqual(described.sort());
});

const isSigningOut = (route: string): boolean =>
  route === 'POST /api/v1/sign-out' || route === 'POST /api/v1/lock';

describe.each(routes)('%s', (route, access, admitted) => {
  const [method = '', path = ''] = route.split(' ');
  // Nobody would be left to ask the next question.
  const asking = (Object.keys(callers) as Name[]).filter(
    (caller) => !isSigningOut(route) || refusalOf(access, caller) !== null,
  );

  test.each(asking)('called by %s', async (caller) => {
    const refusal = refusalOf(access, caller);
    const ask = { ...callers[caller], ...(admitted === 400 && { json: { unknown: 1 } }) };
    if (refusal === null) {
      const { status } = await house.ask(method, path, ask);
      expect(status).toBe(admitted);
      return;
    }
    await expectScenario(house, {
      title: '',
      method,
      path,
      ask,
      status: refusal,
      body: problem(refusal, refusal === 401 ? 'not-signed-in' : 'forbidden'),
      headers: {
        'content-type': PROBLEM_TYPE,
        'www-authenticate': refusal === 401 ? 'Bearer' : undefined,
        'cache-control': 'no-store',
        etag: undefined,
        'set-cookie': undefined,
      },
      absent: ['adam', 'olivia', 'HMI', control.key],
    });
  });
});

test('a user who is made an administrator, or is one no longer, is taken for that at once', async () => {
  const { accessToken: token } = await house.signIn('olivia');
  const ask = async () => (await house.ask('GET', '/api/v1/users', { token })).status;
  expect(await ask()).toBe(403);
  await house.features.users.change('olivia', { type: 'Admin' }, HOST_ACTOR);
  expect(await ask()).toBe(200);
  await house.features.users.change('olivia', { type: 'Active' }, HOST_ACTOR);
  expect(await ask()).toBe(403);
});
