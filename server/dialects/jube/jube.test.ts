/** Jube's flows over real HTTPS: its documentation step by step, then everything that may go wrong with a token. */
import { createHmac } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { HOST_ACTOR } from '../../audit/audit.ts';
import { NAME_CLAIM } from '../../tokens/external.ts';
import { keyswitch } from '../../../test/command-line.ts';
import {
  newFolder,
  PASSWORD,
  startTestHost,
  type Answer,
  type Ask,
  type HostOptions,
  type TestHost,
} from '../../../test/host.ts';
import { filesWith, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../test/house.ts';
import { expectScenario, INSTANT, problem } from '../../../test/scenario.ts';
import { createSteeredClock } from '../../../test/steered-clock.ts';

const SIGN_IN = '/api/Authentication/ByUserNamePassword';
const CHANGE = '/api/Authentication/ChangePassword';
const LOGOUT = '/Account/Logout';
const SESSION = '/api/v1/session';

const KEY = 'ExtraSuperDuperSecretKeyCreatedOnFirstStartup';
const SITE = 'http://localhost:5001';
/** As it is by default; a test's host has none. */
const LOCKOUT = { 'lockout.delayAfter': '3', 'lockout.tries': '10', 'lockout.addressTries': '30' };
const JWT = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{43}$/) as string;

/** A data folder with these secrets, gone after the test file or the test. */
function folderWith(lines: readonly string[], onEnd: (clean: () => void) => void): string {
  const folder = newFolder();
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'keyswitch.env'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  return folder;
}

const SHARED_KEY = [`JWT_KEY=${KEY}`, `JWT_VALID_ISSUER=${SITE}`, `JWT_VALID_AUDIENCE=${SITE}`];

/** A host of the test's own. */
async function start(options: HostOptions = {}): Promise<TestHost> {
  const host = await startTestHost(options);
  onTestFinished(() => host.close());
  return host;
}

/** What a cookie of an answer says, or undefined. */
function cookieOf({ headers }: Answer, name = 'authenticate'): string | undefined {
  return headers['set-cookie']?.find((line) => line.startsWith(`${name}=`));
}

function payloadOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

async function signIn(host: TestHost, userName: string, more: Record<string, unknown> = {}): Promise<string> {
  const answer = await host.ask('POST', SIGN_IN, { json: { userName, password: PASSWORD, ...more } });
  expect(answer, answer.text).toMatchObject({ status: 200 });
  return (answer.body as { token: string }).token;
}

/** Who a request is taken for: a user's name, or the status. */
async function whoIs(host: TestHost, ask: Ask): Promise<string | number> {
  const { status, body } = await host.ask('GET', SESSION, ask);
  return status === 200 ? (body as { session: { user: { name: string } } }).session.user.name : status;
}

const byHeader = (token: string, name = 'authenticate'): Ask => ({ headers: { [name]: token } });
const byCookie = (token: string, name = 'authenticate'): Ask => ({ headers: { Cookie: `${name}=${token}` } });

const errors = (...messages: (string | RegExp)[]): unknown => ({
  errors: messages.map((message) => ({ errorMessage: expect.stringMatching(message) as string })),
});

test("Jube's documentation, from Administrator expired to signed out", { timeout: 30_000 }, async () => {
  const dataFolder = folderWith([], onTestFinished);
  const made = await keyswitch(['first-run', '--preset', 'jube', '--json', '--data', dataFolder]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(made.stdout)).toEqual({
    administrator: { username: 'Administrator', oneTimeSecret: 'Administrator' },
    sample: null,
  });

  const clock = createSteeredClock();
  const host = await start({ dataFolder, clock, config: { 'passwords.preset': 'jube' } });
  const credentials = { userName: 'Administrator', password: 'Administrator' };
  const signInWith = (more: Record<string, unknown>) =>
    host.ask('POST', SIGN_IN, { json: { ...credentials, ...more } });

  // "which will assert that the password must be changed for reasons of expiry"
  await expectScenario(host, {
    title: 'expired',
    method: 'POST',
    path: SIGN_IN,
    ask: { json: { ...credentials, newPassword: '', repeatNewPassword: null, passwordChangeState: false } },
    status: 403,
    body: undefined,
    headers: { 'set-cookie': undefined, authenticate: undefined, 'cache-control': 'no-store' },
    trail: ['password-change-required by Administrator via jube of Administrator (one-time-secret)'],
  });

  // "The password change must confirm to the following complexity rules"
  const weak: [newPassword: string, message: RegExp][] = [
    ['Ab(4567', /^The password must have at least 8 characters\.$/],
    ['Ab(4567890qwertyu', /^The password must have at most 16 characters\.$/],
    ['ab(45678', /uppercase/],
    ['AB(45678', /lowercase/],
    ['Ab(qwert', /digits/],
    ['Ab-45678', /symbols/],
  ];
  for (const [newPassword, message] of weak) {
    const answer = await signInWith({
      newPassword,
      repeatNewPassword: newPassword,
      passwordChangeState: true,
    });
    expect({ newPassword, status: answer.status, body: answer.body }).toEqual({
      newPassword,
      status: 400,
      body: errors(message),
    });
    expect(cookieOf(answer)).toBeUndefined();
  }
  const everything = await signInWith({
    newPassword: '-',
    repeatNewPassword: '-',
    passwordChangeState: true,
  });
  expect(everything.body).toEqual(errors(/at least 8/, /uppercase/, /lowercase/, /digits/, /symbols/));

  // "and repeat for validation"
  const newPassword = 'Quay(74)zebra';
  const differing = await signInWith({
    newPassword,
    repeatNewPassword: 'Quay(74)',
    passwordChangeState: true,
  });
  expect(differing).toMatchObject({ status: 400, body: errors(/^repeatNewPassword: must be the same/) });

  // "will proceed to change the password as part of the authentication process"
  const signedIn = await expectScenario(host, {
    title: 'changed',
    method: 'POST',
    path: SIGN_IN,
    ask: { json: { ...credentials, newPassword, repeatNewPassword: newPassword, passwordChangeState: true } },
    status: 200,
    body: { token: JWT, expiration: INSTANT },
    headers: { authenticate: JWT, 'cache-control': 'no-store' },
    absent: [newPassword, '__Host-'],
    events: ['SessionOpened Administrator at Keyswitch'],
    trail: [
      'password-change-required by Administrator via jube of Administrator (one-time-secret)',
      'password-changed by Administrator via jube of Administrator',
      'sign-in by Administrator via jube of Administrator (password)',
    ],
  });
  const { token, expiration } = signedIn.body as { token: string; expiration: string };
  expect(signedIn.headers['authenticate']).toBe(token);
  expect(cookieOf(signedIn)).toMatch(
    new RegExp(`^authenticate=${token}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=(899|900)$`),
  );
  expect(payloadOf(token)).toEqual({
    [NAME_CLAIM]: 'Administrator',
    iss: expect.any(String) as string,
    aud: expect.any(String) as string,
    exp: Date.parse(expiration) / 1000,
    sid: expect.any(String) as string,
    jti: expect.any(String) as string,
  });
  expect(Math.abs(Date.parse(expiration) - clock.now() - 15 * MINUTE_MS)).toBeLessThan(2 * SECOND_MS);
  expect(await signInWith({})).toMatchObject({ status: 401, text: '' });

  // "in either a cookie named "authenticate", or in the customary location of HTTP header by the same name"
  const ways = [
    byCookie(token),
    byHeader(token),
    byCookie(token, 'authentication'),
    byHeader(token, 'authentication'),
    { token },
  ];
  for (const way of ways) expect(await whoIs(host, way), JSON.stringify(way)).toBe('Administrator');
  expect(await host.ask('GET', '/api/v1/users', byCookie(token))).toMatchObject({ status: 200 });

  // "that same token will be returned in each http response": the cookie is as it was
  clock.skip(4 * MINUTE_MS);
  const early = await host.ask('GET', SESSION, byCookie(token));
  expect([early.status, early.headers['authenticate'], cookieOf(early)]).toEqual([200, token, undefined]);

  // "given any activity it will be reissued for a further 15 minutes and being sent in both header and cookie"
  clock.skip(MINUTE_MS + 2 * SECOND_MS);
  const renewed = await host.ask('GET', SESSION, byCookie(token));
  const second = String(renewed.headers['authenticate']);
  expect(second).not.toBe(token);
  expect(cookieOf(renewed)).toMatch(`authenticate=${second}; Path=/;`);
  expect(payloadOf(second)).toMatchObject({ sid: payloadOf(token)['sid'] });
  expect(Number(payloadOf(second)['exp'])).toBeGreaterThan(Number(payloadOf(token)['exp']) + 5 * 60);
  expect(await whoIs(host, byCookie(token))).toBe('Administrator');

  // The first one ends when it said so, although its session goes on.
  clock.skip(10 * MINUTE_MS);
  expect(await whoIs(host, byCookie(token))).toBe(401);
  expect(await whoIs(host, byCookie(second))).toBe('Administrator');

  // "The cookie expires after 15 minutes of inactivity"
  const idle = host.published('SessionEnded');
  const last = String((await host.ask('GET', SESSION, byCookie(second))).headers['authenticate']);
  await host.trail();
  clock.skip(15 * MINUTE_MS);
  await idle;
  expect(await whoIs(host, byCookie(last))).toBe(401);
  expect(await host.trail()).toEqual(['session-ended by host via host of Administrator (idle)']);

  // "Clicking on the Logout menu item will proceed to remove the JSON Web Token cookie and ... navigate to the login page"
  const again = await signIn(host, 'Administrator', { password: newPassword });
  const out = await expectScenario(host, {
    title: 'logout',
    path: LOGOUT,
    ask: { headers: { Cookie: `authenticate=${again}`, 'Sec-Fetch-Site': 'same-origin' } },
    status: 302,
    body: expect.stringContaining('/') as string,
    headers: { location: '/', authenticate: undefined, 'cache-control': 'no-store' },
    events: ['SessionEnded Administrator at Keyswitch: signed-out'],
    trail: ['session-ended by Administrator via jube of Administrator (signed-out)'],
  });
  expect(cookieOf(out)).toMatch(/^authenticate=; .*Max-Age=0$/);
  for (const way of [byCookie(again), byHeader(again), { token: again }]) {
    expect(await whoIs(host, way)).toBe(401);
  }
  for (const secret of [newPassword, token, second, again]) expect(filesWith(dataFolder, secret)).toEqual([]);
});

describe('signing in', async () => {
  const clock = createSteeredClock();
  const host = await startTestHost({ clock });
  afterAll(() => host.close());
  await host.addUser('olivia');
  await host.addUser('paul', { type: 'Passive' });
  await host.addUser('dora');
  await host.features.users.change('dora', { enabled: false }, HOST_ACTOR);
  await host.addUser('novice', { mustChange: true });
  // What was mistyped is forgotten.
  beforeEach(() => clock.skip(HOUR_MS));

  const good = { userName: 'olivia', password: PASSWORD };
  const post = (json: unknown) => host.ask('POST', SIGN_IN, { json });

  test.each<[string, Record<string, unknown>]>([
    ['small letters', { username: 'olivia', password: PASSWORD }],
    ['capitals', { USERNAME: 'olivia', PASSWORD }],
    ['its own spelling, with whatever else', { UserName: 'olivia', Password: PASSWORD, Language: 'de' }],
    ['empty fields', { ...good, newPassword: '', repeatNewPassword: '', passwordChangeState: null }],
    ['a new password that is not asked for', { ...good, newPassword: 'x', repeatNewPassword: 'y' }],
  ])('takes the fields in %s', async (_title, json) => {
    expect(await post(json)).toMatchObject({ status: 200, body: { token: JWT, expiration: INSTANT } });
  });

  test('answers every refusal with the very same bytes, whatever its reason', async () => {
    const refused = [
      { userName: 'nobody' },
      { userName: 'Olivia' },
      { password: 'wrong' },
      { userName: 'dora' },
      { userName: 'paul' },
    ];
    const seen = new Set<string>();
    for (const json of refused) {
      const { status, rawHeaders, text } = await post({ ...good, ...json });
      expect(status).toBe(401);
      seen.add(JSON.stringify([rawHeaders.toSpliced(rawHeaders.indexOf('Date'), 2), text]));
    }
    expect(seen.size).toBe(1);
    expect([...seen].join()).toContain('WWW-Authenticate');
  });

  test.each<[string, Ask, unknown]>([
    ['nothing', { json: {} }, errors(/^userName: /, /^password: /)],
    ['no object', { json: [] }, errors(/./)],
    ['an empty password', { json: { ...good, password: '' } }, errors(/^password: /)],
    ['a password of a megabyte', { json: { ...good, password: 'x'.repeat(9000) } }, errors(/^password: /)],
    ['half a surrogate pair', { json: { ...good, password: '\ud800' } }, errors(/^password: /)],
    [
      'a state that is none',
      { json: { ...good, passwordChangeState: 'yes' } },
      errors(/^passwordChangeState: /),
    ],
    [
      'a change to nothing',
      { json: { ...good, passwordChangeState: true } },
      errors(/^newPassword: must be given$/),
    ],
    ['no JSON', { raw: '{', headers: { 'Content-Type': 'application/json' } }, errors(/./)],
  ])('says what is wrong with %s, in its form, before anyone is asked for', async (title, ask, body) => {
    await expectScenario(host, { title, method: 'POST', path: SIGN_IN, ask, status: 400, body });
  });

  test('leaves what it has no form for to the house', async () => {
    const form = { raw: 'userName=olivia', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } };
    expect(await host.ask('POST', SIGN_IN, form)).toMatchObject({ status: 415 });
    expect(await host.ask('GET', SIGN_IN)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await host.ask('GET', CHANGE)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    const foreign = { json: good, headers: { Origin: 'https://elsewhere.example' } };
    expect(await host.ask('POST', SIGN_IN, foreign)).toMatchObject({ body: problem(403, 'cross-site') });
  });

  test('tells an overloaded host from a wrong password', async () => {
    // One at a time, and slow enough that the others come meanwhile.
    const costly = { 'passwords.memoryKib': '32768', 'passwords.iterations': '2' };
    const busy = await start({
      config: { ...costly, 'passwords.maxConcurrent': '1', 'passwords.maxWaiting': '1' },
    });
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, nth) =>
        busy.ask('POST', SIGN_IN, { json: { userName: `user ${nth}`, password: 'wrong' } }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].toSorted()).toEqual([401, 503]);
    expect(answers.find(({ status }) => status === 503)?.headers['retry-after']).toMatch(/^\d+$/);
  });

  test('replaces a password that was still good, and ends what it had opened elsewhere', async () => {
    await host.addUser('vera');
    const before = await signIn(host, 'vera');
    const newPassword = 'a harbour full of lanterns';
    const change = { newPassword, repeatNewPassword: newPassword, passwordChangeState: true };
    const token = await signIn(host, 'vera', change);
    expect(await whoIs(host, byHeader(before))).toBe(401);
    expect(await whoIs(host, byHeader(token))).toBe('vera');
    expect(await post({ userName: 'vera', password: PASSWORD })).toMatchObject({ status: 401 });
  });

  test('signs nobody in whose wish for a new password is refused', async () => {
    await host.addUser('wilma');
    const newPassword = 'Zx7 quay lamp';
    const change = { newPassword, repeatNewPassword: newPassword, passwordChangeState: true };
    const answer = await post({ userName: 'wilma', password: PASSWORD, ...change });
    expect(answer).toMatchObject({ status: 400, body: errors(/at least 15/) });
    expect([cookieOf(answer), answer.headers['authenticate']]).toEqual([undefined, undefined]);
    expect(host.events().filter((line) => line.includes('wilma at'))).toEqual([
      'SessionOpened wilma at Keyswitch',
      'SessionEnded wilma at Keyswitch: signed-out',
    ]);
    expect(await post({ userName: 'wilma', password: PASSWORD })).toMatchObject({ status: 200 });
  });

  test('in a browser ends the session that it had before', async () => {
    const first = await signIn(host, 'olivia');
    const program = await signIn(host, 'olivia');
    const second = await host.ask('POST', SIGN_IN, { json: good, ...byCookie(first) });
    expect(second.status).toBe(200);
    expect(await whoIs(host, byCookie(first))).toBe(401);
    expect(await whoIs(host, byHeader(program))).toBe('olivia');
  });

  test('with a wrong password too often says when to come back, and not why', async () => {
    const strict = await start({ config: LOCKOUT });
    await strict.addUser('olivia');
    for (const userName of ['olivia', 'nobody']) {
      const told: unknown[] = [];
      for (let nth = 0; nth < 5; nth += 1) {
        const { status, headers, text } = await strict.ask('POST', SIGN_IN, {
          json: { userName, password: 'wrong' },
        });
        told.push([status, headers['retry-after'] !== undefined, text]);
      }
      const plain = [401, false, ''];
      const slowed = [401, true, ''];
      expect(told).toEqual([plain, plain, slowed, slowed, slowed]);
    }
    const right = await strict.ask('POST', SIGN_IN, { json: good });
    expect(right).toMatchObject({ status: 401, text: '' });
  });
});

test("with Jube's lockout the tenth failure locks until an administrator unlocks", async () => {
  const clock = createSteeredClock();
  const host = await start({ clock, config: { 'lockout.preset': 'jube' } });
  const olivia = await host.addUser('olivia');
  await host.addUser('adam', { type: 'Admin' });
  const post = (password: string) => host.ask('POST', SIGN_IN, { json: { userName: 'olivia', password } });
  const fail = async (times: number): Promise<void> => {
    for (let nth = 0; nth < times; nth += 1)
      expect(await post('wrong')).toMatchObject({ status: 401, text: '' });
  };

  await fail(9);
  expect(await post(PASSWORD)).toMatchObject({ status: 200 });
  await fail(9);
  expect(host.features.lockout.isLocked(olivia.id, '192.0.2.1')).toBe(false);
  await fail(1);
  expect(host.features.lockout.isLocked(olivia.id, '192.0.2.1')).toBe(true);
  clock.skip(48 * HOUR_MS);
  await fail(1);
  expect(host.features.lockout.isLocked(olivia.id, '192.0.2.1')).toBe(true);
  const unlocked = await host.ask(
    'POST',
    '/api/v1/users/olivia/unlock',
    byHeader(await signIn(host, 'adam')),
  );
  expect(unlocked.status).toBeLessThan(300);
  expect(await post(PASSWORD)).toMatchObject({ status: 200 });
});

describe('changing the password', async () => {
  const host = await startTestHost({ config: LOCKOUT });
  afterAll(() => host.close());
  const newPassword = 'a harbour full of lanterns';
  const change = (json: unknown, ask: Ask = {}) => host.ask('POST', CHANGE, { json, ...ask });

  test('is for those who are signed in, whatever password they know', async () => {
    await host.addUser('uma');
    await host.trail();
    const answer = await change({ password: PASSWORD, newPassword, userName: 'uma' });
    expect(answer).toMatchObject({ status: 401, text: '' });
    expect(await host.trail()).toEqual([]);
  });

  test('needs the present one; a wrong one is counted and recorded', async () => {
    await host.addUser('ursula');
    const token = await signIn(host, 'ursula');
    await host.trail();
    const wrong = await change({ password: 'wrong', newPassword }, byHeader(token));
    expect(wrong).toMatchObject({ status: 401, text: '' });
    expect(await host.trail()).toEqual([
      'password-change-refused by ursula via jube of ursula (wrong-password)',
    ]);
    for (let nth = 0; nth < 2; nth += 1) await change({ password: 'wrong', newPassword }, byHeader(token));
    const slowed = await change({ password: PASSWORD, newPassword }, byHeader(token));
    expect(slowed).toMatchObject({ status: 401, headers: { 'retry-after': expect.any(String) as string } });
    expect(await whoIs(host, byHeader(token))).toBe('ursula');
  });

  test('names the rules that the new one breaks', async () => {
    await host.addUser('ulla');
    const token = await signIn(host, 'ulla');
    const weak = await change({ Password: PASSWORD, NewPassword: 'Zx7 quay lamp' }, byHeader(token));
    expect(weak).toMatchObject({ status: 400, body: errors(/at least 15/) });
    const missing = await change({ password: PASSWORD }, byHeader(token));
    expect(missing).toMatchObject({ status: 400, body: errors(/^newPassword: /) });
  });

  test('ends every other session of the user, and not this one', async () => {
    await host.addUser('umberto');
    const [here, there] = [await signIn(host, 'umberto'), await signIn(host, 'umberto')];
    const native = await host.signIn('umberto');
    const done = await change({ password: PASSWORD, newPassword }, byCookie(here));
    expect(done).toMatchObject({ status: 200, text: '' });
    expect(await whoIs(host, byCookie(here))).toBe('umberto');
    expect(await whoIs(host, byCookie(there))).toBe(401);
    expect(await whoIs(host, { token: native.accessToken })).toBe(401);
    await signIn(host, 'umberto', { password: newPassword });
  });
});

describe('signing out', async () => {
  const host = await startTestHost();
  afterAll(() => host.close());
  await host.addUser('olivia');

  test.each(['cross-site', 'same-site'])('is not for a page of another site (%s)', async (site) => {
    const token = await signIn(host, 'olivia');
    const answer = await host.ask('GET', LOGOUT, {
      headers: { Cookie: `authenticate=${token}`, 'Sec-Fetch-Site': site },
    });
    expect([answer.status, answer.headers.location]).toEqual([302, '/']);
    expect(answer.headers['set-cookie']?.join() ?? '').not.toContain('Max-Age=0');
    expect(await whoIs(host, byCookie(token))).toBe('olivia');
  });

  test.each(['none', undefined])(
    'is for an address that was typed, and for old browsers (%s)',
    async (site) => {
      const token = await signIn(host, 'olivia');
      const headers = {
        Cookie: `authenticate=${token}`,
        ...(site !== undefined && { 'Sec-Fetch-Site': site }),
      };
      expect(await host.ask('GET', LOGOUT, { headers })).toMatchObject({ status: 302 });
      expect(await whoIs(host, byCookie(token))).toBe(401);
    },
  );

  test('leads whoever is not signed in to the sign-in page as well', async () => {
    const answer = await host.ask('GET', '/account/logout');
    expect([answer.status, answer.headers.location]).toEqual([302, '/']);
  });

  test('is out on our own pages too', async () => {
    const cookie = await host.signInForCookie('olivia');
    const token = await signIn(host, 'olivia');
    const headers = { Cookie: `authenticate=${token}; __Host-keyswitch=${cookie}` };
    await host.ask('GET', LOGOUT, { headers });
    expect([await whoIs(host, byCookie(token)), await whoIs(host, { cookie })]).toEqual([401, 401]);
  });
});

describe('a token that was made here', async () => {
  const dataFolder = folderWith(SHARED_KEY, afterAll);
  const host = await startTestHost({ dataFolder });
  afterAll(() => host.close());
  await host.addUser('olivia');
  await host.addUser('adam', { type: 'Admin' });

  test('is worthless as soon as its session has ended, and opens no other', async () => {
    const token = await signIn(host, 'olivia');
    host.events();
    await host.features.sessions.end(String(payloadOf(token)['sid']), 'ended-by-administrator', HOST_ACTOR);
    for (const way of [byCookie(token), byHeader(token), { token }]) expect(await whoIs(host, way)).toBe(401);
    expect(host.events()).toEqual(['SessionEnded olivia at Keyswitch: ended-by-administrator']);
  });

  test('is worthless as soon as its user is disabled', async () => {
    await host.addUser('otto');
    const token = await signIn(host, 'otto');
    await host.features.users.change('otto', { enabled: false }, HOST_ACTOR);
    expect(await whoIs(host, byHeader(token))).toBe(401);
    await host.features.users.change('otto', { enabled: true }, HOST_ACTOR);
    expect(await whoIs(host, byHeader(token))).toBe(401);
  });

  test('cannot be made by others who have the key', async () => {
    const mine = await signIn(host, 'olivia');
    const admins = await signIn(host, 'adam');
    const exp = Number(payloadOf(mine)['exp']);
    const { sid, jti } = payloadOf(mine);
    for (const claims of [
      { sid: payloadOf(admins)['sid'], [NAME_CLAIM]: 'adam' },
      { sid: payloadOf(admins)['sid'], [NAME_CLAIM]: 'adam', jti },
      { sid, jti, [NAME_CLAIM]: 'adam' },
      { sid, jti, [NAME_CLAIM]: 'olivia', exp: exp + 3600 },
      { sid, jti: 7, [NAME_CLAIM]: 'olivia' },
      { sid: 7, [NAME_CLAIM]: 'adam' },
    ]) {
      expect(await whoIs(host, byHeader(forge({ exp, ...claims }))), JSON.stringify(claims)).toBe(401);
    }
    expect(await whoIs(host, byHeader(forge({ exp, sid, jti, [NAME_CLAIM]: 'olivia' })))).toBe('olivia');
  });

  test('is not kept with a file that a cache may keep, and does not go before our own', async () => {
    const token = await signIn(host, 'olivia');
    const page = await host.ask('GET', '/api/v1/openapi.json', byCookie(token));
    expect(page.headers['authenticate']).toBe(token);
    const file = await host.ask('GET', '/swagger/start.js', byCookie(token));
    expect([file.status, file.headers['authenticate']]).toEqual([200, undefined]);
    const bearer = await host.signIn('adam');
    expect(await whoIs(host, { ...byCookie(token), token: bearer.accessToken })).toBe('adam');
    expect(
      await whoIs(host, { headers: { Cookie: `authenticate=${token}`, Authorization: 'Bearer x' } }),
    ).toBe(401);
    const cookie = await host.signInForCookie('adam');
    const both = { headers: { Cookie: `authenticate=${token}; __Host-keyswitch=${cookie}` } };
    expect(await whoIs(host, both)).toBe('adam');
  });

  test('leaves those who sign in anew in peace when it is no good', async () => {
    const token = await signIn(host, 'olivia');
    await host.ask('GET', LOGOUT, byCookie(token));
    const json = { userName: 'olivia', password: PASSWORD };
    expect(await host.ask('POST', SIGN_IN, { json, ...byHeader(token) })).toMatchObject({ status: 200 });
  });

  test('is protected from pages of other sites like any session', async () => {
    const token = await signIn(host, 'adam');
    const answer = await host.ask('POST', '/api/v1/sign-out', {
      headers: { Cookie: `authenticate=${token}`, 'Sec-Fetch-Site': 'cross-site' },
    });
    expect(answer).toMatchObject({ status: 403 });
    expect(await whoIs(host, byCookie(token))).toBe('adam');
    expect(await host.ask('POST', '/api/v1/sign-out', byCookie(token))).toMatchObject({ status: 204 });
    expect(await whoIs(host, byCookie(token))).toBe(401);
  });
});

/** Makes a token as another program with the key does. */
function forge(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = { alg: 'HS256', typ: 'JWT' },
): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode(header)}.${encode({ iss: SITE, aud: SITE, ...claims })}`;
  return `${input}.${createHmac('sha256', KEY).update(input).digest('base64url')}`;
}

/** The same signature in other letters: the last one has bits that stand for nothing. */
function twinOf(signature: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = letters.indexOf(signature.slice(-1));
  return signature.slice(0, -1) + letters.charAt(last ^ 1);
}

describe('a token that was made elsewhere', () => {
  /** A host that knows the key, and tokens of its time; `nth` makes one differ from the next. */
  async function open() {
    const clock = createSteeredClock();
    const dataFolder = folderWith(SHARED_KEY, onTestFinished);
    const host = await start({ dataFolder, clock });
    await host.addUser('olivia');
    await host.trail();
    let nth = 0;
    const tokenFor = (username: unknown, more: Record<string, unknown> = {}): string => {
      const exp = Math.floor(clock.now() / 1000) + 900;
      return forge({ [NAME_CLAIM]: username, exp, iat: (nth += 1), ...more });
    };
    return { clock, dataFolder, host, tokenFor };
  }

  test('opens one audited session on first sight, however many requests bring it at once', async () => {
    const { host, tokenFor } = await open();
    const token = tokenFor('olivia');
    const seen = await Promise.all(Array.from({ length: 12 }, () => whoIs(host, byHeader(token))));
    expect(new Set(seen)).toEqual(new Set(['olivia']));
    for (const way of [byCookie(token), { token }]) expect(await whoIs(host, way)).toBe('olivia');
    expect(host.events()).toEqual(expect.arrayContaining(['SessionOpened olivia at Keyswitch']));
    expect(await host.trail()).toEqual(['sign-in by olivia via jube of olivia (external)']);
    expect(host.features.sessions.list()).toHaveLength(1);
    const answer = await host.ask('GET', SESSION, byCookie(token));
    expect([answer.headers['authenticate'], cookieOf(answer)]).toEqual([undefined, undefined]);
    expect(filesWith(host.dataFolder, token)).toEqual([]);
  });

  test('finds its session again after a restart, and stays dead where that had ended', async () => {
    const { clock, dataFolder, host, tokenFor } = await open();
    const [live, dead] = [tokenFor('olivia'), tokenFor('olivia')];
    for (const token of [live, dead]) expect(await whoIs(host, byHeader(token))).toBe('olivia');
    expect(await host.ask('POST', '/api/v1/sign-out', byHeader(dead))).toMatchObject({ status: 204 });
    expect(await whoIs(host, byHeader(dead))).toBe(401);
    await host.close();

    const again = await start({ dataFolder, clock });
    await again.trail();
    expect(await whoIs(again, byHeader(live))).toBe('olivia');
    expect(await whoIs(again, byHeader(dead))).toBe(401);
    expect(await whoIs(again, byHeader(dead))).toBe(401);
    expect(await again.trail()).toEqual(['sign-in-refused by anonymous via jube of olivia (token-used)']);
    expect(again.features.sessions.list()).toHaveLength(1);
  });

  test('dies with the account, and is not brought back with it', async () => {
    const { clock, host, tokenFor } = await open();
    const token = tokenFor('olivia', { exp: Math.floor(clock.now() / 1000) + 7200 });
    expect(await whoIs(host, byHeader(token))).toBe('olivia');
    await host.features.users.change('olivia', { enabled: false }, HOST_ACTOR);
    expect(await whoIs(host, byHeader(token))).toBe(401);
    await host.features.users.change('olivia', { enabled: true }, HOST_ACTOR);
    clock.skip(10 * MINUTE_MS);
    expect(await whoIs(host, byHeader(token))).toBe(401);
    expect(host.features.sessions.list()).toEqual([]);
  });

  test('ends when it says so', async () => {
    const { clock, host, tokenFor } = await open();
    const token = tokenFor('olivia');
    expect(await whoIs(host, byHeader(token))).toBe('olivia');
    const ended = host.published('SessionEnded');
    // Not by being idle: whoever made it decides how long it lives.
    clock.skip(14 * MINUTE_MS);
    expect(host.features.sessions.list()).toHaveLength(1);
    clock.skip(MINUTE_MS);
    await ended;
    expect(await whoIs(host, byHeader(token))).toBe(401);
  });

  test('that lives for years is good for twelve hours, once', async () => {
    const { clock, host, tokenFor } = await open();
    const token = tokenFor('olivia', { exp: 4_000_000_000 });
    expect(await whoIs(host, byHeader(token))).toBe('olivia');
    expect(host.features.sessions.list()[0]?.expiresAt).toBeLessThanOrEqual(clock.now() + 12 * HOUR_MS);
    const ended = host.published('SessionEnded');
    clock.skip(12 * HOUR_MS);
    await ended;
    expect(await whoIs(host, byHeader(token))).toBe(401);
    expect(host.features.sessions.list()).toEqual([]);
  });

  test('opens nothing for those who may not sign in, and is recorded once in a while', async () => {
    const { clock, host, tokenFor } = await open();
    await host.addUser('paul', { type: 'Passive' });
    await host.addUser('dora');
    await host.features.users.change('dora', { enabled: false }, HOST_ACTOR);
    for (const [name, row] of [
      ['nobody', 'sign-in-refused by anonymous via jube (unknown-user)'],
      ['paul', 'sign-in-refused by anonymous via jube of paul (user-passive)'],
      ['dora', 'sign-in-refused by anonymous via jube of dora (user-disabled)'],
    ]) {
      const token = tokenFor(name, { exp: Math.floor(clock.now() / 1000) + 7200 });
      await host.trail();
      for (let nth = 0; nth < 4; nth += 1) expect(await whoIs(host, byHeader(token))).toBe(401);
      expect(await host.trail()).toEqual([row]);
      clock.skip(6 * MINUTE_MS);
      expect(await whoIs(host, byHeader(token))).toBe(401);
      expect(await host.trail()).toEqual([row]);
    }
    expect(host.features.sessions.list()).toEqual([]);
  });

  test('with anything wrong opens nothing', async () => {
    const { clock, host, tokenFor } = await open();
    const now = Math.floor(clock.now() / 1000);
    const good = { [NAME_CLAIM]: 'olivia', exp: now + 900 };
    const [header = '', payload = '', signature = ''] = tokenFor('olivia').split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const wrong: Record<string, string> = {
      'alg none': `${none}.${payload}.`,
      'alg none, signed': forge(good, { alg: 'none' }),
      'alg RS256, signed with the key': forge(good, { alg: 'RS256', typ: 'JWT' }),
      'no signature': `${header}.${payload}.`,
      'another key': `${header}.${payload}.${createHmac('sha256', `${KEY}x`).update(`${header}.${payload}`).digest('base64url')}`,
      'another issuer': forge({ ...good, iss: 'http://localhost:5002' }),
      'another audience': forge({ ...good, aud: 'http://localhost:5002' }),
      'two names': forge({ ...good, [NAME_CLAIM]: ['olivia', 'adam'] }),
      'no name': forge({ exp: now + 900 }),
      'no end': forge({ [NAME_CLAIM]: 'olivia' }),
      'ended a second ago': forge({ ...good, exp: now - 1 }),
      'not yet good': forge({ ...good, nbf: now + 60 }),
      'another spelling': `${header}.${payload}.${twinOf(signature)}`,
    };
    for (const [title, token] of Object.entries(wrong)) {
      for (const way of [byHeader(token), byCookie(token), { token }]) {
        expect(await whoIs(host, way), title).toBe(401);
      }
    }
    expect(await host.trail()).toEqual([]);
    expect(host.features.sessions.list()).toEqual([]);
    expect(await whoIs(host, byHeader(forge(good)))).toBe('olivia');
  });

  test('cannot be had for its unsigned part, by a cookie of ours', async () => {
    const { host, tokenFor } = await open();
    const token = tokenFor('olivia');
    await whoIs(host, byHeader(token));
    const [header, payload] = token.split('.');
    expect(await whoIs(host, { cookie: `${header}.${payload}` })).toBe(401);
  });

  test('is worth nothing where no key was set, whatever it is signed with', async () => {
    const dataFolder = folderWith(
      [`SECRET_PWD_KEY=${KEY}`, `JWT_VALID_ISSUER=${SITE}`, `JWT_VALID_AUDIENCE=${SITE}`],
      onTestFinished,
    );
    const host = await start({ dataFolder });
    await host.addUser('olivia');
    const token = forge({ [NAME_CLAIM]: 'olivia', exp: Math.floor(Date.now() / 1000) + 900 });
    expect(await whoIs(host, byHeader(token))).toBe(401);
    expect(await whoIs(host, byHeader(await signIn(host, 'olivia')))).toBe('olivia');
  });
});

test('without the dialect nothing of it is there, and its tokens are worth nothing', async () => {
  const dataFolder = folderWith(SHARED_KEY, onTestFinished);
  const host = await start({ dataFolder, config: { 'dialects.jube': 'false' } });
  await host.addUser('olivia');
  const json = { userName: 'olivia', password: PASSWORD };
  expect(await host.ask('POST', SIGN_IN, { json })).toMatchObject({ status: 404 });
  expect(await host.ask('GET', LOGOUT)).toMatchObject({ status: 404 });
  const token = forge({ [NAME_CLAIM]: 'olivia', exp: Math.floor(Date.now() / 1000) + 900 });
  for (const way of [byHeader(token), byCookie(token), { token }]) expect(await whoIs(host, way)).toBe(401);
});
