/** Jube's tokens: one that was made here names its session, one made elsewhere only a user. */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../ports/clock.ts';
import type { Secrets } from '../../secrets/secrets.ts';
import type { Session } from '../../sessions/session.ts';
import { createNamedTokens, type NamedClaims } from '../../tokens/external.ts';

export interface Issued {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A good token; whether its session is live, or its user may sign in, is another question. */
export type Presented =
  | {
      readonly kind: 'own';
      readonly username: string;
      readonly sessionId: string;
      readonly expiresAt: number;
    }
  | { readonly kind: 'external'; readonly username: string; readonly expiresAt: number };

export interface JubeTokens {
  /** Makes a token for `session`, which lives as long as the session may be idle. */
  issue(session: Session): Promise<Issued>;
  /** Null for a token that is no good. */
  read(token: string): Promise<Presented | null>;
  /** When a token that ends at `expiresAt` has lived for a third of its life. */
  renewableFrom(expiresAt: number): number;
}

export interface JubeTokensNeeds {
  readonly secrets: Secrets;
  readonly clock: Clock;
}

const KEY_BYTES = 32;
const RENEWED_AFTER = 1 / 3;

export function createJubeTokens(
  { secrets, clock }: JubeTokensNeeds,
  { lifetimeMs }: { readonly lifetimeMs: number },
): JubeTokens {
  const derived = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secrets.secretPwdKey, '', `keyswitch jube ${purpose}`, KEY_BYTES));
  const { jwtKey, jwtIssuer: issuer, jwtAudience: audience } = secrets;
  const named = createNamedTokens({ key: jwtKey ?? derived('tokens'), clock }, { issuer, audience });
  const marking = derived('sessions');

  /** Proves that a token was made here: others have the key that signs it, but not this one. */
  function markOf(sessionId: string, username: string, expiresAtSec: number): string {
    return createHmac('sha256', marking)
      .update(JSON.stringify([sessionId, username, expiresAtSec]))
      .digest('base64url');
  }

  function own({ username, expiresAt, claims: { sid, jti } }: NamedClaims): Presented | null {
    if (typeof sid !== 'string' || typeof jti !== 'string') return null;
    const expected = Buffer.from(markOf(sid, username, expiresAt / 1000));
    const given = Buffer.from(jti);
    const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs ? { kind: 'own', username, sessionId: sid, expiresAt } : null;
  }

  return {
    async issue({ id: sid, user: { name }, expiresAt: limit }) {
      const seconds = Math.floor(Math.min(clock.now() + lifetimeMs, limit) / 1000);
      const expiresAt = seconds * 1000;
      const jti = markOf(sid, name, seconds);
      return { token: await named.sign(name, expiresAt, { sid, jti }), expiresAt };
    },
    async read(token) {
      const claims = await named.verify(token);
      if (claims === null) return null;
      // A token that names a session is ours or nothing: it must not open another one when its session has ended.
      if (claims.claims['sid'] !== undefined) return own(claims);
      const { username, expiresAt } = claims;
      return jwtKey === null ? null : { kind: 'external', username, expiresAt };
    },
    renewableFrom: (expiresAt) => expiresAt - lifetimeMs * (1 - RENEWED_AFTER),
  };
}
