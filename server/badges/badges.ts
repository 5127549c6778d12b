/** Badges: cards and fobs that a reader types as a number, each enrolled for a user. */
import { createHmac, hkdfSync } from 'node:crypto';
import type { Actor, Audit } from '../audit/audit.ts';
import type { Config } from '../config/schema.ts';
import type { Emergency } from '../emergency/emergency.ts';
import { invalidInput, KeyswitchError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { isDuplicate, type Reader, type Store, type Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import {
  insertBadge,
  markRevoked,
  selectBadge,
  selectBadges,
  selectByNumber,
  type Badge,
} from './badges-store.ts';

export type { Badge } from './badges-store.ts';

export interface NewBadge {
  readonly userName: string;
  /** The number, as the reader types it. */
  readonly badge: string;
  /** Empty: none. */
  readonly label: string;
}

export interface FoundBadge {
  readonly id: string;
  readonly user: User;
  readonly isRevoked: boolean;
}

export interface Badges {
  /** What a badge signs in with. */
  readonly policy: Config['badges']['signIn'];
  /**
   * Enrols a badge. `not-found` where nobody has the name; `forbidden` for an emergency account; `already-exists`
   * where the badge is somebody's; `invalid-input` where it is shorter than the readers' numbers are.
   */
  enrol(input: NewBadge, actor: Actor): Promise<Badge>;
  /** Revokes in the caller's transaction and answers whose it was; `not-found` where no badge in use has the id. */
  revokeWithin(writer: Writer, id: string, actor: Actor): Promise<User>;
  /** The badge with this number: the one in use, or else the one revoked last. */
  find(number: string): Promise<FoundBadge | null>;
  isInUse(db: Reader, id: string): Promise<boolean>;
  /** Stands for the number where failures are counted, whether anybody has it or not. */
  keyOf(number: string): string;
  /** Revoked ones too. */
  list(): Promise<Badge[]>;
}

export interface BadgesNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly emergency: Emergency;
  readonly clock: Clock;
  readonly random: Random;
  /** PASSWORD_HASHING_KEY. */
  readonly secret: Buffer;
}

export function createBadges(
  { store, audit, users, emergency, clock, random, secret }: BadgesNeeds,
  { signIn: policy, minLength }: Pick<Config['badges'], 'signIn' | 'minLength'>,
): Badges {
  // Numbers have 26 to 64 bits: without a key whoever reads the database tries them all.
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'keyswitch badge numbers', 32));
  const hashOf = (number: string): string =>
    createHmac('sha256', key).update(readNumber(number)).digest('hex');

  async function ownerOf(writer: Writer, userName: string): Promise<User> {
    const user = await users.byName(userName, writer);
    if (user === null) throw new KeyswitchError('not-found', `No user is named ${userName}.`);
    if (await emergency.isEmergency(user.id, writer)) {
      throw new KeyswitchError(
        'forbidden',
        `${user.name} is an emergency account: its envelope is its badge.`,
      );
    }
    return user;
  }

  return {
    policy,
    enrol: ({ userName, badge: number, label }, actor) =>
      store.write(async (writer) => {
        if (readNumber(number).length < minLength) {
          throw invalidInput('badge', `must have at least ${minLength} characters (badges.minLength)`);
        }
        const user = await ownerOf(writer, userName);
        const id = random.uuid();
        const enrolledAt = clock.now();
        const row = { id, userId: user.id, numberHash: hashOf(number), label, enrolledAt };
        await insertBadge(writer, row).catch((cause: unknown) => {
          if (!isDuplicate(cause)) throw cause;
          throw new KeyswitchError('already-exists', 'This badge is enrolled. Revoke it first.', { cause });
        });
        const detail = { badge: id, label };
        await audit.append(writer, { action: 'badge-enrolled', actor, subject: user.name, detail });
        const { name, displayName } = user;
        return { id, userName: name, displayName, label, enrolledAt, revokedAt: null };
      }),
    async revokeWithin(writer, id, actor) {
      const badge = await selectBadge(writer, id);
      const user = badge?.revokedAt === null ? await users.byId(badge.userId, writer) : null;
      if (badge === null || user === null) {
        throw new KeyswitchError('not-found', `No badge in use has the id ${id}.`);
      }
      await markRevoked(writer, id, clock.now());
      const detail = { badge: id, label: badge.label };
      await audit.append(writer, { action: 'badge-revoked', actor, subject: user.name, detail });
      return user;
    },
    async find(number) {
      const badge = await selectByNumber(store.read, hashOf(number));
      const user = badge === null ? null : await users.byId(badge.userId);
      return badge === null || user === null
        ? null
        : { id: badge.id, user, isRevoked: badge.revokedAt !== null };
    },
    async isInUse(db, id) {
      return (await selectBadge(db, id))?.revokedAt === null;
    },
    keyOf: (number) => `badge ${hashOf(number)}`,
    list: () => selectBadges(store.read),
  };
}

/** The number as it was typed, letter case and leading zeros too, without what stands around it. */
export function readNumber(typed: string): string {
  return typed.trim();
}
