/** Accounts as an administrator sees them: each user with how they sign in, whether they are locked, and when they last did. */
import type { Actor, Audit } from '../audit/audit.ts';
import type { Emergency } from '../emergency/emergency.ts';
import { KeyswitchError } from '../errors.ts';
import type { Lockout } from '../lockout/lockout.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Store } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';

export interface Account {
  readonly user: User;
  /** Entered by the code in a sealed envelope. */
  readonly isEmergency: boolean;
  readonly password: 'none' | 'one-time' | 'set' | 'expired';
  /** When the password, or the one-time secret, ends; milliseconds since the epoch. */
  readonly passwordExpiresAt: number | null;
  readonly lock: ReturnType<Lockout['stateOf']>;
  readonly lastSignInAt: number | null;
}

export interface Accounts {
  list(): Promise<Account[]>;
  /** Lets a locked user try again at once; `not-found` where nobody has the name. */
  unlock(username: string, actor: Actor): Promise<void>;
}

export interface AccountsNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

export function createAccounts(needs: AccountsNeeds): Accounts {
  const { store, audit, users, passwords, lockout, emergency, sessions, clock } = needs;

  async function account(user: User, sealed: ReadonlySet<string>, signIns: ReadonlyMap<string, number>) {
    const { kind, expiresAt } = await passwords.statusOf(store.read, user.id);
    const isOver = kind === 'set' && expiresAt !== null && expiresAt <= clock.now();
    return {
      user,
      isEmergency: sealed.has(user.id),
      password: isOver ? ('expired' as const) : kind,
      passwordExpiresAt: expiresAt,
      lock: lockout.stateOf(user.id),
      lastSignInAt: signIns.get(user.id) ?? null,
    };
  }

  return {
    async list() {
      const sealed = new Set((await emergency.list()).map(({ userId }) => userId));
      const signIns = await sessions.lastSignIns();
      const all = await users.list();
      return Promise.all(all.map((user) => account(user, sealed, signIns)));
    },
    unlock: (username, actor) =>
      store.write(async (writer, afterCommit) => {
        const user = await users.byName(username, writer);
        if (user === null) throw new KeyswitchError('not-found', `No user is named ${username}.`);
        // Asked for twice it is done once, and recorded once.
        if (!(await lockout.unlock(writer, afterCommit, user.id))) return;
        await audit.append(writer, { action: 'account-unlocked', actor, subject: user.name });
      }),
  };
}
