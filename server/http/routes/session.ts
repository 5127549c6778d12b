/** The caller's own session: seeing it, trading its refresh token, ending it. */
import { KeyswitchError } from '../../errors.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { authenticationSchema, refreshSchema, sessionAnswerSchema } from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewAuthentication, viewSession } from '../views.ts';

function present(session: Session | null): Session {
  if (session === null) throw new KeyswitchError('not-signed-in');
  return session;
}

export function sessionRoutes({ sessions }: { sessions: Sessions }): Route[] {
  // A poll asks for the same session again and again. The object is replaced with every change of the session, and
  // only an idle limit moves without one.
  const texts = new WeakMap<Session, string>();
  function textOf(session: Session): string {
    const known = texts.get(session);
    if (known !== undefined) return known;
    const view = viewSession(session, sessions);
    const text = JSON.stringify({ session: view });
    if (view.idleExpiresAt === null) texts.set(session, text);
    return text;
  }
  return [
    defineRoute({
      method: 'get',
      path: '/api/v1/session',
      summary: "The caller's own session",
      access: 'session',
      answer: sessionAnswerSchema,
      errors: ['not-signed-in'],
      handle: ({ caller }) => ({ status: 200, text: textOf(present(caller.session)) }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/sign-out',
      summary: "End the caller's own session",
      access: 'session',
      errors: ['not-signed-in'],
      async handle({ caller }) {
        await sessions.end(present(caller.session).id, 'signed-out', caller.actor);
        return { status: 204, cookie: null };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/refresh',
      summary:
        'Trade a refresh token for a new pair; each is good once, and using one twice ends the session',
      access: 'anyone',
      body: refreshSchema,
      answer: authenticationSchema,
      errors: ['not-signed-in', 'invalid-input'],
      handle: async ({ body, caller }) => ({
        status: 200,
        body: viewAuthentication(await sessions.refresh(body.refreshToken, caller.actor), sessions),
      }),
    }),
  ];
}
