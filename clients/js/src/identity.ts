/** Who this client is signed in as: a pair of tokens in memory, renewed before it is too old. */
import type { HostTime } from './host-time.ts';
import type { Http } from './http.ts';
import type { Session } from './messages.ts';
import { KeyswitchProblem } from './problem.ts';

/** A token with less than this left is renewed before it is used. */
const MARGIN_MS = 30_000;

export interface Authentication {
  readonly session: Session;
  readonly accessToken: string;
  readonly accessTokenExpiresAt: string;
  readonly refreshToken: string;
}

export interface Identity {
  readonly isSignedIn: boolean;
  set(authentication: Authentication | null): void;
  /** A token that is good for some time; null: signed in as nobody, or no more. */
  accessToken(): Promise<string | null>;
}

export function createIdentity(http: Http, hostTime: HostTime): Identity {
  let present: Authentication | null = null;
  /** A refresh token is good once: whoever asks meanwhile waits for the same answer. */
  let renewing: Promise<string | null> | null = null;

  async function renew(former: Authentication): Promise<string | null> {
    const renewed = await http<Authentication>({
      method: 'POST',
      path: '/api/v1/refresh',
      body: { refreshToken: former.refreshToken },
    }).catch((error: unknown) => {
      if (error instanceof KeyswitchProblem && error.code === 'not-signed-in') return null;
      throw error;
    });
    // Somebody may have signed in or out meanwhile.
    if (present === former) present = renewed;
    return present?.accessToken ?? null;
  }

  return {
    get isSignedIn() {
      return present !== null;
    },
    set(authentication) {
      present = authentication;
    },
    async accessToken() {
      if (present === null) return null;
      if (Date.parse(present.accessTokenExpiresAt) - hostTime.read() > MARGIN_MS) return present.accessToken;
      renewing ??= renew(present).finally(() => (renewing = null));
      return renewing;
    },
  };
}
