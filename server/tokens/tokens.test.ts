import fc from 'fast-check';
import {
  decodeJwt,
  decodeProtectedHeader,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  type JWTPayload,
} from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS, MINUTE_MS, openTrail, SECOND_MS, temporaryFolder } from '../../test/house.ts';
import { createFixedClock } from '../ports/clock.ts';
import { createMemoryLog } from '../ports/log.ts';
import type { Session } from '../sessions/session.ts';
import { openStore } from '../store/store.ts';
import { openKeyRing } from './keys.ts';
import { createTokens } from './tokens.ts';

const ISSUER = 'https://keyswitch.test';
const AUDIENCE = 'plant';

/** A ring with one key, tokens over it, and a session to sign for. */
async function openTokens() {
  const folder = temporaryFolder();
  const store = await openStore(folder);
  onTestFinished(() => store.close());
  const clock = createFixedClock();
  const needs = { store, clock, log: createMemoryLog(), audit: await openTrail(store, folder, clock) };
  const ring = async (secret = 'the key that seals the keys of the tests') => {
    const keys = await openKeyRing(
      { ...needs, secret: Buffer.from(secret) },
      { rotationDays: 30, overlapDays: 1, longestTokenDays: 7 },
    );
    onTestFinished(() => keys.close());
    return keys;
  };
  const keys = await ring();
  const tokens = createTokens({ keys, clock }, { issuer: ISSUER, audience: AUDIENCE });
  const session: Session = {
    id: 'session-1',
    kind: 'app',
    user: { id: 'user-1', name: 'operator', displayName: 'Olivia Operator', type: 'Active' },
    app: { id: 'app-1', name: 'HMI' },
    role: '5',
    openedAt: clock.now(),
    expiresAt: clock.now() + 10 * MINUTE_MS,
    origin: { door: 'api', address: null },
    emergencyReason: null,
  };
  return { clock, keys, ring, tokens, session };
}

type Opened = Awaited<ReturnType<typeof openTokens>>;

describe('an access token', () => {
  test('names its key, its type and its session', async () => {
    const { clock, keys, tokens, session } = await openTokens();
    const token = await tokens.access(session, clock.now() + 5 * MINUTE_MS + 999);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: keys.signer().id });
    expect(decodeJwt(token)).toEqual({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: 'user-1',
      sid: 'session-1',
      name: 'operator',
      role: '5',
      app: 'app-1',
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 300,
    });
    expect(await tokens.verifyAccess(token)).toEqual({
      sessionId: 'session-1',
      expiresAt: clock.now() + 5 * MINUTE_MS,
    });
  });

  test('names no app where there is none', async () => {
    const { tokens, session } = await openTokens();
    const token = await tokens.access({ ...session, app: null }, session.expiresAt);
    expect(decodeJwt(token)).not.toHaveProperty('app');
  });

  test('is answered at once when it was seen before, and not past its end', async () => {
    const { clock, tokens, session } = await openTokens();
    const token = await tokens.access(session, clock.now() + 5 * MINUTE_MS);
    const first = tokens.verifyAccess(token);
    expect(first).toBeInstanceOf(Promise);
    await first;
    await clock.advance(5 * MINUTE_MS - 1);
    expect(tokens.verifyAccess(token)).toEqual(await first);
    await clock.advance(1);
    expect(() => tokens.verifyAccess(token)).toThrow(expect.objectContaining({ code: 'not-signed-in' }));
    await expect(tokens.verifyAccess(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  test('that was refused is not taken for one that was seen before', async () => {
    const { tokens } = await openTokens();
    await expect(tokens.verifyAccess('a.b.c')).rejects.toMatchObject({ code: 'not-signed-in' });
    await expect(tokens.verifyAccess('a.b.c')).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  test('is good to the millisecond before it ends, whether it was seen before or not', async () => {
    const { clock, tokens, session } = await openTokens();
    const token = await tokens.access(session, clock.now() + SECOND_MS);
    await clock.advance(SECOND_MS - 1);
    expect(await tokens.verifyAccess(token)).toMatchObject({ sessionId: 'session-1' });
  });
});

test('a refresh token names its session and itself, and nothing of the user but the id', async () => {
  const { clock, keys, tokens, session } = await openTokens();
  const token = await tokens.refresh(session, 'refresh-1', clock.now() + 7 * DAY_MS);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'rt+jwt', kid: keys.signer().id });
  expect(decodeJwt(token)).toEqual({
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    sid: 'session-1',
    jti: 'refresh-1',
    iat: clock.now() / 1000,
    exp: (clock.now() + 7 * DAY_MS) / 1000,
  });
  expect(await tokens.verifyRefresh(token)).toEqual({ sessionId: 'session-1', refreshId: 'refresh-1' });
});

interface Forgery {
  readonly header?: Record<string, unknown>;
  readonly claims?: { readonly [Claim in keyof JWTPayload]: JWTPayload[Claim] | undefined };
  /** Signs; the host's own key by default. */
  readonly key?: Parameters<SignJWT['sign']>[0];
}

/** Signs what a good access token has, but for what is given; undefined leaves a member out. */
function forge({ clock, keys }: Opened, { header, claims, key }: Forgery): Promise<string> {
  const now = clock.now() / 1000;
  const good = { iss: ISSUER, aud: AUDIENCE, sub: 'user-1', sid: 'session-1', iat: now, exp: now + 300 };
  return new SignJWT({ ...good, ...claims } as JWTPayload)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keys.signer().id, ...header })
    .sign(key ?? keys.signer().privateKey);
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Changes the claims and keeps the signature. */
function tamper(token: string, change: JWTPayload): string {
  const [header, , signature] = token.split('.');
  return [header, encode({ ...decodeJwt(token), ...change }), signature].join('.');
}

describe('a token is refused', () => {
  const FORGERIES: [string, (opened: Opened) => Promise<string>][] = [
    [
      'without a signature (alg none)',
      async (opened) => {
        const [, claims] = (await forge(opened, {})).split('.');
        return `${encode({ alg: 'none', typ: 'at+jwt', kid: opened.keys.signer().id })}.${claims}.`;
      },
    ],
    ['with the signature cut off', async (opened) => (await forge(opened, {})).replace(/[^.]*$/, '')],
    [
      'with the public key as the secret of HS256',
      async (opened) => {
        const pem = await exportSPKI(opened.keys.signer().publicKey);
        return forge(opened, { header: { alg: 'HS256' }, key: new TextEncoder().encode(pem) });
      },
    ],
    [
      'with the published key as the secret of HS256',
      (opened) => {
        const jwk = JSON.stringify(opened.keys.jwks().keys[0]);
        return forge(opened, { header: { alg: 'HS256' }, key: new TextEncoder().encode(jwk) });
      },
    ],
    [
      'signed with a key of somebody else under our name',
      async (opened) => forge(opened, { key: (await generateKeyPair('ES256')).privateKey }),
    ],
    [
      'signed with a key of somebody else that it brings along',
      async (opened) => {
        const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
        const jwk = await crypto.subtle.exportKey('jwk', publicKey);
        return forge(opened, {
          header: { jwk: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y } },
          key: privateKey,
        });
      },
    ],
    ['under the name of a key that is not ours', (opened) => forge(opened, { header: { kid: 'unknown' } })],
    ['without the name of a key', (opened) => forge(opened, { header: { kid: undefined } })],
    ['of type JWT', (opened) => forge(opened, { header: { typ: 'JWT' } })],
    ['of no type', (opened) => forge(opened, { header: { typ: undefined } })],
    [
      'that is for refreshing',
      ({ tokens, session }) => tokens.refresh(session, 'refresh-1', session.expiresAt),
    ],
    ['for another audience', (opened) => forge(opened, { claims: { aud: 'another plant' } })],
    ['for nobody', (opened) => forge(opened, { claims: { aud: undefined } })],
    ['of another issuer', (opened) => forge(opened, { claims: { iss: 'https://elsewhere.test' } })],
    ['of no issuer', (opened) => forge(opened, { claims: { iss: undefined } })],
    ['that has just ended', (opened) => forge(opened, { claims: { exp: opened.clock.now() / 1000 } })],
    ['that never ends', (opened) => forge(opened, { claims: { exp: undefined } })],
    ['that is not good yet', (opened) => forge(opened, { claims: { nbf: opened.clock.now() / 1000 + 60 } })],
    ['that names no session', (opened) => forge(opened, { claims: { sid: undefined } })],
    ['that names no user', (opened) => forge(opened, { claims: { sub: undefined } })],
    ['whose session was exchanged', async (opened) => tamper(await forge(opened, {}), { sid: 'session-2' })],
    [
      'whose end was moved',
      async (opened) => tamper(await forge(opened, {}), { exp: opened.clock.now() / 1000 + 9999 }),
    ],
    [
      'with a member in its header that must be understood and is not (RFC 7515, section 4.1.11)',
      async (opened) => {
        const [, claims, signature] = (await forge(opened, {})).split('.');
        const header = { alg: 'ES256', typ: 'at+jwt', kid: opened.keys.signer().id, crit: ['x'], x: 1 };
        return `${encode(header)}.${claims}.${signature}`;
      },
    ],
  ];

  test.each(FORGERIES)('%s', async (_name, forgery) => {
    const opened = await openTokens();
    const token = await forgery(opened);
    await expect(opened.tokens.verifyAccess(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  test('for refreshing when it is for access', async () => {
    const { tokens, session } = await openTokens();
    const token = await tokens.access(session, session.expiresAt);
    await expect(tokens.verifyRefresh(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  test('for refreshing when it has ended', async () => {
    const { clock, tokens, session } = await openTokens();
    const token = await tokens.refresh(session, 'refresh-1', clock.now() + DAY_MS);
    await clock.advance(DAY_MS);
    await expect(tokens.verifyRefresh(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  });

  test('whatever text it is', async () => {
    const { tokens } = await openTokens();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.stringMatching(/^[\w-]*\.[\w-]*\.[\w-]*$/)), async (text) => {
        await expect(tokens.verifyAccess(text)).rejects.toMatchObject({ code: 'not-signed-in' });
        await expect(tokens.verifyRefresh(text)).rejects.toMatchObject({ code: 'not-signed-in' });
      }),
    );
  });

  test('wherever one character of its header or its claims was changed', async () => {
    const { tokens, session } = await openTokens();
    const token = await tokens.access(session, session.expiresAt);
    const signedLength = token.lastIndexOf('.');
    await fc.assert(
      fc.asyncProperty(
        fc.nat(signedLength - 1),
        fc.constantFrom(...'ABCDwxyz0189-_'),
        async (position, character) => {
          fc.pre(token[position] !== character);
          const changed = token.slice(0, position) + character + token.slice(position + 1);
          await expect(tokens.verifyAccess(changed)).rejects.toMatchObject({ code: 'not-signed-in' });
        },
      ),
    );
  });
});

describe('a token of a former key', () => {
  test('is good after the rotation, as long as it lives', async () => {
    const { clock, keys, ring, session } = await openTokens();
    const options = { issuer: ISSUER, audience: AUDIENCE };
    await clock.advance(29.5 * DAY_MS);
    await keys.close();
    const before = createTokens({ keys, clock }, options);
    const token = await before.access(session, clock.now() + 7 * DAY_MS);
    await clock.advance(DAY_MS);
    const rotated = await ring();
    const after = createTokens({ keys: rotated, clock }, options);
    expect(decodeProtectedHeader(token).kid).not.toBe(rotated.signer().id);
    expect(await after.verifyAccess(token)).toMatchObject({ sessionId: 'session-1' });
    await clock.advance(6 * DAY_MS);
    await expect(createTokens({ keys: rotated, clock }, options).verifyAccess(token)).rejects.toMatchObject({
      code: 'not-signed-in',
    });
  });

  test('is worth nothing once SECRET_PWD_KEY is another', async () => {
    const { clock, ring, tokens, session } = await openTokens();
    const access = await tokens.access(session, session.expiresAt);
    const refresh = await tokens.refresh(session, 'refresh-1', session.expiresAt);
    const keys = await ring('another key for the keys of the tests');
    const others = createTokens({ keys, clock }, { issuer: ISSUER, audience: AUDIENCE });
    await expect(others.verifyAccess(access)).rejects.toMatchObject({ code: 'not-signed-in' });
    await expect(others.verifyRefresh(refresh)).rejects.toMatchObject({ code: 'not-signed-in' });
  });
});
