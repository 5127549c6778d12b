/** What a user is. */

/** Passive: known, but never signs in by password. Active: signs in and out. Admin: also changes settings. */
export const USER_TYPES = ['Passive', 'Active', 'Admin'] as const;
export type UserType = (typeof USER_TYPES)[number];

export interface User {
  readonly id: string;
  /** Unique, case-sensitive, at most 64 characters, no control characters. */
  readonly name: string;
  readonly displayName: string;
  readonly type: UserType;
  readonly enabled: boolean;
  /** Longest time signed in at an app, in minutes; null where only the app limits. */
  readonly logoutTimeInMin: number | null;
}
