/** Replacing passwords: by the ticket that a sign-in gave, by a user who is signed in, and by an administrator's reset. */
import type { App } from '../apps/app.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Emergency } from '../emergency/emergency.ts';
import type { Pins } from '../badges/pins.ts';
import type { Lockout } from '../lockout/lockout.ts';
import type { MustChange, Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { AfterCommit, Store, WriteOperation, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import { createOwnChanges } from './own-changes.ts';
import type { Proven } from './proof.ts';
import type { SignInRequest } from './request.ts';
import type { EndReason, Session } from './session.ts';
import { selectLive } from './sessions-store.ts';
import type { SignedIn } from './sessions.ts';
import { createTickets } from './tickets.ts';

/** A secret that an administrator hands over, shown once. */
export interface OneTimeSecret {
  readonly username: string;
  readonly oneTimeSecret: string;
  /** Milliseconds since the epoch; from then on it is worth nothing. */
  readonly expiresAt: number;
}

export interface PasswordChanges {
  /** Replaces the password a ticket was issued for, ends the user's other sessions, and finishes the sign-in. */
  changePassword(ticket: string, newPassword: string, door: Actor): Promise<SignedIn>;
  /**
   * Replaces the password of the user who is signed in with `session`; every other session of theirs ends.
   * A wrong current password is `sign-in-refused` and counts like one at sign-in.
   */
  changeOwnPassword(
    session: Session,
    currentPassword: string,
    newPassword: string,
    door: Actor,
  ): Promise<void>;
  /** Makes a one-time secret in the place of password and PIN, ends the user's sessions and unlocks the account. */
  resetPassword(username: string, by: Actor): Promise<OneTimeSecret>;
}

export interface PasswordChangesNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly passwords: Passwords;
  readonly pins: Pins;
  readonly lockout: Lockout;
  readonly emergency: Emergency;
  readonly clock: Clock;
  readonly random: Random;
}

/** What the one path lends. */
export interface Path {
  appOf(request: SignInRequest): Promise<App | null>;
  /** Opens the session of `request` in one transaction with what is to be done `first`. */
  openAfter(
    request: SignInRequest,
    app: App | null,
    proven: Proven,
    first: WriteOperation<void>,
  ): Promise<SignedIn>;
  endWithin(
    writer: Writer,
    afterCommit: AfterCommit,
    session: Session,
    reason: EndReason,
    by: Actor,
    successor: Session | null,
  ): Promise<boolean>;
}

interface PendingChange {
  readonly proven: Proven;
  readonly request: SignInRequest;
}

export function createPasswordChanges(needs: PasswordChangesNeeds, path: Path) {
  const { store, audit, users, passwords, pins, lockout, emergency } = needs;
  const { withPassword, recordingRefusal } = createOwnChanges(needs, 'password-change-refused');
  const tickets = createTickets<PendingChange>(needs);

  /** Records that a good password has to be replaced, and makes the error that carries the ticket for it. */
  async function ticketFor(request: SignInRequest, proven: Proven, why: MustChange): Promise<KeyswitchError> {
    const { user } = proven;
    const actor = { ...request.door, name: user.name };
    const reason = why;
    await store.write((writer) =>
      audit.append(writer, { action: 'password-change-required', actor, subject: user.name, reason }),
    );
    const ticket = tickets.issue({ request, proven });
    return new KeyswitchError('password-change-required', undefined, { ticket, why });
  }

  async function changePassword(ticket: string, newPassword: string, door: Actor): Promise<SignedIn> {
    const pending = tickets.find(ticket);
    if (pending === null) throw new KeyswitchError('ticket-invalid');
    const { proven, request } = pending;
    const { user, badgeId } = proven;
    const app = await path.appOf(request);
    const actor: Actor = { ...door, name: user.name, door: request.door.door };
    const hash = await prepare(user, newPassword, actor);
    const changed = { user, ...(badgeId !== undefined && { badgeId }) };
    return path.openAfter({ ...request, door: actor }, app, changed, async (writer, afterCommit) => {
      // A ticket is for one change: of two at once the second finds it used, and one that was also given out for
      // the same password finds that replaced.
      const isStale =
        (await passwords.mustChange(writer, user.id)) === null ||
        (await passwords.setAt(writer, user.id)) !== proven.passwordSetAt;
      if (isStale || tickets.find(ticket) === null) throw new KeyswitchError('ticket-invalid');
      tickets.use(ticket);
      await passwords.set(writer, user.id, hash, { mustChange: false });
      await audit.append(writer, { action: 'password-changed', actor, subject: user.name });
      // The one at this app gives way to its successor, without a moment in which nobody is there.
      await endAll(writer, afterCommit, user, 'password-changed', actor, (session) => {
        return app === null || session.app?.id !== app.id;
      });
    });
  }

  function changeOwnPassword(
    session: Session,
    currentPassword: string,
    newPassword: string,
    door: Actor,
  ): Promise<void> {
    const { user } = session;
    return withPassword(session, currentPassword, door, async (confirm) => {
      await recordingRefusal(user, door, () => passwords.checkMinAge(store.read, user.id));
      const hash = await prepare(user, newPassword, door);
      await store.write(async (writer, afterCommit) => {
        await confirm(writer, afterCommit);
        await passwords.set(writer, user.id, hash, { mustChange: false });
        await audit.append(writer, { action: 'password-changed', actor: door, subject: user.name });
        await endAll(writer, afterCommit, user, 'password-changed', door, ({ id }) => id !== session.id);
      });
    });
  }

  function prepare(
    user: Pick<User, 'id' | 'name' | 'displayName'>,
    newPassword: string,
    actor: Actor,
  ): Promise<string> {
    return recordingRefusal(user, actor, () => passwords.prepare(newPassword, user, actor.address));
  }

  async function resetPassword(username: string, by: Actor): Promise<OneTimeSecret> {
    const { secret, expiresAt } = passwords.oneTimeSecret();
    const hash = await passwords.hashOneTime(secret, by.address);
    return store.write(async (writer, afterCommit) => {
      const user = await users.byName(username, writer);
      if (user === null) throw new KeyswitchError('not-found', `No user is named ${username}.`);
      if (await emergency.isEmergency(user.id, writer)) {
        throw new KeyswitchError('forbidden', `${username} is an emergency account. Seal it anew instead.`);
      }
      await passwords.set(writer, user.id, hash, { mustChange: true, expiresAt });
      await pins.remove(writer, afterCommit, user.id);
      await lockout.unlock(writer, afterCommit, user.id);
      await audit.append(writer, {
        action: 'password-reset',
        actor: by,
        subject: user.name,
        detail: { oneTimeSecretExpiresAt: new Date(expiresAt).toISOString() },
      });
      await endAll(writer, afterCommit, user, 'password-reset', by, () => true);
      return { username: user.name, oneTimeSecret: secret, expiresAt };
    });
  }

  async function endAll(
    writer: Writer,
    afterCommit: AfterCommit,
    user: Pick<User, 'id'>,
    reason: EndReason,
    by: Actor,
    which: (session: Session) => boolean,
  ): Promise<void> {
    for (const { session } of await selectLive(writer, { userId: user.id })) {
      if (which(session)) await path.endWithin(writer, afterCommit, session, reason, by, null);
    }
  }

  return { ticketFor, changePassword, changeOwnPassword, resetPassword };
}
