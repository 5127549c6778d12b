/** What every request passes, whatever it asks for: the reading of bodies and tokens, other sites, headers. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { connect } from 'node:tls';
import { generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { PASSWORD, startTestHost, type Ask } from '../../test/host.ts';
import { badInput, expectScenario, problem, PROBLEM_TYPE, type Scenario } from '../../test/scenario.ts';

const TRUSTED = 'https://hmi.example:8080';

const house = await startTestHost({ config: { 'http.trustedOrigins': TRUSTED } });
await house.addUser('olivia');
await house.addUser('adam', { type: 'Admin' });
const { app: hmi } = await house.addApp('HMI', { users: { olivia: '5' } });
const { accessToken: admin } = await house.signIn('adam');
const { refreshToken } = await house.signIn('adam');
const { accessToken: operator } = await house.signIn('olivia');
afterAll(() => house.close());

/** Whatever came in, the host goes on. */
afterEach(async () => expect((await house.ask('GET', '/healthz')).status).toBe(200));

const signIn = { method: 'POST', path: '/api/v1/sign-in' };
const good = JSON.stringify({ username: 'olivia', password: PASSWORD });
const json = { 'Content-Type': 'application/json' };

describe('a body', () => {
  const malformed = {
    status: 400,
    body: problem(400, 'malformed-body', {
      detail: 'The body is not valid JSON, or its encoding is not UTF-8. Send a JSON object.',
    }),
  };
  const unsupported = (detail = 'The body is not application/json. Set Content-Type.') => ({
    status: 415,
    body: problem(415, 'unsupported-media-type', { detail }),
  });
  const otherEncoding = unsupported('Send UTF-8 without a content encoding.');
  const large = {
    status: 413,
    body: problem(413, 'body-too-large', { detail: 'The body must have at most 16384 bytes.' }),
  };
  const notAnObject = { status: 400, body: badInput('body: must be an object') };
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  const refused: Scenario[] = [
    { title: 'that is not there', ask: {}, status: 400, body: badInput('body: is missing') },
    {
      title: 'that is empty',
      ask: { raw: '', headers: json },
      status: 400,
      body: badInput('username: is missing', 'password: is missing'),
    },
    { title: 'without a type', ask: { raw: good }, ...unsupported() },
    {
      title: 'of another type',
      ask: { raw: good, headers: { 'Content-Type': 'text/plain' } },
      ...unsupported(),
    },
    {
      title: 'of a form, as other sites can send one',
      ask: { raw: 'username=olivia', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      ...unsupported(),
    },
    {
      title: 'of two types',
      ask: { raw: good, headers: { 'Content-Type': ['application/json', 'text/plain'] } },
      ...unsupported(),
    },
    { title: 'that breaks off', ask: { raw: good.slice(0, -1), headers: json }, ...malformed },
    { title: 'that goes on', ask: { raw: `${good}{}`, headers: json }, ...malformed },
    { title: 'of nothing but blanks', ask: { raw: ' \n', headers: json }, ...malformed },
    { title: 'of a text', ask: { raw: '"olivia"', headers: json }, ...malformed },
    { title: 'of null', ask: { raw: 'null', headers: json }, ...malformed },
    { title: 'of a list', ask: { raw: `[${good}]`, headers: json }, ...notAnObject },
    { title: 'of lists within lists', ask: { raw: nested(8000), headers: json }, ...notAnObject },
    {
      title: 'of lists within lists in a field',
      ask: { raw: `{"username":${nested(8000)},"password":"x"}`, headers: json },
      status: 400,
      body: badInput('username: must be text'),
    },
    {
      title: 'that would change the prototype of all',
      ask: { raw: '{"__proto__":{"username":"olivia"},"constructor":1,"password":"x"}', headers: json },
      status: 400,
      body: badInput(
        'username: is missing',
        '__proto__: is not a known field',
        'constructor: is not a known field',
      ),
    },
    {
      title: 'that is not UTF-8',
      ask: { raw: Buffer.from(good.replace('olivia', 'ol\u00efvia'), 'latin1'), headers: json },
      ...malformed,
    },
    {
      title: 'with a character cut in half',
      ask: { raw: Buffer.from('{"username":"\u00ef').subarray(0, -1), headers: json },
      ...malformed,
    },
    {
      title: 'with half a surrogate pair, escaped',
      ask: { raw: '{"username":"\\ud800","password":"\\udc00"}', headers: json },
      status: 400,
      body: badInput('username: must be valid Unicode', 'password: must be valid Unicode'),
    },
    {
      title: 'in UTF-16',
      ask: {
        raw: Buffer.from(good, 'utf16le'),
        headers: { 'Content-Type': 'application/json; charset=utf-16le' },
      },
      ...otherEncoding,
    },
    {
      title: 'in Latin-1',
      ask: { raw: good, headers: { 'Content-Type': 'application/json; charset=iso-8859-1' } },
      ...otherEncoding,
    },
    {
      title: 'that is packed',
      ask: { raw: gzipSync(good), headers: { ...json, 'Content-Encoding': 'gzip' } },
      ...otherEncoding,
    },
    {
      title: 'that says it is packed and is not',
      ask: { raw: good, headers: { ...json, 'Content-Encoding': 'br' } },
      ...otherEncoding,
    },
    {
      title: 'packed in a way nobody knows',
      ask: { raw: good, headers: { ...json, 'Content-Encoding': 'rot13' } },
      ...otherEncoding,
    },
    { title: 'of a byte too many', ask: { raw: `{${' '.repeat(16_382)}}x`, headers: json }, ...large },
    { title: 'far too large', ask: { raw: 'x'.repeat(3_000_000), headers: json }, ...large },
  ];
  test.each(refused)('$title is refused', async (scenario) => {
    await expectScenario(house, {
      ...signIn,
      ...scenario,
      headers: { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' },
      absent: [PASSWORD, 'SyntaxError', 'at position', 'node_modules', 'JSON at'],
    });
  });

  test.each([
    [
      'the largest that is admitted',
      Buffer.concat([Buffer.from(good), Buffer.alloc(16_384 - good.length, ' ')]),
      json,
    ],
    ['one with a byte order mark', `\ufeff${good}`, json],
    ['one that names its encoding', good, { 'Content-Type': 'application/json; charset=UTF-8' }],
  ])('is read: %s', async (_, raw, headers) => {
    expect((await house.ask('POST', '/api/v1/sign-in', { raw, headers })).status).toBe(200);
  });

  test('keeps the limit that is set', async () => {
    await using small = await startTestHost({
      config: { 'http.maxBodyBytes': '1024', 'dialects.iauth': 'true' },
    });
    const raw = `{${' '.repeat(1023)}}`;
    for (const [method, path] of [
      ['POST', '/api/v1/sign-in'],
      ['PUT', '/api/Token'],
    ] as const) {
      const { status, body } = await small.ask(method, path, { raw, headers: json });
      expect({ status, body }).toEqual({
        status: 413,
        body: problem(413, 'body-too-large', { detail: 'The body must have at most 1024 bytes.' }),
      });
    }
  });

  test('of whatever bytes never ends the process, nor is it answered with more than a refusal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json()), async (raw) => {
        const { status, headers } = await house.ask('POST', '/api/v1/sign-in', { raw, headers: json });
        expect([400, 401]).toContain(status);
        expect(headers['content-type']).toBe(PROBLEM_TYPE);
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});

describe('a path', () => {
  const nothing = (path: string) => ({
    status: 404,
    body: problem(404, 'not-found', { detail: `Nothing is at ${path}.` }),
  });
  const scenarios: Scenario[] = [
    { title: 'that nothing is at', path: '/api/v1/nothing', ...nothing('/api/v1/nothing') },
    {
      title: 'that nothing is at, with a query',
      path: '/nothing?password=x',
      ...nothing('/nothing'),
      absent: ['password=x'],
    },
    { title: 'below a route', path: '/api/v1/session/more', ...nothing('/api/v1/session/more') },
    {
      title: 'that leads out of the folder',
      path: '/..%2f..%2fpackage.json',
      ...nothing('/..%2f..%2fpackage.json'),
    },
    {
      title: 'that leads out of the folder of a route',
      path: '/swagger/..%2fexpress/package.json',
      ...nothing('/swagger/..%2fexpress/package.json'),
    },
    { title: 'of a hidden file', path: '/.env', ...nothing('/.env') },
    { title: 'with markup in it', path: '/<script>', ...nothing('/<script>') },
    {
      title: 'that cannot be decoded',
      path: '/api/v1/apps/%E0%A4%A/state',
      status: 404,
      body: problem(404, 'not-found'),
    },
    { title: 'that cannot be decoded, of a file', path: '/%E0%A4%A', ...nothing('/%E0%A4%A') },
    { title: 'with a NUL', path: '/%00', ...nothing('/%00') },
    { title: 'of a folder', path: '/assets', ...nothing('/assets') },
  ];
  test.each(scenarios)('$title is not found', async (scenario) => {
    await expectScenario(house, { ...scenario, headers: { 'content-type': PROBLEM_TYPE } });
  });

  test('is found in any letter case', async () => {
    expect((await house.ask('GET', '/API/v1/Session', { token: admin })).status).toBe(200);
  });
});

describe('a method', () => {
  const refused: [method: string, path: string, allow: string][] = [
    ['GET', '/api/v1/sign-in', 'POST'],
    ['HEAD', '/api/v1/sign-in', 'POST'],
    ['DELETE', '/api/v1/session', 'GET, HEAD'],
    ['OPTIONS', '/api/v1/session', 'GET, HEAD'],
    ['TRACE', '/api/v1/session', 'GET, HEAD'],
    ['PROPFIND', '/api/v1/session', 'GET, HEAD'],
    ['PUT', '/api/v1/users', 'GET, POST, HEAD'],
    ['GET', '/api/v1/users/olivia', 'PATCH'],
    ['POST', `/api/v1/apps/${hmi.id}/state`, 'GET, HEAD'],
    ['POST', '/api/v1/openapi.json', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/api/Token', 'PUT'],
    ['GET', '/api/Token', 'PUT'],
    ['GET', '/api/Token/iAuth', 'PUT'],
    ['DELETE', '/api/Token/iAuth', 'PUT'],
    ['PUT', `/api/Token/${hmi.id}`, 'GET, DELETE, HEAD'],
  ];
  test.each(refused)('%s of %s is refused, and those that go are named', async (method, path, allow) => {
    const { status, headers, body, rawHeaders } = await house.ask(method, path, {
      token: admin,
      headers: { 'X-Secret': 'not to be echoed' },
    });
    expect({ status, allow: headers.allow, type: headers['content-type'] }).toEqual({
      status: 405,
      allow,
      type: PROBLEM_TYPE,
    });
    if (method !== 'HEAD')
      expect(body).toEqual(problem(405, 'method-not-allowed', { detail: `This path answers ${allow}.` }));
    expect(rawHeaders.join() + JSON.stringify(body)).not.toContain('echoed');
  });

  test.each(['/healthz', '/api/v1/welcome', '/'])(
    'HEAD of %s has the head of GET, and no body',
    async (path) => {
      const head = await house.ask('HEAD', path);
      const get = await house.ask('GET', path);
      const without = (headers: object) => ({ ...headers, date: '' });
      expect(head).toMatchObject({ status: 200, text: '' });
      expect(without(head.headers)).toEqual(without(get.headers));
    },
  );
});

describe('what is no request at all', () => {
  /** Sends bytes, and resolves with the first line of what comes back until the connection closes. */
  async function answerTo(bytes: string | Uint8Array): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: house.port, ca: house.ca });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(chunks).toString('latin1').split('\r\n')[0] ?? '';
  }
  const host = 'Host: 127.0.0.1\r\nConnection: close\r\n';

  test.each([
    ['noise', 'olivia\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    ['no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    [
      'headers of 20 KB',
      `GET /healthz HTTP/1.1\r\n${host}Cookie: ${'x'.repeat(20_000)}\r\n\r\n`,
      'HTTP/1.1 431 Request Header Fields Too Large',
    ],
    [
      'a header with a line end in it',
      `GET /healthz HTTP/1.1\r\n${host}X: a\nb\r\n\r\n`,
      'HTTP/1.1 400 Bad Request',
    ],
    [
      'two lengths',
      `POST /api/v1/sign-in HTTP/1.1\r\n${host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
      'HTTP/1.1 400 Bad Request',
    ],
    [
      'a length and chunks',
      `POST /api/v1/sign-in HTTP/1.1\r\n${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'HTTP/1.1 400 Bad Request',
    ],
    [
      'a body larger than it may be that never comes',
      `POST /api/v1/sign-in HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 999999999\r\n\r\n`,
      'HTTP/1.1 413 Payload Too Large',
    ],
    [
      'a body larger than it may be that does not say so',
      `POST /api/v1/sign-in HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n${' '.repeat(20_000)}\r\n0\r\n\r\n`,
      'HTTP/1.1 413 Payload Too Large',
    ],
    ['a method nobody knows', `STEAL / HTTP/1.1\r\n${host}\r\n`, 'HTTP/1.1 400 Bad Request'],
    ['a proxy request', `GET https://elsewhere.example/healthz HTTP/1.1\r\n${host}\r\n`, 'HTTP/1.1 200 OK'],
    ['a path of two slashes', `GET // HTTP/1.1\r\n${host}\r\n`, 'HTTP/1.1 200 OK'],
    ['a star', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 'HTTP/1.1 404 Not Found'],
    ['a tunnel', `CONNECT elsewhere.example:443 HTTP/1.1\r\n${host}\r\n`, ''],
    [
      'an upgrade to what is no WebSocket',
      `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
      'HTTP/1.1 400 Bad Request',
    ],
    [
      'an upgrade at no path',
      `GET // HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      'HTTP/1.1 404 Not Found',
    ],
    [
      'an upgrade at no URL',
      `GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      'HTTP/1.1 404 Not Found',
    ],
  ])('%s is answered and forgotten', async (_, bytes, line) => {
    expect(await answerTo(bytes)).toBe(line);
  });

  test('a client that speaks no TLS is let go', async () => {
    const socket = createConnection(house.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await once(socket, 'close');
  });
});

describe('a token', () => {
  const { issuer, audience } = (() => {
    const payload = JSON.parse(Buffer.from(admin.split('.')[1] ?? '', 'base64url').toString()) as {
      iss: string;
      aud: string;
    };
    return { issuer: payload.iss, audience: payload.aud };
  })();
  const [header = '', payload = '', signature = ''] = admin.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { privateKey: otherKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = house.features.keys.signer();

  const sign = (
    changes: Record<string, unknown>,
    head: Record<string, unknown> = {},
    key: Parameters<SignJWT['sign']>[0] = signer.privateKey,
  ) =>
    new SignJWT({ ...claims, ...changes })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, ...head })
      .sign(key);
  const hmac = (secret: string, alg = 'HS256') =>
    new SignJWT(claims)
      .setProtectedHeader({ alg, typ: 'at+jwt', kid })
      .sign(new TextEncoder().encode(secret));

  const tokens: [title: string, token: () => string | Promise<string>][] = [
    ['without a signature', () => `${header}.${payload}.`],
    [
      'with one letter of the signature changed',
      () => `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    ],
    [
      'with other claims under the same signature',
      () => `${header}.${encode({ ...claims, role: 'Admin', sub: 'x' })}.${signature}`,
    ],
    ['of algorithm none', () => new UnsecuredJWT(claims).encode()],
    [
      'of algorithm none with a signature',
      () => `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${payload}.${signature}`,
    ],
    ['of another algorithm, with the public key as its secret', () => hmac(JSON.stringify(signer.publicJwk))],
    ['with another key', () => sign({}, {}, otherKey)],
    ['with another key under a name of its own', () => sign({}, { kid: 'mine' }, otherKey)],
    ['without the name of a key', () => sign({}, { kid: undefined })],
    ['that brings its own key', () => sign({}, { jwk: { kty: 'EC' }, kid: undefined }, otherKey)],
    ['of another type', () => sign({}, { typ: 'JWT' })],
    ['of no type', () => sign({}, { typ: undefined })],
    ['for another audience', () => sign({ aud: `${audience}x` })],
    ['of another issuer', () => sign({ iss: `${issuer}x` })],
    ['for nobody', () => sign({ sub: undefined })],
    ['without a session', () => sign({ sid: undefined })],
    ['of a session that is not there', () => sign({ sid: 'eb97a642-78f5-4458-b8ca-036fe70298ef' })],
    ['without an end', () => sign({ exp: undefined })],
    ['that has expired', () => sign({ exp: Math.floor(Date.now() / 1000) - 1 })],
    ['that is not good yet', () => sign({ nbf: Math.floor(Date.now() / 1000) + 60 })],
    [
      'that wants more than we understand',
      () =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid, crit: ['more'], more: 1 })
          .sign(signer.privateKey, { crit: { more: true } }),
    ],
    ['that is the refresh token', () => refreshToken],
    ['that is the key of nobody', () => 'x'.repeat(43)],
    ['of dots', () => '..'],
  ];
  test.each(tokens)('%s is refused', async (_, token) => {
    await expectScenario(house, {
      title: '',
      path: '/api/v1/users',
      ask: { token: await token() },
      status: 401,
      body: problem(401, 'not-signed-in', {
        detail: 'The request carries no session, or one that has ended. Sign in.',
      }),
      headers: { 'www-authenticate': 'Bearer', 'content-type': PROBLEM_TYPE },
    });
  });

  test('of ours, signed as the host does, is taken: so the refusals above are for the reason they name', async () => {
    expect((await house.ask('GET', '/api/v1/users', { token: await sign({ jti: 'x' }) })).status).toBe(200);
  });

  test('is good until its last second, not longer', async () => {
    const clock = createFixedClock();
    await using timed = await startTestHost({ clock });
    await timed.addUser('olivia');
    const { accessToken: token } = await timed.signIn('olivia');
    await clock.advance(299_999);
    expect((await timed.ask('GET', '/api/v1/session', { token })).status).toBe(200);
    await clock.advance(1);
    expect((await timed.ask('GET', '/api/v1/session', { token })).status).toBe(401);
  });

  test.each([
    ['another scheme', `Basic ${Buffer.from(`adam:${PASSWORD}`).toString('base64')}`],
    ['no token', 'Bearer '],
    ['two tokens', `Bearer ${admin} ${admin}`],
    ['the bare token', admin],
    ['two headers, the good one first', [`Bearer ${admin}`, `Bearer ${operator}`]],
    ['two headers, the good one last', [`Bearer ${operator}`, `Bearer ${admin}`]],
  ])('in a header with %s is refused', async (_, Authorization) => {
    await expectScenario(house, {
      title: '',
      path: '/api/v1/users',
      ask: { headers: { Authorization } },
      status: 401,
      body: problem(401, 'not-signed-in'),
      headers: { 'www-authenticate': 'Bearer' },
    });
  });

  test('is taken with its scheme in any letter case', async () => {
    expect(
      (await house.ask('GET', '/api/v1/users', { headers: { Authorization: `bearer ${admin}` } })).status,
    ).toBe(200);
  });
});

describe('a cookie', () => {
  test.each([
    ['of nonsense', '__Host-keyswitch=;;=;%%%; \u00ff="'],
    ['without a value', '__Host-keyswitch'],
    ['of another name', 'keyswitch=x'],
    ['that is an access token', `__Host-keyswitch=${admin}`],
    ['of nothing', ''],
  ])('%s is nobody', async (_, Cookie) => {
    await expectScenario(house, {
      title: '',
      path: '/api/v1/session',
      ask: { headers: { Cookie } },
      status: 401,
      body: problem(401, 'not-signed-in'),
    });
  });

  test('is found among others', async () => {
    const cookie = await house.signInForCookie('olivia');
    const { status } = await house.ask('GET', '/api/v1/session', {
      headers: { Cookie: `theme=dark; x__Host-keyswitch=1;__Host-keyswitch=${cookie}; a=b=c` },
    });
    expect(status).toBe(200);
  });
});

describe('a page of another site', () => {
  const ourselves = house.url;
  const foreign: [title: string, headers: Record<string, string>][] = [
    ['by its origin', { Origin: 'https://elsewhere.example' }],
    ['by no origin it wants to name', { Origin: 'null' }],
    ['by our name on another port', { Origin: 'https://127.0.0.1' }],
    ['by our name without TLS', { Origin: ourselves.replace('https', 'http') }],
    ['by a name that begins with ours', { Origin: `${ourselves}.elsewhere.example` }],
    ['by a name that begins with a trusted one', { Origin: `${TRUSTED}.elsewhere.example` }],
    ['by an empty origin', { Origin: '' }],
    ['by fetch metadata: cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['by fetch metadata: same-site', { 'Sec-Fetch-Site': 'same-site' }],
    ['by fetch metadata: a word nobody knows', { 'Sec-Fetch-Site': 'elsewhere' }],
    [
      'by its origin, whatever the metadata says',
      { Origin: 'https://elsewhere.example', 'Sec-Fetch-Site': 'same-origin' },
    ],
  ];
  const changing: [method: string, path: string, ask: Ask][] = [
    ['POST', '/api/v1/sign-in', { json: { username: 'olivia', password: PASSWORD } }],
    ['POST', `/api/v1/apps/${hmi.id}/sign-out`, {}],
    ['PUT', '/api/Token', { json: { username: 'olivia', password: PASSWORD, appId: hmi.id } }],
    ['DELETE', `/api/Token/${hmi.id}`, {}],
    ['OPTIONS', '/api/v1/sign-in', { headers: { 'Access-Control-Request-Method': 'POST' } }],
  ];
  describe.each(foreign)('known %s', (_, headers) => {
    test.each(changing)('changes nothing: %s %s', async (method, path, ask) => {
      await house.signIn('olivia', hmi.id);
      await expectScenario(house, {
        title: '',
        method,
        path,
        ask: { ...ask, headers: { ...ask.headers, ...headers } },
        status: 403,
        body: problem(403, 'cross-site'),
        headers: {
          'content-type': PROBLEM_TYPE,
          'access-control-allow-origin': undefined,
          'access-control-allow-methods': undefined,
          'access-control-allow-credentials': undefined,
          'set-cookie': undefined,
        },
      });
    });

    test('may ask what anyone may, and reads nothing of it in a browser', async () => {
      const { status, headers: answered } = await house.ask('GET', '/api/v1/welcome', { headers });
      expect(status).toBe(200);
      expect(answered['access-control-allow-origin']).toBeUndefined();
      expect(answered['cross-origin-resource-policy']).toBe('same-origin');
    });
  });

  test.each([
    ['our own', { Origin: ourselves }],
    ['our own, by fetch metadata', { 'Sec-Fetch-Site': 'same-origin' }],
    ['nobody: the user typed it', { 'Sec-Fetch-Site': 'none' }],
    ['no browser at all', {}],
    ['trusted', { Origin: TRUSTED, 'Sec-Fetch-Site': 'cross-site' }],
  ])('is not what is %s', async (_, headers) => {
    const { status } = await house.ask('POST', '/api/v1/sign-in', {
      json: { username: 'olivia', password: PASSWORD },
      headers,
    });
    expect(status).toBe(200);
  });

  test('that is trusted is told so when it asks, and when it is answered', async () => {
    const headers = { Origin: TRUSTED };
    const preflight = await house.ask('OPTIONS', '/api/v1/sign-in', {
      headers: {
        ...headers,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    });
    expect(preflight).toMatchObject({
      status: 204,
      text: '',
      headers: {
        'access-control-allow-origin': TRUSTED,
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, X-App-Key, X-Requested-With, X-SignalR-User-Agent',
        vary: 'Origin',
      },
    });
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    for (const path of ['/api/v1/welcome', '/api/v1/users']) {
      const { headers: answered } = await house.ask('GET', path, { headers });
      expect(answered).toMatchObject({
        'access-control-allow-origin': TRUSTED,
        'access-control-expose-headers': 'Retry-After',
        vary: 'Origin',
      });
    }
  });
});

describe('the headers', () => {
  const CSP =
    "default-src 'self';img-src 'self' data:;object-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";
  const everywhere = {
    'content-security-policy': CSP,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-permitted-cross-domain-policies': 'none',
    'x-powered-by': undefined,
    server: undefined,
    'strict-transport-security': undefined,
  };
  const kinds: [
    title: string,
    method: string,
    path: string,
    ask: Ask,
    status: number,
    more: Record<string, unknown>,
  ][] = [
    [
      'a page',
      'GET',
      '/',
      {},
      200,
      { 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' },
    ],
    [
      'an answer of the API',
      'GET',
      '/api/v1/welcome',
      {},
      200,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    [
      'an answer without a body',
      'POST',
      `/api/v1/apps/${hmi.id}/sign-out`,
      {},
      204,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    ['a refusal', 'GET', '/api/v1/users', {}, 401, { 'cache-control': 'no-store', etag: undefined }],
    [
      'a path that is not there',
      'GET',
      '/nothing',
      {},
      404,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    [
      'a method that does not go',
      'PUT',
      '/api/v1/users',
      {},
      405,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    [
      'a malformed body',
      'POST',
      '/api/v1/sign-in',
      { raw: '{', headers: json },
      400,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    [
      'a request of another site',
      'POST',
      '/api/v1/sign-in',
      { headers: { Origin: 'null' } },
      403,
      { 'cache-control': 'no-store' },
    ],
    [
      'an answer of the dialect',
      'GET',
      `/api/Token/${hmi.id}`,
      {},
      200,
      { 'cache-control': 'no-store', etag: undefined },
    ],
    [
      'the description of the API',
      'GET',
      '/api/v1/openapi.json',
      {},
      200,
      { 'cache-control': 'no-store', etag: undefined, 'content-type': 'application/json; charset=utf-8' },
    ],
    [
      'its page',
      'GET',
      '/swagger',
      {},
      200,
      { 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' },
    ],
  ];
  test.each(kinds)('of %s', async (_, method, path, ask, status, more) => {
    const answer = await house.ask(method, path, ask);
    expect(answer.status).toBe(status);
    for (const [name, value] of Object.entries({ ...everywhere, ...more })) {
      expect(answer.headers[name], name).toBe(value);
    }
  });

  test('of a file whose name tells its content let it be kept for a year', async () => {
    const page = await house.ask('GET', '/');
    const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page.text) ?? [];
    const { status, headers } = await house.ask('GET', script);
    expect({ status, caching: headers['cache-control'] }).toEqual({
      status: 200,
      caching: 'public, max-age=31536000, immutable',
    });
    expect(headers).toMatchObject({
      'content-security-policy': CSP,
      'content-type': 'text/javascript; charset=utf-8',
    });
  });
});

test('a defect is answered with a reference alone, under which the log has the rest', async () => {
  await using broken = await startTestHost();
  await broken.addUser('adam', { type: 'Admin' });
  const { accessToken: token } = await broken.signIn('adam');
  await broken.features.store.close();
  const { body } = await expectAnswer();
  const { reference } = body as { reference: string };
  const lines = broken.log.lines.filter((line) => line['reference'] === reference);
  expect(lines).toEqual([
    expect.objectContaining({
      level: 'error',
      method: 'GET',
      path: '/api/v1/users',
      msg: 'a request failed',
    }),
  ]);
  expect(JSON.stringify(lines)).not.toContain(token);

  async function expectAnswer() {
    const answer = await broken.ask('GET', '/api/v1/users?secret=1', { token });
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 500,
      body: problem(500, 'internal', {
        detail: 'A defect in Keyswitch. The log holds the details under the reference given.',
        reference: expect.stringMatching(/^[0-9a-f-]{36}$/),
      }),
    });
    return answer;
  }
});
