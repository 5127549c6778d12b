/** The signed-in user's own account, and a new password for it. */
import type { Pins } from '../../badges/pins.ts';
import { KeyswitchError } from '../../errors.ts';
import type { Passwords } from '../../passwords/passwords.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Reader } from '../../store/store.ts';
import { accountSchema, ownPasswordSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { instantOrNull } from '../views.ts';

export interface AccountRoutesNeeds {
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly pins: Pins;
  readonly read: Reader;
}

/** The caller's session, where the route asks for one. */
export function present(session: Session | null): Session {
  if (session === null) throw new KeyswitchError('not-signed-in');
  return session;
}

export function accountRoutes({ sessions, passwords, pins, read }: AccountRoutesNeeds): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/account',
      summary: "The caller's own account, and until when the password is good",
      access: 'session',
      answer: accountSchema,
      errors: ['not-signed-in'],
      async handle({ caller }) {
        const { user } = present(caller.session);
        const { kind, changedAt, expiresAt, warn } = await passwords.statusOf(read, user.id);
        const hasPin = (await pins.setAt(read, user.id)) !== null;
        const { name, displayName, type } = user;
        return {
          status: 200,
          body: {
            name,
            displayName,
            type,
            hasPassword: kind !== 'none',
            hasPin,
            passwordChangedAt: instantOrNull(changedAt),
            passwordExpiresAt: instantOrNull(expiresAt),
            passwordExpiresSoon: warn,
          },
        };
      },
    }),
    defineRoute({
      method: 'put',
      path: '/api/v1/password',
      summary: "Replace one's own password; one's other sessions end",
      access: 'session',
      body: ownPasswordSchema,
      errors: [
        'not-signed-in',
        'sign-in-refused',
        'password-unacceptable',
        'too-many-tries',
        'busy',
        'invalid-input',
      ],
      async handle({ caller, body: { currentPassword, newPassword } }) {
        const session = present(caller.session);
        await sessions.changeOwnPassword(session, currentPassword, newPassword, caller.actor);
        return { status: 204 };
      },
    }),
  ];
}
