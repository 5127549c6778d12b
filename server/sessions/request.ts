/** What a door asks for when somebody signs in. */
import type { Actor } from '../audit/audit.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** The number of a badge as its reader typed it; `secondFactor`: the PIN or the password, where it is known by now. */
  | { readonly kind: 'badge'; readonly badge: string; readonly secondFactor?: string }
  /** The PLC named the user; it proves nothing but that whoever stands at the panel chose so. */
  | {
      readonly kind: 'plc';
      readonly userId: string;
      readonly allowAdmin: boolean;
      /** Only where nobody else is signed in by then: for a user who has the controls while nobody wants them. */
      readonly onlyIfNobody?: boolean;
    }
  /** The code from a sealed envelope, and why it was opened; the code alone tells which account it is. */
  | { readonly kind: 'emergency'; readonly secret: string; readonly reason: string }
  /** A token made elsewhere that the door has verified; good for one session, which `byCookie(token)` finds. */
  | {
      readonly kind: 'external';
      readonly username: string;
      readonly token: string;
      /** When the token ends; the session never outlives it. */
      readonly expiresAt: number;
    };

/**
 * How the session is shown to its door. `bearer`: an access and a refresh token. `cookie`: a secret for a cookie.
 * `token`: one access token as long as the session (iAuth). `none`: nothing (the PLC).
 */
export type Presentation = 'bearer' | 'cookie' | 'token' | 'none';

export interface SignInRequest {
  readonly credential: Credential;
  /** The app to become the current user of; null for Keyswitch itself. */
  readonly appId: string | null;
  readonly presentation: Presentation;
  readonly door: Actor;
}
