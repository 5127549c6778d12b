/** What an app is, and which user may use it. */

/** A client that has one current user: an HMI, a panel, a PLC program, the station. */
export interface App {
  /** GUID, lower case; whoever knows it may see who is signed in, not the token. */
  readonly id: string;
  /** Unique, case-sensitive. */
  readonly name: string;
  /** Longest time a user stays signed in, in minutes. */
  readonly logoutTimeInMin: number;
  /** Longest time without activity, in minutes; null: no such limit. */
  readonly idleLimitInMin: number | null;
  /** The PC this host's desktop runs on: it admits every enabled user that may sign in at all. */
  readonly station: boolean;
}

/** Leave for one user to use one app, and what the app is told about them (a level such as `9`, a role name). */
export interface AppUser {
  readonly appId: string;
  readonly userId: string;
  readonly data: string;
}
