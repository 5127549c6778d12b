/** Emergency accounts: administrators without a password, each entered by a code in a sealed envelope, once. */
import { createHash } from 'node:crypto';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Reader, Store, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import { makeCode, readCode } from './code.ts';
import {
  isEmergencyUser,
  selectEmergencies,
  selectUserIdBySecret,
  upsertSecret,
  type EmergencyAccount,
} from './emergency-store.ts';

export type { EmergencyAccount } from './emergency-store.ts';

/** What goes into an envelope; told once. */
export interface Sealed {
  readonly username: string;
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly sealedAt: number;
}

/** Why an account has a new code. */
export type SealReason = 'added' | 'used' | 'renewed';

export interface Emergency {
  /** Adds an emergency account; `already-exists` where the name is taken. */
  add(input: { name: string; displayName?: string | undefined }, actor: Actor): Promise<Sealed>;
  /** Puts a new code in the place of the present one; `not-found` where no emergency account has the name. */
  seal(username: string, actor: Actor): Promise<Sealed>;
  sealWithin(writer: Writer, user: User, actor: Actor, why: SealReason): Promise<Sealed>;
  /** The account that a code opens, or null; `invalid-input` for what is no code at all. */
  verify(secret: string, within?: Writer): Promise<User | null>;
  isEmergency(userId: string, db?: Reader): Promise<boolean>;
  list(): Promise<EmergencyAccount[]>;
}

export interface EmergencyNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly clock: Clock;
  readonly random: Random;
}

export function createEmergency({ store, audit, users, clock, random }: EmergencyNeeds): Emergency {
  async function sealWithin(writer: Writer, user: User, actor: Actor, why: SealReason): Promise<Sealed> {
    const secret = makeCode(random);
    const sealedAt = clock.now();
    await upsertSecret(writer, user.id, hashOf(secret), sealedAt, why === 'used');
    await audit.append(writer, { action: 'emergency-sealed', actor, subject: user.name, reason: why });
    return { username: user.name, secret, sealedAt };
  }

  return {
    add: ({ name, displayName }, actor) =>
      store.write(async (writer, afterCommit) => {
        const input = { name, displayName, type: 'Admin', logoutTimeInMin: null } as const;
        const user = await users.addWithin(writer, afterCommit, input, actor, 'sealed');
        return sealWithin(writer, user, actor, 'added');
      }),
    seal: (username, actor) =>
      store.write(async (writer) => {
        const user = await users.byName(username, writer);
        if (user === null || !(await isEmergencyUser(writer, user.id))) {
          throw new KeyswitchError('not-found', `No emergency account is named ${username}.`);
        }
        return sealWithin(writer, user, actor, 'renewed');
      }),
    sealWithin,
    async verify(secret, within) {
      const userId = await selectUserIdBySecret(within ?? store.read, hashOf(readCode(secret)));
      return userId === null ? null : users.byId(userId, within);
    },
    isEmergency: (userId, db = store.read) => isEmergencyUser(db, userId),
    list: () => selectEmergencies(store.read),
  };
}

/** A fast hash is enough: nobody goes through 120 bits, and the code works while the password hashes are busy. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
