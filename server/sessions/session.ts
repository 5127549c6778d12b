/** What a session is: one identity at one door from sign-in to its end, with a reason for the end. */
import type { DoorName } from '../audit/audit.ts';
import type { UserType } from '../users/user.ts';

/** `app`: an HMI's current user. `browser`: a cookie. `bearer`: a pair of tokens. */
export type SessionKind = 'app' | 'browser' | 'bearer';

export type EndReason =
  | 'signed-out'
  | 'replaced' // another user signed in at the same app
  | 'time-limit' // the absolute limit passed
  | 'idle'
  | 'plc' // the PLC set the default value
  | 'refresh-reused' // a refresh token was presented twice (RFC 9700 section 4.14)
  | 'password-changed'
  | 'password-reset' // an administrator made a one-time secret
  | 'badge-revoked'
  | 'screen-locked' // the page waits for the same user
  | 'station-left' // the operating system says that whoever was there has gone
  | 'user-disabled'
  | 'restored' // the database is a backup: who has left since is not signed in again
  | 'ended-by-owner' // from another of the user's own sessions
  | 'ended-by-administrator';

/** One live or ended session. Times are milliseconds since the epoch, UTC. */
export interface Session {
  readonly id: string;
  readonly kind: SessionKind;
  readonly user: {
    readonly id: string;
    readonly name: string;
    readonly displayName: string;
    readonly type: UserType;
  };
  /** The app it is the current user of; null for a session at Keyswitch itself. */
  readonly app: { readonly id: string; readonly name: string } | null;
  /** The app-user's `data` (a level such as `9`, or a role name); the user's type where there is no app. */
  readonly role: string;
  readonly openedAt: number;
  /** The absolute limit. */
  readonly expiresAt: number;
  /** Where the sign-in came in, and from which address. */
  readonly origin: { readonly door: DoorName; readonly address: string | null };
  /** Why the envelope of an emergency account was opened; null for everyone else. */
  readonly emergencyReason: string | null;
}
