import { createPublicKey, verify } from 'node:crypto';
import { hostname } from 'node:os';
import { afterAll, describe, expect, test } from 'vitest';
import { listOf } from '../../passwords/blocklist.ts';
import { brokenRules } from '../../passwords/policy.ts';
import { PRESETS } from '../../passwords/presets.ts';
import type { KeyswitchError } from '../../errors.ts';
import { VERSION } from '../../product.ts';
import { startTestHost } from '../../../test/host.ts';
import { expectScenario, type Scenario } from '../../../test/scenario.ts';

const house = await startTestHost({
  config: { 'plant.name': 'Pumps <&> "boilers"', 'plant.banner': 'Private.\nKeep out.' },
});
await house.addUser('olivia');
const { app: hmi, key } = await house.addApp('HMI');
afterAll(() => house.close());

describe('GET /healthz', () => {
  test('says that the host lives and is ready', async () => {
    await expectScenario(house, {
      title: '',
      path: '/healthz',
      status: 200,
      body: { live: true, ready: true, store: 'ok', storage: 'ok', plc: { links: 0, online: 0 } },
      headers: { 'cache-control': 'no-store', etag: undefined },
    });
  });

  test('says that it lives but is not ready when the store does not answer', async () => {
    await using broken = await startTestHost();
    await broken.features.store.close();
    const { status, body } = await broken.ask('GET', '/healthz');
    expect({ status, body }).toEqual({
      status: 503,
      body: { live: true, ready: false, store: 'failing', storage: 'ok', plc: { links: 0, online: 0 } },
    });
  });
});

describe('GET /api/v1/welcome', () => {
  const place = {
    plant: 'Pumps <&> "boilers"',
    station: hostname(),
    banner: 'Private.\nKeep out.',
    version: VERSION,
    password: PRESETS.nist,
    badges: {
      ...{ signIn: 'with-pin', pinMinLength: 6 },
      ...{ prefix: '', suffix: 'enter', minLength: 6, maxGapMs: 50 },
    },
  };
  const here = { status: 200, body: { ...place, app: null } };
  const scenarios: Scenario[] = [
    { title: 'names the place', path: '/api/v1/welcome', ...here, absent: ['Administrator', key, hmi.id] },
    {
      title: 'names the app that is asked for, in any letter case, without its key',
      path: `/api/v1/welcome?appId=${hmi.id.toUpperCase()}`,
      status: 200,
      body: { ...place, app: { id: hmi.id, name: 'HMI' } },
      absent: [key],
    },
    {
      title: 'names no app for an id that none has',
      path: '/api/v1/welcome?appId=eb97a642-78f5-4458-b8ca-036fe70298ef',
      ...here,
    },
    { title: 'names no app for what is no id', path: '/api/v1/welcome?appId=HMI', ...here },
    { title: 'names no app for nothing', path: '/api/v1/welcome?appId=', ...here },
    {
      title: 'names no app where two are asked for',
      path: `/api/v1/welcome?appId=${hmi.id}&appId=${hmi.id}`,
      ...here,
    },
    { title: 'names no app for the name of a prototype', path: '/api/v1/welcome?appId=__proto__', ...here },
    {
      title: 'does not mind a query that cannot be decoded',
      path: '/api/v1/welcome?appId=%E0%A4%A',
      ...here,
    },
  ];
  test.each(scenarios)('$title', async (scenario) => {
    await expectScenario(house, { headers: { 'cache-control': 'no-store', etag: undefined }, ...scenario });
  });
});

describe('GET /api/v1/password-blocklist', () => {
  test('has the common passwords and the words of this place, for anyone, for an hour', async () => {
    const { status, headers, body } = await house.ask('GET', '/api/v1/password-blocklist');
    const { common, site } = body as { common: string[]; site: string[] };
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('public, max-age=3600');
    expect(common.length).toBeGreaterThan(20_000);
    expect(site).toEqual(expect.arrayContaining(['keyswitch', 'pumps', 'boilers']));
  });

  test('is what the host itself refuses by', async () => {
    const { common, site } = (await house.ask('GET', '/api/v1/password-blocklist')).body as {
      common: string[];
      site: string[];
    };
    const onPage = { common: listOf(common), site: listOf(site) };
    const subject = { name: 'newcomer', displayName: 'Newcomer' };
    const { passwords } = house.features;
    for (const password of [
      'passwordpassword',
      'Keyswitch 2026!!',
      'Boilers!Boilers!',
      'a fine new password',
    ]) {
      const refused = await passwords.prepare(password, subject).then(
        () => [],
        (error: KeyswitchError) => error.faults.map(({ rule }) => rule),
      );
      expect(brokenRules(password, PRESETS.nist, subject, onPage).map(({ rule }) => rule)).toEqual(refused);
    }
  });

  test('is empty where the policy has no use for it', async () => {
    await using lenient = await startTestHost({ config: { 'passwords.blocklist': 'false' } });
    const { body } = await lenient.ask('GET', '/api/v1/password-blocklist');
    expect(body).toEqual({ common: [], site: [] });
  });
});

describe('GET /.well-known/jwks.json', () => {
  test('has the public keys alone', async () => {
    const coordinate = expect.stringMatching(/^[\w-]{43}$/) as string;
    await expectScenario(house, {
      title: '',
      path: '/.well-known/jwks.json',
      status: 200,
      body: {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            alg: 'ES256',
            use: 'sig',
            kid: coordinate,
            x: coordinate,
            y: coordinate,
          },
        ],
      },
      absent: ['"d"'],
    });
  });

  test('has the key that a token is verified with, by anyone who knows nothing else', async () => {
    const { accessToken } = await house.signIn('olivia');
    const [header = '', payload = '', signature = ''] = accessToken.split('.');
    const { kid, typ, alg } = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<
      string,
      string
    >;
    expect({ typ, alg }).toEqual({ typ: 'at+jwt', alg: 'ES256' });
    const { keys } = (await house.ask('GET', '/.well-known/jwks.json')).body as { keys: { kid: string }[] };
    const jwk = keys.find((candidate) => candidate.kid === kid);
    const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    const good = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    expect(good).toBe(true);
  });
});
