/** The PLC as a door of the house: turns a value in a word into a sign-in or a sign-out on the one path. */
import type { Actor } from '../audit/audit.ts';
import { isKeyswitchError } from '../errors.ts';
import type { AppStates } from '../sessions/app-states.ts';
import type { EndReason, Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createHolders, numberIn, type HoldersNeeds } from './holders.ts';
import type { Refusal } from './link-machine.ts';

/** Who is at the controls of an app. */
export interface CurrentUser {
  readonly name: string;
  /** The app-user data as a number, or null where it is none. */
  readonly value: number | null;
  /** Milliseconds since the epoch. */
  readonly signedInAt: number;
}

export interface PlcSignIn {
  readonly allowAdmin: boolean;
  readonly linkId: string;
  /** Leaves whoever is signed in by then where they are. */
  readonly onlyIfNobody?: boolean;
}

/** What a link needs of the rest of the house. Its answers may be late, but what it says of the current user must be the truth of that moment. */
export interface PlcDoor {
  /** Null when nobody is signed in. */
  current(appId: string): CurrentUser | null;
  /** Calls back with the current user before it returns, then after each change, from whichever side. */
  follow(appId: string, listener: (user: CurrentUser | null) => void): () => void;
  /**
   * Signs in the user whose data at this app equals `value`; when it resolves, `current` tells the new state.
   * `unchanged`: that user, or with `onlyIfNobody` anybody, is signed in already. `unknown`: no enabled user has it.
   * `barred`: an Admin user and not allowed, several users, or refused.
   */
  signIn(appId: string, value: number, options: PlcSignIn): Promise<'signed-in' | 'unchanged' | Refusal>;
  /** Ends the app's session, if any, on behalf of the PLC; when it resolves, `current` tells the new state. */
  signOut(appId: string, linkId: string): Promise<void>;
  /** The same on behalf of a person. */
  end(appId: string, reason: EndReason, by: Actor): Promise<void>;
  /** The name of the user whom `value` means, see `Holders.nameOf`. */
  nameOf(appId: string, value: number): string | null;
  onNames(listener: () => void): () => void;
  /** The same from the store: null for nobody and for several. */
  findName(appId: string, value: number): Promise<string | null>;
}

export interface PlcDoorNeeds extends HoldersNeeds {
  readonly sessions: Sessions;
  readonly appStates: AppStates;
}

export function createPlcDoor(needs: PlcDoorNeeds): PlcDoor {
  const { sessions, appStates, log } = needs;
  const holders = createHolders(needs);
  const actorOf = (linkId: string): Actor => ({ name: `PLC link ${linkId}`, door: 'plc', address: null });
  const current = (appId: string): CurrentUser | null => userOf(appStates.of(appId).session);

  return {
    current,
    follow: (appId, listener) => appStates.follow(appId, ({ session }) => listener(userOf(session))),
    async signIn(appId, value, { allowAdmin, linkId, onlyIfNobody = false }) {
      const before = current(appId);
      if (before !== null && (onlyIfNobody || before.value === value)) return 'unchanged';
      const [user, ...others] = await holders.find(appId, value);
      if (user === undefined) return 'unknown';
      if (others.length > 0) {
        // Attributing what follows to one of them by chance would make the audit trail lie.
        log.warn({ link: linkId, value }, 'the value belongs to several users: nobody is signed in by it');
        return 'barred';
      }
      try {
        await sessions.signIn({
          credential: { kind: 'plc', userId: user.id, allowAdmin, onlyIfNobody },
          appId,
          presentation: 'none',
          door: actorOf(linkId),
        });
        return 'signed-in';
      } catch (error) {
        if (!isKeyswitchError(error, 'sign-in-refused')) throw error;
        return onlyIfNobody && current(appId) !== null ? 'unchanged' : 'barred';
      }
    },
    async signOut(appId, linkId) {
      await sessions.endAtApp(appId, 'plc', actorOf(linkId));
    },
    async end(appId, reason, by) {
      await sessions.endAtApp(appId, reason, by);
    },
    nameOf: holders.nameOf,
    onNames: holders.onChange,
    async findName(appId, value) {
      const [user, ...others] = await holders.find(appId, value);
      return user === undefined || others.length > 0 ? null : user.name;
    },
  };
}

function userOf(session: Session | null): CurrentUser | null {
  if (session === null) return null;
  return { name: session.user.name, value: numberIn(session.role), signedInAt: session.openedAt };
}
