/** What users change of their own sign-in: the current password first, counted like one at the door; refusals on record. */
import { atMost } from '../audit/at-most.ts';
import type { Actor, Audit } from '../audit/audit.ts';
import { KeyswitchError } from '../errors.ts';
import type { Attempt, Lockout, Tried } from '../lockout/lockout.ts';
import type { Passwords } from '../passwords/passwords.ts';
import type { Clock } from '../ports/clock.ts';
import type { AfterCommit, Store, Writer } from '../store/store.ts';
import type { User } from '../users/user.ts';
import { RECORD_INTERVAL_MS } from './proof.ts';
import type { Session } from './session.ts';

/** Refuses, in the caller's transaction, where the password was replaced since; else clears what was counted. */
export type Confirm = (writer: Writer, afterCommit: AfterCommit) => Promise<void>;

export interface OwnChanges {
  /**
   * Does `work` where `currentPassword` is that of the user who is signed in with `session`. A wrong one is
   * `sign-in-refused`, and `too-many-tries` where they have to wait.
   */
  withPassword<Result>(
    session: Session,
    currentPassword: string,
    door: Actor,
    work: (confirm: Confirm) => Promise<Result>,
  ): Promise<Result>;
  /** Has a refusal by the rules on the record, without a word of what was chosen. */
  recordingRefusal<Result>(
    user: Pick<User, 'name'>,
    actor: Actor,
    check: () => Promise<Result>,
  ): Promise<Result>;
}

export interface OwnChangesNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly lockout: Lockout;
  readonly clock: Clock;
}

/** `action`: what a refusal is recorded as. */
export function createOwnChanges(
  { store, audit, passwords, lockout, clock }: OwnChangesNeeds,
  action: 'password-change-refused' | 'pin-change-refused',
): OwnChanges {
  const uncheckedTries = atMost(clock, RECORD_INTERVAL_MS);

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
    const reason = 'too-many-tries';
    const detail = { ...(tries > 1 && { tries }) };
    await store.write((writer) => audit.append(writer, { action, actor, subject, reason, detail }));
  }

  async function refuse(tried: Tried, subject: string, actor: Actor): Promise<KeyswitchError> {
    const retryAfterSec = await store.write(async (writer, afterCommit) => {
      await audit.append(writer, { action, actor, subject, reason: 'wrong-password' });
      const { retryAfterSec, locked } = await lockout.failed(writer, afterCommit, tried);
      if (locked === 'account') await audit.append(writer, { action: 'account-locked', actor, subject });
      return retryAfterSec;
    });
    return new KeyswitchError('sign-in-refused', undefined, retryAfterSec > 0 ? { retryAfterSec } : {});
  }

  return {
    async withPassword({ user }, currentPassword, door, work) {
      const attempt = await admit(user.name, door);
      try {
        const checked = await passwords.verify(user.name, currentPassword, door.address);
        const tried = { typedName: user.name, userId: user.id, address: door.address };
        const verdict = lockout.settle(tried, checked.check !== 'mismatch');
        if (verdict !== 'match' || checked.check === 'mismatch') throw await refuse(tried, user.name, door);
        return await work(async (writer, afterCommit) => {
          if ((await passwords.setAt(writer, user.id)) !== checked.setAt) {
            throw new KeyswitchError('sign-in-refused');
          }
          await lockout.succeeded(writer, afterCommit, tried);
        });
      } finally {
        attempt.release();
      }
    },
    async recordingRefusal({ name: subject }, actor, check) {
      try {
        return await check();
      } catch (error) {
        if (error instanceof KeyswitchError && REFUSALS.includes(error.code)) {
          const rules = error.faults.flatMap(({ rule }) => rule ?? []);
          const row = { action, actor, subject, reason: 'policy', detail: { rules } };
          await store.write((writer) => audit.append(writer, row));
        }
        throw error;
      }
    },
  };
}

const REFUSALS: readonly string[] = ['password-unacceptable', 'pin-unacceptable'];
