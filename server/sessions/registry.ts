/** The live sessions in memory: what every request is checked against, and the timers that end them. */
import type { CancelTimer, Clock } from '../ports/clock.ts';
import type { User } from '../users/user.ts';
import type { EndReason, Session } from './session.ts';
import type { StoredSession } from './sessions-store.ts';

export interface Registry {
  add(stored: StoredSession): void;
  remove(id: string): void;
  byId(id: string): Session | null;
  byCookieHash(hash: string): Session | null;
  ofApp(appId: string): Session | null;
  list(): Session[];
  /** Notes activity now; answers when it should next be put on disk, by returning true. */
  touch(id: string): boolean;
  /** When the session ends without activity, milliseconds since the epoch; null without an idle limit. */
  idleExpiresAt(id: string): number | null;
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
  activeAt: number;
  /** On the monotonic clock, so that setting the PC's clock back lengthens nothing. */
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

  function armLimit(entry: Live): CancelTimer {
    const { kind, openedAt, expiresAt } = entry.session;
    // Never more than the whole of a limit that stands: the wall clock may have been set back while the host was
    // off. That of a pair of tokens moves with every refresh.
    const whole = kind === 'bearer' ? Infinity : expiresAt - openedAt;
    return clock.after(Math.min(expiresAt - clock.now(), whole), () => onDue(entry.session, 'time-limit'));
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
        activeAt,
        activeMonotonic,
        savedMonotonic: activeMonotonic,
        cancelLimit: () => {},
        cancelIdle: () => {},
        cancelRetry: () => {},
      };
      entry.cancelLimit = armLimit(entry);
      entry.cancelIdle = armIdle(entry);
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
      entry.activeAt = clock.now();
      entry.activeMonotonic = clock.monotonic();
      if (entry.activeMonotonic - entry.savedMonotonic < entry.idleTimeoutMs * SAVE_FRACTION) return false;
      entry.savedMonotonic = entry.activeMonotonic;
      return true;
    },
    idleExpiresAt(id) {
      const entry = live.get(id);
      if (entry === undefined || entry.idleTimeoutMs === null) return null;
      return Math.min(entry.activeAt + entry.idleTimeoutMs, entry.session.expiresAt);
    },
    extend(id, expiresAt) {
      const entry = live.get(id);
      // A limit that stands keeps its timer: measured anew by a wall clock that was set back, it would be longer.
      if (entry === undefined || entry.session.expiresAt === expiresAt) return;
      entry.session = { ...entry.session, expiresAt };
      entry.cancelLimit();
      entry.cancelLimit = armLimit(entry);
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
