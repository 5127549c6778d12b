/** Users: adding, changing and finding the people who may sign in. */
import type { Actor, Audit } from '../audit/audit.ts';
import { invalidInput, KeyswitchError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { isDuplicate, type Store, type Writer } from '../store/store.ts';
import type { User, UserType } from './user.ts';
import { insertUser, selectUser, selectUsers, updateUser } from './users-store.ts';

export interface NewUser {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly type: UserType;
  readonly logoutTimeInMin: number | null;
  readonly password: string;
  /** The password is a one-time secret: the first sign-in must replace it. */
  readonly mustChange?: boolean;
}

export type UserChange = Partial<Pick<User, 'displayName' | 'type' | 'enabled' | 'logoutTimeInMin'>>;

export interface Users {
  /** Adds a user with a password that satisfies the policy; `already-exists` where the name is taken. */
  add(input: NewUser, actor: Actor): Promise<User>;
  /** Changes a user; `not-found` where nobody has the name. Announces UserChanged when it is on disk. */
  change(name: string, change: UserChange, actor: Actor): Promise<User>;
  list(): Promise<User[]>;
  byName(name: string): Promise<User | null>;
  byId(id: string, within?: Writer): Promise<User | null>;
}

export interface UsersNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly passwords: Passwords;
  readonly clock: Clock;
  readonly random: Random;
}

export function createUsers({ store, audit, bus, passwords, clock, random }: UsersNeeds): Users {
  return {
    async add(input, actor) {
      const user: User = {
        id: random.uuid(),
        name: input.name,
        displayName: input.displayName?.trim() || input.name,
        type: input.type,
        enabled: true,
        logoutTimeInMin: input.logoutTimeInMin,
      };
      const hash = await passwords.prepare(input.password, user);
      return store
        .write(async (writer, afterCommit) => {
          await insertUser(writer, user, clock.now());
          await passwords.set(writer, user.id, hash, { mustChange: input.mustChange ?? false });
          const { name, type, logoutTimeInMin } = user;
          await audit.append(writer, {
            action: 'user-added',
            actor,
            subject: name,
            detail: { type, logoutTimeInMin },
          });
          afterCommit(() => bus.publish('UserChanged', { user }));
          return user;
        })
        .catch((error: unknown) => {
          if (!isDuplicate(error)) throw error;
          throw new KeyswitchError(
            'already-exists',
            `A user named ${input.name} exists. Choose another name.`,
            {
              cause: error,
            },
          );
        });
    },
    change: (name, change, actor) =>
      store.write(async (writer, afterCommit) => {
        const before = await selectUser(writer, 'name', name);
        if (before === null) throw new KeyswitchError('not-found', `No user is named ${name}.`);
        const user: User = { ...before, ...change };
        await refuseLockingEveryAdministratorOut(writer, before, user);
        await updateUser(writer, user, clock.now());
        await audit.append(writer, {
          action: 'user-changed',
          actor,
          subject: name,
          detail: { before: changed(before, change), after: changed(user, change) },
        });
        afterCommit(() => bus.publish('UserChanged', { user }));
        return user;
      }),
    list: () => selectUsers(store.read),
    byName: (name) => selectUser(store.read, 'name', name),
    byId: (id, within) => selectUser(within ?? store.read, 'id', id),
  };
}

/** Picks from `user` the fields that `change` names, for the audit row. */
function changed(user: User, change: UserChange): Record<string, unknown> {
  return Object.fromEntries(Object.keys(change).map((field) => [field, user[field as keyof User]]));
}

/** A host without an enabled administrator could be mended only by hand, in its files. */
async function refuseLockingEveryAdministratorOut(writer: Writer, before: User, after: User): Promise<void> {
  const administers = (user: User): boolean => user.type === 'Admin' && user.enabled;
  if (!administers(before) || administers(after)) return;
  const others = (await selectUsers(writer)).filter((user) => user.id !== after.id && administers(user));
  if (others.length === 0) {
    const field = after.enabled ? 'type' : 'enabled';
    throw invalidInput(field, `${before.name} is the last enabled administrator. Make another one first.`);
  }
}
