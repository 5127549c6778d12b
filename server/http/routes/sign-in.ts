/** Signing in, and replacing a password that a sign-in asked to be replaced. */
import type { Actor } from '../../audit/audit.ts';
import type { Sessions, SignedIn } from '../../sessions/sessions.ts';
import type { Caller } from '../caller.ts';
import { authenticationSchema, passwordChangeSchema, signInSchema } from '../contract.ts';
import { defineRoute, type Answer, type Route } from '../route.ts';
import { viewAuthentication } from '../views.ts';

/** Who asks to be signed in: nobody yet, whoever was signed in before. */
export function applicant({ actor }: Caller, presentation: 'bearer' | 'cookie'): Actor {
  return { ...actor, name: 'anonymous', door: presentation === 'cookie' ? 'page' : 'api' };
}

/** Answers with the session that was opened, and more where there is more to say. */
export async function answerSignedIn(
  sessions: Sessions,
  signedIn: SignedIn,
  { session: former, actor }: Caller,
  more: object = {},
): Promise<Answer> {
  // A browser has one session here: the one it had before gives way to the new one (ASVS 7.2.4).
  if (former !== null && actor.door === 'page') await sessions.end(former.id, 'replaced', actor);
  return {
    status: 200,
    body: { ...viewAuthentication(signedIn, sessions), ...more },
    ...(signedIn.cookie !== undefined && { cookie: signedIn.cookie }),
  };
}

export function signInRoutes({ sessions }: { sessions: Sessions }): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/v1/sign-in',
      summary: 'Sign in, to Keyswitch itself or as the current user of an app',
      access: 'anyone',
      body: signInSchema,
      answer: authenticationSchema,
      errors: [
        'sign-in-refused',
        'password-change-required',
        'too-many-tries',
        'busy',
        'storage-full',
        'not-found',
        'invalid-input',
      ],
      async handle({ body: { username, password, appId, presentation }, caller }) {
        const signedIn = await sessions.signIn({
          credential: { kind: 'password', username, password },
          appId: appId ?? null,
          presentation,
          door: applicant(caller, presentation),
        });
        return answerSignedIn(sessions, signedIn, caller);
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/password-change',
      summary: 'Replace a password with the ticket of a sign-in that asked for it, and finish that sign-in',
      access: 'anyone',
      body: passwordChangeSchema,
      answer: authenticationSchema,
      errors: [
        'ticket-invalid',
        'password-unacceptable',
        'sign-in-refused',
        'busy',
        'storage-full',
        'invalid-input',
      ],
      handle: async ({ body, caller }) =>
        answerSignedIn(
          sessions,
          await sessions.changePassword(body.ticket, body.newPassword, caller.actor),
          caller,
        ),
    }),
  ];
}
