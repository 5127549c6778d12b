/** The PLC as a door of the house: turns a value in a word into a sign-in or a sign-out on the one path. */
import type { Apps } from '../apps/apps.ts';
import type { Actor } from '../audit/audit.ts';
import { isKeyswitchError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Log } from '../ports/log.ts';
import { onCurrentUser } from '../sessions/current-user.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import type { PlcDoor } from './link.ts';

export interface PlcDoorNeeds {
  readonly apps: Apps;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly bus: Bus;
  readonly log: Log;
}

export function createPlcDoor({ apps, users, sessions, bus, log }: PlcDoorNeeds): PlcDoor {
  const actorOf = (linkId: string): Actor => ({ name: `PLC link ${linkId}`, door: 'plc', address: null });

  /** The enabled users whose data at the app is `value`. */
  async function holdersOf(appId: string, value: number): Promise<User[]> {
    const granted = (await apps.usersOf(appId)).filter(({ data }) => numberIn(data) === value);
    const found = await Promise.all(granted.map(({ userId }) => users.byId(userId)));
    return found.filter((user) => user !== null && user.enabled) as User[];
  }

  return {
    currentValue: (appId) => numberIn(sessions.ofApp(appId)?.role ?? ''),
    isSignedIn: (appId) => sessions.ofApp(appId) !== null,
    async signIn(appId, value, { allowAdmin, linkId }) {
      const current = sessions.ofApp(appId);
      if (current !== null && numberIn(current.role) === value) return 'unchanged';
      const [user, ...others] = await holdersOf(appId, value);
      if (user === undefined) return 'unknown';
      if (others.length > 0) {
        // Attributing what follows to one of them by chance would make the audit trail lie.
        log.warn({ link: linkId, value }, 'the value belongs to several users: nobody is signed in by it');
        return 'barred';
      }
      try {
        await sessions.signIn({
          credential: { kind: 'plc', userId: user.id, allowAdmin },
          appId,
          presentation: 'none',
          door: actorOf(linkId),
        });
        return 'signed-in';
      } catch (error) {
        if (isKeyswitchError(error, 'sign-in-refused')) return 'barred';
        throw error;
      }
    },
    async signOut(appId, linkId) {
      await sessions.endAtApp(appId, 'plc', actorOf(linkId));
    },
    onChange: (appId, listener) => onCurrentUser(bus, appId, listener),
  };
}

/** App-user data as the value of a word; null where it is no whole number (a role name, say). */
function numberIn(data: string): number | null {
  return /^\d{1,10}$/.test(data) ? Number(data) : null;
}
