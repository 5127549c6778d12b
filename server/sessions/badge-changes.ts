/** What becomes of badges and PINs while their users are signed in: lost badges end sessions, PINs take the password. */
import type { Actor, Audit } from '../audit/audit.ts';
import type { Badges } from '../badges/badges.ts';
import type { Pins } from '../badges/pins.ts';
import type { Store } from '../store/store.ts';
import { createOwnChanges, type OwnChangesNeeds } from './own-changes.ts';
import type { Path } from './password-changes.ts';
import type { Session } from './session.ts';
import { selectLive } from './sessions-store.ts';

export interface BadgeChanges {
  /** Revokes a badge and ends every session of its user; `not-found` where no badge in use has the id. */
  revokeBadge(id: string, by: Actor): Promise<void>;
  /**
   * Sets the PIN of the user who is signed in with `session`. A wrong current password is `sign-in-refused` and
   * counts like one at sign-in; `pin-unacceptable` names the rules that failed.
   */
  changeOwnPin(session: Session, currentPassword: string, newPin: string, door: Actor): Promise<void>;
}

export interface BadgeChangesNeeds extends OwnChangesNeeds {
  readonly store: Store;
  readonly audit: Audit;
  readonly badges: Badges;
  readonly pins: Pins;
}

export function createBadgeChanges(
  needs: BadgeChangesNeeds,
  { endWithin }: Pick<Path, 'endWithin'>,
): BadgeChanges {
  const { store, audit, badges, pins } = needs;
  const { withPassword, recordingRefusal } = createOwnChanges(needs, 'pin-change-refused');
  return {
    revokeBadge: (id, by) =>
      store.write(async (writer, afterCommit) => {
        const user = await badges.revokeWithin(writer, id, by);
        // Whoever has the badge may be at any of them.
        for (const { session } of await selectLive(writer, { userId: user.id })) {
          await endWithin(writer, afterCommit, session, 'badge-revoked', by, null);
        }
      }),
    changeOwnPin: (session, currentPassword, newPin, door) =>
      withPassword(session, currentPassword, door, async (confirm) => {
        const { user } = session;
        const hash = await recordingRefusal(user, door, () => pins.prepare(newPin, door.address));
        await store.write(async (writer, afterCommit) => {
          await confirm(writer, afterCommit);
          await pins.set(writer, afterCommit, user.id, hash);
          await audit.append(writer, { action: 'pin-changed', actor: door, subject: user.name });
        });
      }),
  };
}
