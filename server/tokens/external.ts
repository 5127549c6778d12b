/** Tokens with a name in them (HS256): signed with a key that other programs may share, here or elsewhere. */
import { errors, jwtVerify, SignJWT, type JWTPayload } from 'jose';
import type { Clock } from '../ports/clock.ts';

const ALGORITHM = 'HS256';

/** The one claim that says who it is (WS-Federation's name, as .NET spells it). */
export const NAME_CLAIM = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name';

/** Claims that readers of such tokens may take for a name as well: they must not tell of anyone else. */
const OTHER_NAMES = ['sub', 'name', 'unique_name'];

/** Longer than any that is made on purpose, and short enough to be looked at. */
const LONGEST_TOKEN = 4096;

/** What a good token says; times in milliseconds since the epoch. */
export interface NamedClaims {
  readonly username: string;
  readonly expiresAt: number;
  /** From when it is good; 0 where it does not say. */
  readonly notBefore: number;
  /** Whatever else it says. */
  readonly claims: Readonly<JWTPayload>;
}

export interface NamedTokens {
  /** Signs a token for `username`; `expiresAt` is cut to whole seconds. */
  sign(username: string, expiresAt: number, claims: Readonly<Record<string, string>>): Promise<string>;
  /**
   * Checks algorithm, signature, issuer, audience, the one name, and time, without any tolerance; null where
   * anything is wrong. Answers at once for a token seen before.
   */
  verify(token: string): NamedClaims | null | Promise<NamedClaims | null>;
}

export interface NamedTokensNeeds {
  /** At least 32 bytes (RFC 7518 section 3.2). */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

export interface NamedTokensOptions {
  readonly issuer: string;
  readonly audience: string;
}

/** So many verified tokens are remembered; about 1 KB each. */
const MOST_REMEMBERED = 2000;

export function createNamedTokens(
  { key, clock }: NamedTokensNeeds,
  { issuer, audience }: NamedTokensOptions,
): NamedTokens {
  const verified = new Map<string, NamedClaims>();

  async function verify(token: string): Promise<NamedClaims | null> {
    if (!isWrittenOneWay(token)) return null;
    const payload = await payloadOf(token);
    const username = payload === null ? null : nameIn(payload);
    if (payload === null || username === null || hasRepeatedClaims(token)) return null;
    const { exp = 0, nbf = 0 } = payload;
    const claims = { username, expiresAt: exp * 1000, notBefore: nbf * 1000, claims: payload };
    // A Map iterates in the order of insertion: the first key is the oldest.
    if (verified.size >= MOST_REMEMBERED) verified.delete(verified.keys().next().value as string);
    verified.set(token, claims);
    return timely(claims);
  }

  function timely(claims: NamedClaims): NamedClaims | null {
    const now = clock.now();
    return claims.notBefore <= now && now < claims.expiresAt ? claims : null;
  }

  async function payloadOf(token: string): Promise<JWTPayload | null> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer,
        audience,
        requiredClaims: ['exp'],
        clockTolerance: 0,
        currentDate: new Date(clock.now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  return {
    sign: (username, expiresAt, claims) =>
      new SignJWT({ ...claims, [NAME_CLAIM]: username })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime(Math.floor(expiresAt / 1000))
        .sign(key),
    verify(token) {
      const known = verified.get(token);
      return known === undefined ? verify(token) : timely(known);
    },
  };
}

/** Tells whether a token says of itself that it is of this kind; nothing is verified. */
export function looksNamed(token: string): boolean {
  const end = token.indexOf('.');
  if (end <= 0 || token.length > LONGEST_TOKEN) return false;
  try {
    const parsed = JSON.parse(Buffer.from(token.slice(0, end), 'base64url').toString('utf8')) as {
      alg?: unknown;
    } | null;
    return parsed?.alg === ALGORITHM;
  } catch {
    return false;
  }
}

/**
 * Base64url leaves bits of a signature's last letter unused, and readers pass over them: one signature, several
 * spellings. A token that was used up must not come back in another (RFC 4648 section 3.5).
 */
function isWrittenOneWay(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return (
    token.length <= LONGEST_TOKEN && Buffer.from(signature, 'base64url').toString('base64url') === signature
  );
}

function nameIn(payload: JWTPayload): string | null {
  const name = payload[NAME_CLAIM];
  if (typeof name !== 'string' || name === '') return null;
  return OTHER_NAMES.every((claim) => payload[claim] === undefined || payload[claim] === name) ? name : null;
}

/** Tells whether a claim comes twice (RFC 7519 section 4): one reader takes the last, another perhaps the first. */
function hasRepeatedClaims(token: string): boolean {
  const json = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  let kept = 0;
  JSON.parse(json, (_key, value: unknown) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      kept += Object.keys(value).length;
    return value;
  });
  const strings = json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g);
  return [...strings].filter(([, colon]) => colon !== undefined).length !== kept;
}
