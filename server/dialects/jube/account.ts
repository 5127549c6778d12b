/** Jube's `GET /Account/Logout`: a link in a menu, so that it has to be a GET. */
import { Router, type Request } from 'express';
import { anonymousActor, isFromForeignPage, sessionOfCookie } from '../../http/caller.ts';
import { methodNotAllowed } from '../../http/route.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { clearToken } from './wire.ts';

const SIGN_IN_PAGE = '/';

export interface AccountNeeds {
  readonly sessions: Sessions;
  sessionOf(request: Request): Session | null;
}

export function accountRoutes({ sessions, sessionOf }: AccountNeeds): Router {
  const router = Router();
  router.get('/Account/Logout', async (request, response) => {
    // Whoever is not signed in goes to the sign-in page; so does a link on another site, which must end nothing.
    if (!isFromForeignPage(request, [])) {
      // A browser may be signed in on our pages as well: out is out.
      for (const session of [sessionOf(request), sessionOfCookie(request, sessions)]) {
        if (session === null) continue;
        const actor = { ...anonymousActor(request, 'jube'), name: session.user.name };
        await sessions.end(session.id, 'signed-out', actor);
      }
      clearToken(response);
    }
    response.setHeader('Cache-Control', 'no-store');
    response.redirect(302, SIGN_IN_PAGE);
  });
  router.all('/Account/Logout', methodNotAllowed(['GET']));
  return router;
}
