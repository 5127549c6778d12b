/** Jube's `/api/Authentication`: sign in, replacing a password on the way where asked to, and replace one's own. */
import { Router, type Request } from 'express';
import { z } from 'zod';
import { invalidInput, isKeyswitchError, KeyswitchError } from '../../errors.ts';
import { jsonBody } from '../../http/body.ts';
import { anonymousActor, type Identify } from '../../http/caller.ts';
import { signInSchema } from '../../http/contract.ts';
import { methodNotAllowed, parse } from '../../http/route.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { renderRefusal } from './answers.ts';
import type { JubeTokens } from './tokens.ts';
import { cookieTokenIn, sendToken } from './wire.ts';

export interface JubeRoutesNeeds {
  readonly sessions: Sessions;
  readonly tokens: JubeTokens;
  readonly clock: Clock;
  readonly identify: Identify;
  /** The session of a token of Jube's kind, where the request has one. */
  sessionOf(request: Request): Session | null;
}

const { username: userName, password } = signInSchema.shape;
/** Its page sends every field, those that are not filled in as an empty text or null. */
const notFilledIn = z.union([z.literal(''), z.null()]).transform(() => undefined);
const newText = z.union([notFilledIn, password]).optional();
const signInBody = z.object({
  userName,
  password,
  newPassword: newText,
  repeatNewPassword: newText,
  passwordChangeState: z.boolean().nullish(),
});
const changeBody = z.object({ password, newPassword: password });

type SignInBody = z.output<typeof signInBody>;

export function authenticationRoutes(needs: JubeRoutesNeeds, maxBodyBytes: number): Router {
  const { sessions, tokens, clock, identify, sessionOf } = needs;
  const router = Router();
  const json = jsonBody(maxBodyBytes);

  router.post('/api/Authentication/ByUserNamePassword', ...json, async (request, response) => {
    const body = parse(signInBody, fieldsOf(signInBody, request.body), 'body');
    const session = await signIn(request, body, wantedPassword(body));
    const issued = await tokens.issue(session);
    response.setHeader('Cache-Control', 'no-store');
    sendToken(response, issued, clock.now());
    response.json({ token: issued.token, expiration: new Date(issued.expiresAt).toISOString() });
  });
  router.all('/api/Authentication/ByUserNamePassword', methodNotAllowed(['POST']));

  router.post('/api/Authentication/ChangePassword', ...json, async (request, response) => {
    // The original let anyone try passwords here, uncounted.
    const { session, actor } = await identify(request);
    if (session === null) throw new KeyswitchError('not-signed-in');
    const body = parse(changeBody, fieldsOf(changeBody, request.body), 'body');
    await sessions.changeOwnPassword(session, body.password, body.newPassword, actor);
    response.setHeader('Cache-Control', 'no-store');
    response.status(200).end();
  });
  router.all('/api/Authentication/ChangePassword', methodNotAllowed(['POST']));
  router.use(renderRefusal);
  return router;

  async function signIn(request: Request, body: SignInBody, newPassword: string | null): Promise<Session> {
    const session = await openSession(request, body, newPassword);
    // A browser has one session here: the one it had before gives way to the new one (ASVS 7.2.4).
    const former = cookieTokenIn(request) === null ? null : sessionOf(request);
    if (former !== null) await sessions.end(former.id, 'replaced', actorOf(request, former.user.name));
    return session;
  }

  async function openSession(
    request: Request,
    { userName, password }: SignInBody,
    newPassword: string | null,
  ): Promise<Session> {
    const door = anonymousActor(request, 'jube');
    const credential = { kind: 'password', username: userName, password } as const;
    try {
      const { session } = await sessions.signIn({ credential, appId: null, presentation: 'cookie', door });
      if (newPassword !== null) await replaceAtOnce(request, session, password, newPassword);
      return session;
    } catch (error) {
      const mayChange = newPassword !== null && isKeyswitchError(error, 'password-change-required');
      if (!mayChange || error.ticket === undefined) throw error;
      return (await sessions.changePassword(error.ticket, newPassword, door)).session;
    }
  }

  /** The password was still good, and its user wants another one: signed in with the new one, or not at all. */
  async function replaceAtOnce(
    request: Request,
    session: Session,
    password: string,
    newPassword: string,
  ): Promise<void> {
    const actor = actorOf(request, session.user.name);
    try {
      await sessions.changeOwnPassword(session, password, newPassword, actor);
    } catch (error) {
      await sessions.end(session.id, 'signed-out', actor);
      throw error;
    }
  }
}

function actorOf(request: Request, name: string) {
  return { ...anonymousActor(request, 'jube'), name };
}

/** The password to replace the present one with, or null; what cannot be meant is refused before anyone is asked for. */
function wantedPassword({ passwordChangeState, newPassword, repeatNewPassword }: SignInBody): string | null {
  if (passwordChangeState !== true) return null;
  if (newPassword === undefined) throw invalidInput('newPassword', 'must be given');
  if (newPassword !== repeatNewPassword) {
    throw invalidInput('repeatNewPassword', 'must be the same as newPassword');
  }
  return newPassword;
}

/** Picks the fields of `schema` from a body that spells them in any letter case, as the original's binder did. */
function fieldsOf(schema: z.ZodObject, body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const spelling = new Map(Object.keys(schema.shape).map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(body).flatMap(([key, value]) => {
      const name = spelling.get(key.toLowerCase());
      return name === undefined ? [] : [[name, value]];
    }),
  );
}
