/** Tokens: signed names of sessions; worth nothing without the live session they name. */
import { jwtVerify, SignJWT, type JWTPayload } from 'jose';
import { KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Session } from '../sessions/session.ts';
import { SIGNING_ALGORITHM, type KeyRing } from './keys.ts';

/** RFC 9068 section 2.1; the refresh token's type keeps one from passing as the other (RFC 8725 section 3.11). */
const ACCESS_TYPE = 'at+jwt';
const REFRESH_TYPE = 'rt+jwt';

/** What a good access token names. */
export interface AccessClaims {
  readonly sessionId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface RefreshClaims {
  readonly sessionId: string;
  /** `jti`: only the newest of a session is good. */
  readonly refreshId: string;
}

export interface Tokens {
  /** Signs an access token for `session`; times in milliseconds since the epoch, cut to whole seconds. */
  access(session: Session, expiresAt: number): Promise<string>;
  refresh(session: Session, refreshId: string, expiresAt: number): Promise<string>;
  /**
   * Checks signature, algorithm, type, issuer, audience and time; `not-signed-in` otherwise. Answers at once
   * for a token seen before (its signature cannot have changed), so that a poll costs no cryptography.
   */
  verifyAccess(token: string): AccessClaims | Promise<AccessClaims>;
  verifyRefresh(token: string): Promise<RefreshClaims>;
}

export interface TokensOptions {
  readonly issuer: string;
  readonly audience: string;
}

/** So many verified tokens are remembered; about 1 KB each. */
const MOST_REMEMBERED = 10_000;

export function createTokens(
  { keys, clock }: { keys: KeyRing; clock: Clock },
  options: TokensOptions,
): Tokens {
  const verified = new Map<string, AccessClaims>();

  function sign(type: string, session: Session, claims: JWTPayload, expiresAt: number): Promise<string> {
    const signer = keys.signer();
    return new SignJWT({ ...claims, sid: session.id })
      .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: type, kid: signer.id })
      .setIssuer(options.issuer)
      .setAudience(options.audience)
      .setSubject(session.user.id)
      .setIssuedAt(Math.floor(clock.now() / 1000))
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(signer.privateKey);
  }

  async function verify(token: string, type: string): Promise<JWTPayload & { sid: string; exp: number }> {
    try {
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = keys.verifier(kid ?? '');
          if (key === null) throw new Error('unknown key');
          return key.publicKey;
        },
        {
          algorithms: [SIGNING_ALGORITHM],
          typ: type,
          issuer: options.issuer,
          audience: options.audience,
          requiredClaims: ['sid', 'sub', 'exp'],
          currentDate: new Date(clock.now()),
        },
      );
      return payload as JWTPayload & { sid: string; exp: number };
    } catch (cause) {
      throw new KeyswitchError('not-signed-in', undefined, { cause });
    }
  }

  function remember(token: string, claims: AccessClaims): void {
    // A Map iterates in the order of insertion: the first key is the oldest.
    if (verified.size >= MOST_REMEMBERED) verified.delete(verified.keys().next().value as string);
    verified.set(token, claims);
  }

  return {
    access(session, expiresAt) {
      const { user, app, role } = session;
      return sign(ACCESS_TYPE, session, { name: user.name, role, ...(app && { app: app.id }) }, expiresAt);
    },
    refresh: (session, refreshId, expiresAt) => sign(REFRESH_TYPE, session, { jti: refreshId }, expiresAt),
    verifyAccess(token) {
      const known = verified.get(token);
      if (known === undefined) {
        return verify(token, ACCESS_TYPE).then(({ sid, exp }) => {
          const claims = { sessionId: sid, expiresAt: exp * 1000 };
          remember(token, claims);
          return claims;
        });
      }
      if (known.expiresAt > clock.now()) return known;
      verified.delete(token);
      throw new KeyswitchError('not-signed-in');
    },
    async verifyRefresh(token) {
      const { sid, jti } = await verify(token, REFRESH_TYPE);
      return { sessionId: sid, refreshId: jti ?? '' };
    },
  };
}
