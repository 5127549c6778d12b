/** Sessions: the caller's own, and for administrators everyone's. */
import { z } from 'zod';
import { KeyswitchError } from '../../errors.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import {
  authenticationSchema,
  endedSchema,
  endOthersSchema,
  refreshSchema,
  sessionAnswerSchema,
  sessionListSchema,
} from '../contract.ts';
import { defineRoute, type Route } from '../route.ts';
import { viewAuthentication, viewSession, viewSessionListItem } from '../views.ts';

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
      path: '/api/v1/lock',
      summary:
        "End the caller's own session because the screen is left; the page keeps its place for the same user",
      access: 'session',
      errors: ['not-signed-in'],
      async handle({ caller }) {
        await sessions.end(present(caller.session).id, 'screen-locked', caller.actor);
        return { status: 204, cookie: null };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/v1/sessions',
      summary: "The caller's live sessions, newest first; for administrators everyone's with ?all=true",
      access: 'session',
      query: z.strictObject({ all: z.enum(['true', 'false']).optional() }),
      answer: sessionListSchema,
      errors: ['not-signed-in', 'forbidden'],
      handle({ caller, query }) {
        const own = present(caller.session);
        const everyone = query.all === 'true';
        if (everyone && !caller.isAdministrator) throw new KeyswitchError('forbidden');
        const shown = sessions.list().filter(({ user }) => everyone || user.id === own.user.id);
        const body = shown
          .sort((a, b) => b.openedAt - a.openedAt)
          .map((session) => viewSessionListItem(session, own, sessions));
        return { status: 200, body };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/v1/sessions/{sessionId}',
      summary: "End a session: one of the caller's own, or as an administrator anyone's",
      access: 'session',
      params: z.object({ sessionId: z.string().max(64) }),
      errors: ['not-signed-in', 'not-found'],
      async handle({ caller, params }) {
        const own = present(caller.session);
        const session = sessions.byId(params.sessionId);
        const isOwn = session?.user.id === own.user.id;
        // Whose session an id is, or whether it is one, is nobody else's business.
        if (session === null || !(isOwn || caller.isAdministrator)) {
          throw new KeyswitchError('not-found', 'No live session of yours has this id.');
        }
        if (session.id === own.id) {
          await sessions.end(session.id, 'signed-out', caller.actor);
          return { status: 204, cookie: null };
        }
        await sessions.end(session.id, isOwn ? 'ended-by-owner' : 'ended-by-administrator', caller.actor);
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/v1/sessions/end-others',
      summary: 'End every session but this one: of the caller, or as an administrator of everyone',
      access: 'session',
      body: endOthersSchema,
      answer: endedSchema,
      errors: ['not-signed-in', 'forbidden', 'invalid-input'],
      async handle({ caller, body }) {
        const own = present(caller.session);
        if (body.whose === 'everyone' && !caller.isAdministrator) throw new KeyswitchError('forbidden');
        const whose = body.whose === 'everyone' ? 'everyone' : { userId: own.user.id };
        return { status: 200, body: { ended: await sessions.endOthers(whose, own.id, caller.actor) } };
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
