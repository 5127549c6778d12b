import { createHmac, generateKeyPairSync, sign as signWith } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createNamedTokens, looksNamed, NAME_CLAIM } from './external.ts';

const KEY = Buffer.from('ExtraSuperDuperSecretKeyCreatedOnFirstStartup');
const ISSUER = 'http://localhost:5001';
const NOW_SEC = Date.UTC(2026, 0, 1, 6) / 1000;
const LIFE_SEC = 900;

const open = () => {
  const clock = createFixedClock();
  return { clock, tokens: createNamedTokens({ key: KEY, clock }, { issuer: ISSUER, audience: ISSUER }) };
};

type Json = Readonly<Record<string, unknown>>;
const encode = (text: string | Buffer): string => Buffer.from(text).toString('base64url');

/** What a good token says. */
const GOOD: Json = { [NAME_CLAIM]: 'Administrator', exp: NOW_SEC + LIFE_SEC, iss: ISSUER, aud: ISSUER };

/** Makes a token by hand: a library would not make most of these. */
function make(payload: Json | string = GOOD, header: Json = { alg: 'HS256', typ: 'JWT' }, key = KEY): string {
  const json = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const input = `${encode(JSON.stringify(header))}.${encode(json)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

const without = (claim: string): Json =>
  Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== claim));
const text = (json: string): string => `{${json},${JSON.stringify(GOOD).slice(1)}`;

describe('a token made elsewhere', () => {
  test.each<[string, string]>([
    ['as Jube makes it', make()],
    ['without a type', make(GOOD, { alg: 'HS256' })],
    ['with the registered claims that .NET adds', make({ ...GOOD, nbf: NOW_SEC, iat: NOW_SEC, jti: 'x' })],
    ['good from this very second on', make({ ...GOOD, nbf: NOW_SEC })],
    ['good for one more second', make({ ...GOOD, exp: NOW_SEC + 1 })],
    ['with claims that mean nothing here', make({ ...GOOD, role: ['a', 'b'], more: { a: 1 } })],
    ['that names the same one twice over', make({ ...GOOD, sub: 'Administrator', name: 'Administrator' })],
    ['for several audiences', make({ ...GOOD, aud: ['other', ISSUER] })],
  ])('is accepted %s', async (_title, token) => {
    const { tokens } = open();
    expect(looksNamed(token)).toBe(true);
    expect(await tokens.verify(token)).toMatchObject({ username: 'Administrator' });
  });

  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' });
  const unsigned = `${encode('{"alg":"none","typ":"JWT"}')}.${encode(JSON.stringify(GOOD))}`;
  const byRsa = `${encode('{"alg":"RS256","typ":"JWT"}')}.${encode(JSON.stringify(GOOD))}`;
  const good = make();

  test.each<[string, string]>([
    ['without a signature (alg none)', `${unsigned}.`],
    ['with alg none and a good signature', make(GOOD, { alg: 'none' })],
    ['with alg in other letters', make(GOOD, { alg: 'hs256' })],
    ['signed by RSA', `${byRsa}.${signWith('sha256', Buffer.from(byRsa), privateKey).toString('base64url')}`],
    ['that says RS256 and is signed with the key', make(GOOD, { alg: 'RS256' })],
    ['that says HS384 and is signed with the key', make(GOOD, { alg: 'HS384' })],
    ['signed with a public key as if it were the secret', make(GOOD, undefined, Buffer.from(publicPem))],
    ['signed with another key', make(GOOD, undefined, Buffer.from('x'.repeat(45)))],
    ['that wants an extension understood', make(GOOD, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['of another issuer', make({ ...GOOD, iss: 'http://localhost:5002' })],
    ['without an issuer', make(without('iss'))],
    ['for another audience', make({ ...GOOD, aud: 'http://localhost:5001/' })],
    ['without an audience', make(without('aud'))],
    ['without a name', make(without(NAME_CLAIM))],
    ['with an empty name', make({ ...GOOD, [NAME_CLAIM]: '' })],
    ['with a name that is no text', make({ ...GOOD, [NAME_CLAIM]: 7 })],
    ['with two names in a list', make({ ...GOOD, [NAME_CLAIM]: ['Administrator', 'olivia'] })],
    ['with one name in a list', make({ ...GOOD, [NAME_CLAIM]: ['Administrator'] })],
    ['with the name claim twice', make(text(`"${NAME_CLAIM}":"olivia"`))],
    ['with the name claim twice, once in escapes', make(text(`"\\u0068${NAME_CLAIM.slice(1)}":"olivia"`))],
    ['with the time claim twice', make(text('"exp":1'))],
    ['with another name in sub', make({ ...GOOD, sub: 'olivia' })],
    ['with another name in unique_name', make({ ...GOOD, unique_name: 'olivia' })],
    ['with the name under another claim only', make({ ...without(NAME_CLAIM), name: 'Administrator' })],
    ['without an end', make(without('exp'))],
    ['with an end that is text', make({ ...GOOD, exp: String(NOW_SEC + LIFE_SEC) })],
    ['that ended a second ago', make({ ...GOOD, exp: NOW_SEC - 1 })],
    ['that ends now', make({ ...GOOD, exp: NOW_SEC })],
    ['that is good a second from now', make({ ...GOOD, nbf: NOW_SEC + 1 })],
    ['whose content is a list', make('[]')],
    ['whose content is null', make('null')],
    ['whose content is no JSON', make('{')],
    ['with a part too many', `${good}.x`],
    ['cut short', good.slice(0, -1)],
    ['padded', `${good}=`],
    ['that is very long', make({ ...GOOD, filler: 'x'.repeat(5000) })],
  ])('is refused %s', async (_title, token) => {
    const { tokens } = open();
    expect(await tokens.verify(token)).toBeNull();
    // Also where it is no longer unknown.
    expect(await tokens.verify(token)).toBeNull();
  });

  test('has one spelling: a signature with other unused bits is refused', async () => {
    const { tokens } = open();
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const signature = Buffer.from(good.split('.')[2] ?? '', 'base64url');
    const twins = [...letters]
      .map((letter) => good.slice(0, -1) + letter)
      .filter((twin) => signature.equals(Buffer.from(twin.split('.')[2] ?? '', 'base64url')));
    expect(twins).toHaveLength(4);
    const accepted = await Promise.all(twins.map((twin) => tokens.verify(twin)));
    expect(accepted.filter((claims) => claims !== null)).toHaveLength(1);
  });

  test('is remembered, but not beyond its time, nor before it when the clock is set back', async () => {
    const { clock, tokens } = open();
    const token = make({ ...GOOD, nbf: NOW_SEC });
    await tokens.verify(token);
    const again = tokens.verify(token);
    expect(again).not.toBeInstanceOf(Promise);
    expect(again).toMatchObject({ username: 'Administrator', expiresAt: (NOW_SEC + LIFE_SEC) * 1000 });
    clock.setWallClock((NOW_SEC - 1) * 1000);
    expect(tokens.verify(token)).toBeNull();
    clock.setWallClock((NOW_SEC + LIFE_SEC) * 1000 - 1);
    expect(tokens.verify(token)).not.toBeNull();
    clock.setWallClock((NOW_SEC + LIFE_SEC) * 1000);
    expect(tokens.verify(token)).toBeNull();
  });

  test('with any letter changed is refused', async () => {
    const { tokens } = open();
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom(...'AbZ09-_.'), async (at, letter) => {
        fc.pre(good[at] !== letter);
        expect(await tokens.verify(good.slice(0, at) + letter + good.slice(at + 1))).toBeNull();
      }),
    );
  });

  test('may be any text: nothing is thrown', async () => {
    const { tokens } = open();
    const part = fc.oneof(fc.string(), fc.json().map(encode), fc.constant(good.split('.')[0] ?? ''));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        looksNamed(parts.join('.'));
        expect(await tokens.verify(parts.join('.'))).toBeNull();
        const json = parts.join('');
        expect(await tokens.verify(make(json))).toBeNull();
      }),
    );
  });

  test('is made as others make it', async () => {
    const { clock, tokens } = open();
    const token = await tokens.sign('Administrator', clock.now() + LIFE_SEC * 1000 + 999, { sid: 's' });
    const [header = '', payload = ''] = token
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(header)).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(JSON.parse(payload)).toEqual({ ...GOOD, sid: 's' });
    expect(await tokens.verify(token)).toMatchObject({ username: 'Administrator', claims: { sid: 's' } });
  });
});

test('a token of another algorithm does not look like one, without a verification', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const native = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign(privateKey);
  for (const token of [native, '', '.', 'x', 'x.y.z', `${encode('null')}.x.y`, `.${make()}`]) {
    expect(looksNamed(token), token).toBe(false);
  }
});
