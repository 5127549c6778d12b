/** The one bus: features publish what has become durable; doors, links and caches listen without being known. */
import type { StorageStatus } from './audit/capacity.ts';
import type { BackupStatus } from './backups/backups.ts';
import type { Log } from './ports/log.ts';
import type { Session, EndReason } from './sessions/session.ts';
import type { User } from './users/user.ts';
import type { App } from './apps/app.ts';

export interface Events {
  /** A session is open and on disk. */
  SessionOpened: { readonly session: Session };
  /**
   * A session has ended and its end is on disk. `successor` is the session that took its place in the same
   * transaction, where there is one: its own `SessionOpened` follows at once.
   */
  SessionEnded: { readonly session: Session; readonly reason: EndReason; readonly successor: Session | null };
  /** A user was added, changed, disabled or removed. */
  UserChanged: { readonly user: User };
  /** An app, or who may use it, was added or changed. */
  AppChanged: { readonly app: App };
  /** A PLC link was added, or its status changed. */
  LinkChanged: { readonly linkId: string };
  /** The disk has filled up, or there is room again. */
  StorageChanged: StorageStatus;
  /** A backup was made, or could not be. */
  BackupChanged: BackupStatus;
}

export type EventName = keyof Events;
export type Listener<Name extends EventName> = (event: Events[Name]) => void;

export interface Bus {
  publish<Name extends EventName>(name: Name, event: Events[Name]): void;
  /** Listens until the returned function is called. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void;
}

/** Makes the bus: listeners are called in the order they came, and one that throws is logged and passed over. */
export function createBus(log: Log): Bus {
  const listeners = new Map<EventName, Set<Listener<never>>>();
  return {
    publish(name, event) {
      for (const listener of listeners.get(name) ?? []) {
        try {
          (listener as Listener<typeof name>)(event);
        } catch (err) {
          log.error({ err, event: name }, 'a listener failed');
        }
      }
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set);
      set.add(listener as Listener<never>);
      return () => set.delete(listener as Listener<never>);
    },
  };
}
