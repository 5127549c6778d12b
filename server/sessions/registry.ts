/** The live sessions in memory: what every request is checked against, and the timers that end them. */
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { User } from '../users/user.ts';
import type { EndReason, Session } from './session.ts';
import type { StoredSession } from './sessions-store.ts';

/** The idle limit of a session, and how much of it is left without activity, in milliseconds. */
export interface Idle {
  readonly limitMs: number;
  readonly leftMs: number;
}

export interface Registry {
  add(stored: StoredSession): void;
  remove(id: string): void;
  byId(id: string): Session | null;
  byCookieHash(hash: string): Session | null;
  ofApp(appId: string): Session | null;
  list(): Session[];
  /** Notes activity now; answers when it should next be put on disk, by returning true. */
  touch(id: string): boolean;
  /** Null without an idle limit. */
  idleOf(id: string): Idle | null;
  /** How much of the absolute limit is left, in milliseconds; null where the session has ended. */
  leftOf(id: string): number | null;
  /** Counts time that the timers have not seen: the PC was suspended. */
  slept(ms: number): void;
  /** Moves the absolute limit. */
  extend(id: string, expiresAt: number): void;
  /** Says once more, after `delayMs`, that the session is due. */
  dueIn(delayMs: number, id: string, reason: EndReason): void;
  /** Takes over what has changed of a user in all of their sessions. */
  takeOver(user: User): void;
  /** Forgets everything; what is on disk stays. */
  close(): void;
}

interface Live {
  session: Session;
  readonly idleTimeoutMs: number | null;
  readonly cookieHash: string | null;
  /** These are on the monotonic clock, so that setting the PC's clock back lengthens nothing. */
  limitMonotonic: number;
  activeMonotonic: number;
  savedMonotonic: number;
  cancelLimit: CancelTimer;
  cancelIdle: CancelTimer;
  cancelRetry: CancelTimer;
}

export type OnDue = (session: Session, reason: EndReason) => void;

/** Activity goes to disk when a third of the idle time has passed since it last did: often enough to survive a restart. */
const SAVE_FRACTION = 1 / 3;

export function createRegistry(clock: Clock, onDue: OnDue): Registry {
  const live = new Map<string, Live>();
  const cookies = new Map<string, Live>();
  const apps = new Map<string, Live>();

  /** By the wall clock, once: from then on the monotonic one counts. */
  function limitOf({ kind, openedAt, expiresAt }: Session): number {
    // Never more than the whole of a limit that stands: the wall clock may have been set back while the host was
    // off. That of a pair of tokens moves with every refresh.
    const whole = kind === 'bearer' ? Infinity : expiresAt - openedAt;
    return clock.monotonic() + Math.min(expiresAt - clock.now(), whole);
  }

  function armLimit(entry: Live): CancelTimer {
    const leftMs = entry.limitMonotonic - clock.monotonic();
    return clock.after(leftMs, () => onDue(entry.session, 'time-limit'));
  }

  function arm(entry: Live): void {
    entry.cancelLimit();
    entry.cancelIdle();
    entry.cancelLimit = armLimit(entry);
    entry.cancelIdle = armIdle(entry);
  }

  function armIdle(entry: Live): CancelTimer {
    const { idleTimeoutMs } = entry;
    if (idleTimeoutMs === null) return () => {};
    const remaining = entry.activeMonotonic + idleTimeoutMs - clock.monotonic();
    return clock.after(remaining, () => {
      if (clock.monotonic() - entry.activeMonotonic >= idleTimeoutMs) onDue(entry.session, 'idle');
      else entry.cancelIdle = armIdle(entry);
    });
  }

  return {
    add({ session, idleTimeoutMs, activeAt, cookieHash }) {
      const sinceActive = Math.max(0, clock.now() - activeAt);
      const activeMonotonic = clock.monotonic() - sinceActive;
      const entry: Live = {
        session,
        idleTimeoutMs,
        cookieHash,
        limitMonotonic: limitOf(session),
        activeMonotonic,
        savedMonotonic: activeMonotonic,
        cancelLimit: () => {},
        cancelIdle: () => {},
        cancelRetry: () => {},
      };
      arm(entry);
      live.set(session.id, entry);
      if (cookieHash !== null) cookies.set(cookieHash, entry);
      if (session.app !== null) apps.set(session.app.id, entry);
    },
    remove(id) {
      const entry = live.get(id);
      if (entry === undefined) return;
      cancelAll(entry);
      live.delete(id);
      if (entry.cookieHash !== null) cookies.delete(entry.cookieHash);
      const appId = entry.session.app?.id;
      if (appId !== undefined && apps.get(appId) === entry) apps.delete(appId);
    },
    byId: (id) => live.get(id)?.session ?? null,
    byCookieHash: (hash) => cookies.get(hash)?.session ?? null,
    ofApp: (appId) => apps.get(appId)?.session ?? null,
    list: () => [...live.values()].map((entry) => entry.session),
    touch(id) {
      const entry = live.get(id);
      if (entry === undefined || entry.idleTimeoutMs === null) return false;
      entry.activeMonotonic = clock.monotonic();
      if (entry.activeMonotonic - entry.savedMonotonic < entry.idleTimeoutMs * SAVE_FRACTION) return false;
      entry.savedMonotonic = entry.activeMonotonic;
      return true;
    },
    idleOf(id) {
      const entry = live.get(id);
      if (entry === undefined || entry.idleTimeoutMs === null) return null;
      const { activeMonotonic, idleTimeoutMs: limitMs } = entry;
      return { limitMs, leftMs: activeMonotonic + limitMs - clock.monotonic() };
    },
    leftOf(id) {
      const entry = live.get(id);
      return entry === undefined ? null : entry.limitMonotonic - clock.monotonic();
    },
    slept(ms) {
      for (const entry of live.values()) {
        entry.limitMonotonic -= ms;
        entry.activeMonotonic -= ms;
        entry.savedMonotonic -= ms;
        arm(entry);
      }
    },
    extend(id, expiresAt) {
      const entry = live.get(id);
      // A limit that stands keeps its timer: measured anew by a wall clock that was set back, it would be longer.
      if (entry === undefined || entry.session.expiresAt === expiresAt) return;
      entry.session = { ...entry.session, expiresAt };
      entry.limitMonotonic = limitOf(entry.session);
      arm(entry);
    },
    dueIn(delayMs, id, reason) {
      const entry = live.get(id);
      if (entry === undefined) return;
      entry.cancelRetry();
      entry.cancelRetry = clock.after(delayMs, () => onDue(entry.session, reason));
    },
    takeOver({ id, name, displayName, type }) {
      for (const entry of live.values()) {
        const { session } = entry;
        if (session.user.id !== id) continue;
        const role = session.app === null ? type : session.role;
        entry.session = { ...session, role, user: { id, name, displayName, type } };
      }
    },
    close() {
      for (const entry of live.values()) cancelAll(entry);
      live.clear();
      cookies.clear();
      apps.clear();
    },
  };
}

function cancelAll({ cancelLimit, cancelIdle, cancelRetry }: Live): void {
  cancelLimit();
  cancelIdle();
  cancelRetry();
}
