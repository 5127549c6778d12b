import { expect, test } from 'vitest';
import { createApi, Problem } from './api.ts';
import { createTestPorts, json, problem, WELCOME, type Answers } from './testing.ts';

function api(answers: Answers) {
  const ports = createTestPorts(answers);
  return { ports, api: createApi(ports.fetch) };
}

async function failure(promise: Promise<unknown>): Promise<Problem> {
  return promise.then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(Problem);
      return error as Problem;
    },
  );
}

test('signs in for a cookie', async () => {
  const { ports, api: client } = api({ 'POST /api/v1/sign-in': json({ session: { id: '1' } }) });
  await client.signIn({ username: 'anna', password: 'secret' });
  expect(ports.calls).toEqual([
    { route: 'POST /api/v1/sign-in', body: { username: 'anna', password: 'secret', presentation: 'cookie' } },
  ]);
});

test('asks for the welcome of an app', async () => {
  const { api: client } = api({ 'GET /api/v1/welcome?appId=a%26b': json(WELCOME) });
  expect(await client.welcome('a&b')).toEqual(WELCOME);
});

test('asks for the welcome as nobody, so that the question keeps no session alive', async () => {
  const asked: (RequestInit | undefined)[] = [];
  const client = createApi((_, init) => {
    asked.push(init);
    return Promise.resolve(Response.json(WELCOME));
  });
  await client.welcome(null, 'as-nobody');
  await client.welcome(null);
  expect(asked.map((init) => init?.credentials)).toEqual(['omit', 'same-origin']);
});

test('reads an answer without content', async () => {
  const { api: client } = api({ 'POST /api/v1/sign-out': () => new Response(null, { status: 204 }) });
  await client.signOut();
});

test('reads a problem with its ticket, faults and reference', async () => {
  const { api: client } = api({
    'GET /api/v1/session': problem(403, 'password-change-required', {
      ticket: 't',
      reference: 'r',
      faults: [{ field: 'newPassword', message: 'Too short.' }],
    }),
  });
  const { code, ticket, reference, faults } = await failure(client.session());
  expect({ code, ticket, reference, faults }).toEqual({
    code: 'password-change-required',
    ticket: 't',
    reference: 'r',
    faults: ['Too short.'],
  });
});

test('reads after how many seconds a busy host may be asked again', async () => {
  const { api: client } = api({ 'GET /api/v1/session': problem(503, 'busy', {}, { 'Retry-After': '7' }) });
  expect((await failure(client.session())).retryAfterSec).toBe(7);
});

test('calls a host that does not answer unreachable', async () => {
  const { api: client } = api({});
  expect((await failure(client.session())).code).toBe('unreachable');
});

test('calls a page of something in between unreachable', async () => {
  const { api: client } = api({
    'GET /api/v1/session': () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
  });
  expect((await failure(client.session())).code).toBe('unreachable');
});
