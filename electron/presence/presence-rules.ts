/** Whether somebody is at the station: what the operating system says becomes of their session, and when a countdown is due. */
import type { Config } from '../../server/config/schema.ts';
import type { Idle } from '../../server/sessions/registry.ts';
import type { EndReason } from '../../server/sessions/session.ts';

/** What the operating system tells; the names are Electron's, and stand in the audit trail. */
export type Tiding = 'lock-screen' | 'suspend' | 'user-did-resign-active' | 'shutdown' | 'session-end';

export type Policy = Pick<Config['desktop'], 'onScreenLock' | 'onSuspend' | 'onUserSwitch'>;

const REASONS = { lock: 'screen-locked', end: 'station-left', ignore: null } as const;

/** Why the session at the station ends at `tiding`; null: it does not. */
export function reasonOf(tiding: Tiding, policy: Policy): EndReason | null {
  switch (tiding) {
    case 'lock-screen':
      return REASONS[policy.onScreenLock];
    case 'suspend':
      return REASONS[policy.onSuspend];
    case 'user-did-resign-active':
      return REASONS[policy.onUserSwitch];
    // Nobody can come back to the page.
    case 'shutdown':
    case 'session-end':
      return 'station-left';
  }
}

/** What the operating system answers when it is asked. */
export interface Look {
  /** Whole seconds since the last input anywhere on the PC. */
  readonly idleSec: number;
  readonly isLocked: boolean;
}

/** What earlier looks have shown. */
export interface Seen {
  /** The system has told another idle time than 0: it does know one. */
  readonly tellsIdleTime: boolean;
  readonly isLocked: boolean;
}

export interface Judged {
  readonly seen: Seen;
  /** Somebody has touched the PC since the look before. */
  readonly isActive: boolean;
  /** The screen was locked since. */
  readonly hasLocked: boolean;
}

/** The next look comes a second later, and what is told is rounded down. */
const ACTIVE_SEC = 1;

/** Judges a look by those before it. */
export function judge(seen: Seen, { idleSec, isLocked }: Look): Judged {
  // Where a system cannot tell it says 0 for ever (some kinds of Wayland): that would keep everybody signed in.
  const tellsIdleTime = seen.tellsIdleTime || idleSec > 0;
  return {
    seen: { tellsIdleTime, isLocked },
    isActive: tellsIdleTime && idleSec <= ACTIVE_SEC,
    hasLocked: isLocked && !seen.isLocked,
  };
}

const COUNTDOWN_MS = 60_000;

/** What is left, in milliseconds, where it is to be shown: in the last minute, or the last half of a short limit. */
export function countdownOf(idle: Idle | null): number | null {
  if (idle === null || idle.leftMs > Math.min(COUNTDOWN_MS, idle.limitMs / 2)) return null;
  return Math.max(0, idle.leftMs);
}

/** Both clocks at one moment. */
export interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}

/** How long the PC was suspended as far as its timers do not know it: on some systems they stand still meanwhile. */
export function sleptBetween(suspended: Moment, resumed: Moment): number {
  return Math.max(0, resumed.wall - suspended.wall - (resumed.monotonic - suspended.monotonic));
}
