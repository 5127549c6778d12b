/** iAuth's `/api/Token`: sign in to an app or to iAuth itself, poll, sign out. */
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import type { Apps } from '../../apps/apps.ts';
import { isKeyswitchError, KeyswitchError } from '../../errors.ts';
import { anonymousActor } from '../../http/caller.ts';
import { jsonBody } from '../../http/body.ts';
import { guidSchema, signInSchema } from '../../http/contract.ts';
import { methodNotAllowed, parse } from '../../http/route.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { NOBODY, toAuthentication, type IAuthAuthentication } from './authentication.ts';

export interface IAuthNeeds {
  readonly sessions: Sessions;
  readonly apps: Apps;
}

const { username, password } = signInSchema.shape;
const ownSignIn = z.object({ username, password });
const appSignIn = z.object({ username, password, appid: guidSchema });

/** iAuth's model binder took field names in any letter case. */
function lowerCaseKeys(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key.toLowerCase(), value]));
}

export function iauthTokenRoutes({ sessions, apps }: IAuthNeeds, maxBodyBytes: number): Router {
  const router = Router();
  const json = jsonBody(maxBodyBytes);

  async function signIn(
    request: Request,
    { username, password }: { username: string; password: string },
    appId: string | null,
  ): Promise<IAuthAuthentication> {
    try {
      const { session, accessToken } = await sessions.signIn({
        credential: { kind: 'password', username, password },
        appId,
        presentation: 'token',
        door: anonymousActor(request, 'iauth'),
      });
      return toAuthentication(session, accessToken ?? null);
    } catch (error) {
      // Its clients know one refusal, and it is no error to them. An overloaded host is (503).
      if (isKeyswitchError(error) && REFUSALS.has(error.code)) return NOBODY;
      throw error;
    }
  }

  router.put('/api/Token/iAuth', ...json, async (request, response) => {
    const body = parse(ownSignIn, lowerCaseKeys(request.body), 'body');
    answer(response, await signIn(request, body, null));
  });
  router.all('/api/Token/iAuth', methodNotAllowed(['PUT']));
  router.put('/api/Token', ...json, async (request, response) => {
    const body = parse(appSignIn, lowerCaseKeys(request.body), 'body');
    answer(response, await signIn(request, body, body.appid));
  });
  router.all('/api/Token', methodNotAllowed(['PUT']));
  router.get('/api/Token/:appId', async (request, response) => {
    const appId = existing(request.params.appId);
    const session = sessions.ofApp(appId);
    const key = request.get('X-App-Key');
    if (key !== undefined && !apps.keyMatches(appId, key)) {
      throw new KeyswitchError('forbidden', "The X-App-Key header is not this app's key.");
    }
    const token = session !== null && key !== undefined ? await sessions.tokenOf(session) : null;
    answer(response, toAuthentication(session, token));
  });
  router.delete('/api/Token/:appId', async (request, response) => {
    const appId = existing(request.params.appId);
    await sessions.endAtApp(appId, 'signed-out', anonymousActor(request, 'iauth'));
    answer(response, NOBODY);
  });
  router.all('/api/Token/:appId', methodNotAllowed(['GET', 'DELETE']));
  return router;

  function existing(appId: string): string {
    const app = apps.byId(appId);
    if (app === null) throw new KeyswitchError('not-found', `No app has the id ${appId}.`);
    return app.id;
  }
}

const REFUSALS: ReadonlySet<string> = new Set([
  'sign-in-refused',
  'too-many-tries',
  'password-change-required',
  'not-found',
]);

function answer(response: Response, authentication: IAuthAuthentication): void {
  response.setHeader('Cache-Control', 'no-store');
  response.json(authentication);
}
