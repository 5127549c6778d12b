/** Users: adding, changing and finding the people who may sign in. */
import type { Actor, Audit } from '../audit/audit.ts';
import type { Pins } from '../badges/pins.ts';
import { invalidInput, isKeyswitchError, KeyswitchError } from '../errors.ts';
import type { Bus } from '../events.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { isDuplicate, type AfterCommit, type Store, type Writer } from '../store/store.ts';
import type { User, UserType } from './user.ts';
import { insertUser, selectUser, selectUsers, updateUser } from './users-store.ts';

export interface NewUser {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly type: UserType;
  readonly logoutTimeInMin: number | null;
}

/** A user who is added with a password: by a script, where the settings allow it. */
export interface ProvisionedUser extends NewUser {
  readonly password: string;
  /** The first sign-in must replace the password. */
  readonly mustChange?: boolean;
}

/** How a new user will sign in; for the audit trail. */
export type FirstCredentialKind = 'provisioned' | 'one-time' | 'sealed' | 'preset';

export type UserChange = Partial<Pick<User, 'displayName' | 'type' | 'enabled' | 'logoutTimeInMin'>>;

export interface Users {
  /**
   * Adds a user with a password that satisfies the policy, for provisioning by script. `already-exists` where the
   * name is taken; `forbidden` where `passwords.provisioning` is off.
   */
  add(input: ProvisionedUser, actor: Actor): Promise<User>;
  /** Adds a user with a one-time secret, told once: nobody but the user ever chooses the password. */
  addWithOneTimeSecret(
    input: NewUser,
    actor: Actor,
  ): Promise<{ readonly user: User; readonly oneTimeSecret: string; readonly expiresAt: number }>;
  /** Adds a user in the caller's transaction; what they sign in with is the caller's business. */
  addWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    input: NewUser,
    actor: Actor,
    credential: FirstCredentialKind,
  ): Promise<User>;
  /** Changes a user; `not-found` where nobody has the name. Announces UserChanged when it is on disk. Disabling takes the PIN. */
  change(name: string, change: UserChange, actor: Actor): Promise<User>;
  list(): Promise<User[]>;
  byName(name: string, within?: Writer): Promise<User | null>;
  byId(id: string, within?: Writer): Promise<User | null>;
}

export interface UsersNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly bus: Bus;
  readonly passwords: Passwords;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly random: Random;
}

export function createUsers(
  { store, audit, bus, passwords, pins, clock, random }: UsersNeeds,
  { provisioning }: { readonly provisioning: boolean },
): Users {
  function draft(input: NewUser): User {
    // The two ways to write an accented letter are one name.
    const name = input.name.normalize('NFC');
    return {
      id: random.uuid(),
      name,
      displayName: input.displayName?.trim() || name,
      type: input.type,
      enabled: true,
      logoutTimeInMin: input.logoutTimeInMin,
    };
  }

  async function insert(
    writer: Writer,
    afterCommit: AfterCommit,
    user: User,
    actor: Actor,
    credential: FirstCredentialKind,
  ): Promise<User> {
    const { name, type, logoutTimeInMin } = user;
    await insertUser(writer, user, clock.now()).catch((cause: unknown) => {
      if (!isDuplicate(cause)) throw cause;
      throw new KeyswitchError('already-exists', `A user named ${name} exists. Choose another name.`, {
        cause,
      });
    });
    await audit.append(writer, {
      action: 'user-added',
      actor,
      subject: name,
      detail: { type, logoutTimeInMin, credential },
    });
    afterCommit(() => bus.publish('UserChanged', { user }));
    return user;
  }

  return {
    async add(input, actor) {
      if (!provisioning) {
        throw new KeyswitchError(
          'forbidden',
          'Passwords are not set by scripts here (passwords.provisioning).',
        );
      }
      const user = draft(input);
      const hash = await prepareFor(passwords, input.password, user, actor.address);
      return store.write(async (writer, afterCommit) => {
        await insert(writer, afterCommit, user, actor, 'provisioned');
        await passwords.set(writer, user.id, hash, { mustChange: input.mustChange ?? false });
        return user;
      });
    },
    async addWithOneTimeSecret(input, actor) {
      const user = draft(input);
      const { secret, expiresAt } = passwords.oneTimeSecret();
      const hash = await passwords.hashOneTime(secret, actor.address);
      return store.write(async (writer, afterCommit) => {
        await insert(writer, afterCommit, user, actor, 'one-time');
        await passwords.set(writer, user.id, hash, { mustChange: true, expiresAt });
        return { user, oneTimeSecret: secret, expiresAt };
      });
    },
    addWithin: (writer, afterCommit, input, actor, credential) =>
      insert(writer, afterCommit, draft(input), actor, credential),
    change: (name, change, actor) =>
      store.write(async (writer, afterCommit) => {
        const before = await selectUser(writer, 'name', name.normalize('NFC'));
        if (before === null) throw new KeyswitchError('not-found', `No user is named ${name}.`);
        const user: User = { ...before, ...change };
        await refuseLockingEveryAdministratorOut(writer, passwords, before, user);
        await updateUser(writer, user, clock.now());
        if (!user.enabled) await pins.remove(writer, afterCommit, user.id);
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
    byName: (name, within) => selectUser(within ?? store.read, 'name', name.normalize('NFC')),
    byId: (id, within) => selectUser(within ?? store.read, 'id', id),
  };
}

/** The policy speaks of a new password; here the field is called `password`. */
async function prepareFor(
  passwords: Passwords,
  password: string,
  user: User,
  lane: string | null,
): Promise<string> {
  try {
    return await passwords.prepare(password, user, lane);
  } catch (error) {
    if (!isKeyswitchError(error, 'password-unacceptable')) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, field: 'password' }));
    throw new KeyswitchError('password-unacceptable', error.message, { faults, cause: error });
  }
}

/** Picks from `user` the fields that `change` names, for the audit row. */
function changed(user: User, change: UserChange): Record<string, unknown> {
  return Object.fromEntries(Object.keys(change).map((field) => [field, user[field as keyof User]]));
}

/** A host without an enabled administrator could be mended only by hand, in its files. */
async function refuseLockingEveryAdministratorOut(
  writer: Writer,
  passwords: Passwords,
  before: User,
  after: User,
): Promise<void> {
  const administers = (user: User): boolean => user.type === 'Admin' && user.enabled;
  if (!administers(before) || administers(after)) return;
  for (const user of await selectUsers(writer)) {
    if (user.id === after.id || !administers(user)) continue;
    // An emergency account has none: breaking its envelope is no way to administer a plant.
    if ((await passwords.statusOf(writer, user.id)).kind !== 'none') return;
  }
  const field = after.enabled ? 'type' : 'enabled';
  throw invalidInput(field, `${before.name} is the last enabled administrator. Make another one first.`);
}
