/** Replacing passwords: by the ticket that a sign-in gave, by a user who is signed in, and by an administrator's reset. */
import type { App } from '../apps/app.ts';
import { atMost } from '../audit/at-most.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Emergency } from '../emergency/emergency.ts';
import type { Attempt, Lockout, Tried } from '../lockout/lockout.ts';
import type { MustChange, Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { AfterCommit, Store, WriteOperation, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import type { Users } from '../users/users.ts';
import { RECORD_INTERVAL_MS, type Proven } from './proof.ts';
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
  /** Makes a one-time secret in the place of the password, ends the user's sessions and unlocks the account. */
  resetPassword(username: string, by: Actor): Promise<OneTimeSecret>;
}

export interface PasswordChangesNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly users: Users;
  readonly passwords: Passwords;
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
  const { store, audit, users, passwords, lockout, emergency, clock } = needs;
  const uncheckedTries = atMost(clock, RECORD_INTERVAL_MS);
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
    const { user } = proven;
    const app = await path.appOf(request);
    const actor: Actor = { ...door, name: user.name, door: request.door.door };
    const hash = await prepare(user, newPassword, actor);
    return path.openAfter({ ...request, door: actor }, app, { user }, async (writer, afterCommit) => {
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

  async function changeOwnPassword(
    session: Session,
    currentPassword: string,
    newPassword: string,
    door: Actor,
  ): Promise<void> {
    const { user } = session;
    const attempt = await admit(user.name, door);
    try {
      const checked = await passwords.verify(user.name, currentPassword, door.address);
      const tried = { typedName: user.name, userId: user.id, address: door.address };
      const verdict = lockout.settle(tried, checked.check !== 'mismatch');
      if (verdict !== 'match' || checked.check === 'mismatch') throw await refuse(tried, user.name, door);
      await recordingRefusal(user, door, () => passwords.checkMinAge(store.read, user.id));
      const hash = await prepare(user, newPassword, door);
      await store.write(async (writer, afterCommit) => {
        if ((await passwords.setAt(writer, user.id)) !== checked.setAt) {
          throw new KeyswitchError('sign-in-refused');
        }
        await passwords.set(writer, user.id, hash, { mustChange: false });
        await lockout.succeeded(writer, afterCommit, tried);
        await audit.append(writer, { action: 'password-changed', actor: door, subject: user.name });
        await endAll(writer, afterCommit, user, 'password-changed', door, ({ id }) => id !== session.id);
      });
    } finally {
      attempt.release();
    }
  }

  async function admit(name: string, door: Actor): Promise<Attempt> {
    try {
      return lockout.admit(name, door.address);
    } catch (error) {
      await recordUnchecked(name, door);
      throw error;
    }
  }

  /** Records tries of which nothing was looked at: one row in a while tells how many. */
  async function recordUnchecked(subject: string, actor: Actor): Promise<void> {
    const tries = uncheckedTries.note();
    if (tries === 0) return;
    await store.write((writer) =>
      audit.append(writer, {
        action: 'password-change-refused',
        actor,
        subject,
        reason: 'too-many-tries',
        ...(tries > 1 && { detail: { tries } }),
      }),
    );
  }

  function prepare(
    user: Pick<User, 'id' | 'name' | 'displayName'>,
    newPassword: string,
    actor: Actor,
  ): Promise<string> {
    return recordingRefusal(user, actor, () => passwords.prepare(newPassword, user, actor.address));
  }

  /** Has a refusal by the policy on the record, without a word of the password. */
  async function recordingRefusal<Result>(
    user: Pick<User, 'name'>,
    actor: Actor,
    check: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await check();
    } catch (error) {
      if (error instanceof KeyswitchError && error.code === 'password-unacceptable') {
        const rules = error.faults.flatMap(({ rule }) => rule ?? []);
        await store.write((writer) =>
          audit.append(writer, {
            action: 'password-change-refused',
            actor,
            subject: user.name,
            reason: 'policy',
            detail: { rules },
          }),
        );
      }
      throw error;
    }
  }

  async function refuse(tried: Tried, subject: string, door: Actor): Promise<KeyswitchError> {
    const retryAfterSec = await store.write(async (writer, afterCommit) => {
      await audit.append(writer, {
        action: 'password-change-refused',
        actor: door,
        subject,
        reason: 'wrong-password',
      });
      const { retryAfterSec, locked } = await lockout.failed(writer, afterCommit, tried);
      if (locked === 'account')
        await audit.append(writer, { action: 'account-locked', actor: door, subject });
      return retryAfterSec;
    });
    return new KeyswitchError('sign-in-refused', undefined, retryAfterSec > 0 ? { retryAfterSec } : {});
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
