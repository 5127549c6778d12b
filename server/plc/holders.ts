/** Whom a value means at an app: the enabled users whose app-user data it is. */
import type { Apps } from '../apps/apps.ts';
import type { Bus } from '../events.ts';
import type { Log } from '../ports/log.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';

export interface Holders {
  /** All who have the value, from the store. */
  find(appId: string, value: number): Promise<User[]>;
  /**
   * The name of the one who has it, from memory; null for nobody, for several, and until it has been looked up:
   * then, and when it is another one, `onChange` tells.
   */
  nameOf(appId: string, value: number): string | null;
  onChange(listener: () => void): () => void;
}

export interface HoldersNeeds {
  readonly apps: Apps;
  readonly users: Users;
  readonly bus: Bus;
  readonly log: Log;
}

interface Known {
  readonly appId: string;
  readonly name: string | null;
  readonly isFresh: boolean;
}

/** A PLC that counts up in its word must not fill the memory. */
const MOST_KNOWN = 1000;

export function createHolders({ apps, users, bus, log }: HoldersNeeds): Holders {
  const known = new Map<string, Known>();
  const listeners = new Set<() => void>();

  async function find(appId: string, value: number): Promise<User[]> {
    const granted = (await apps.usersOf(appId)).filter(({ data }) => numberIn(data) === value);
    const found = await Promise.all(granted.map(({ userId }) => users.byId(userId)));
    return found.filter((user) => user !== null && user.enabled) as User[];
  }

  async function lookUp(appId: string, value: number, key: string, former: string | null): Promise<void> {
    const promised: Known = { appId, name: former, isFresh: true };
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, promised);
    try {
      const [user, ...others] = await find(appId, value);
      const name = user === undefined || others.length > 0 ? null : user.name;
      // A change in the meantime has made it a matter of the past: whoever needs it asks again.
      if (known.get(key) !== promised) return;
      known.set(key, { ...promised, name });
      if (name !== former) tell();
    } catch (err) {
      known.delete(key);
      log.warn({ err, appId }, 'whom a value means could not be looked up');
    }
  }

  function outdate(isConcerned: (entry: Known) => boolean): void {
    for (const [key, entry] of known) if (isConcerned(entry)) known.set(key, { ...entry, isFresh: false });
    tell();
  }

  function tell(): void {
    for (const listener of [...listeners]) listener();
  }

  bus.on('AppChanged', ({ app }) => outdate(({ appId }) => appId === app.id));
  bus.on('UserChanged', () => outdate(() => true));

  return {
    find,
    nameOf(appId, value) {
      const key = `${appId} ${value}`;
      const entry = known.get(key);
      if (entry?.isFresh !== true) void lookUp(appId, value, key, entry?.name ?? null);
      return entry?.name ?? null;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** App-user data as the value of a word; null where it is no whole number (a role name, say). */
export function numberIn(data: string): number | null {
  return /^\d{1,10}$/.test(data) ? Number(data) : null;
}
