/** Who calls with a token of Jube's kind: found before any route is asked, so that it is good for every one of them. */
import type { IncomingMessage } from 'node:http';
import type { Handler, Request, Response } from 'express';
import { isKeyswitchError } from '../../errors.ts';
import { anonymousActor } from '../../http/caller.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Session } from '../../sessions/session.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { JubeTokens, Presented } from './tokens.ts';
import { beforeHead, repeatToken, sendToken, tokenIn } from './wire.ts';

export interface JubeCallers {
  /** Finds the caller of each request, and renews a token that has lived for a third of its life. */
  readonly meet: Handler;
  /** Whom `meet` has found. */
  sessionOf(request: IncomingMessage): Session | null;
}

export interface JubeCallersNeeds {
  readonly sessions: Sessions;
  readonly tokens: JubeTokens;
  readonly clock: Clock;
}

export interface JubeCallersOptions {
  /** The longest that a token made elsewhere keeps its user signed in. */
  readonly externalMaxMs: number;
}

/** How long a token that was refused is not tried again: a client that asks every second must not fill the audit trail. */
const REFUSED_FOR_MS = 300_000;
/** So many refused tokens are remembered. */
const MOST_REFUSED = 1000;

export function createJubeCallers(
  { sessions, tokens, clock }: JubeCallersNeeds,
  { externalMaxMs }: JubeCallersOptions,
): JubeCallers {
  const found = new WeakMap<IncomingMessage, Session>();
  /** Sign-ins under way, by token: of many first requests at once, one opens the session. */
  const opening = new Map<string, Promise<Session | null>>();
  /** Until when, on the monotonic clock, a token is not tried again. */
  const refused = new Map<string, number>();

  function sessionFor(
    token: string,
    presented: Presented,
    request: Request,
  ): Session | null | Promise<Session | null> {
    if (presented.kind === 'external') return external(token, presented, request);
    const session = sessions.byId(presented.sessionId);
    return session?.user.name === presented.username ? session : null;
  }

  function external(
    token: string,
    presented: Presented,
    request: Request,
  ): Session | null | Promise<Session | null> {
    const live = sessions.byCookie(token);
    if (live !== null) return live;
    if ((refused.get(token) ?? 0) > clock.monotonic()) return null;
    const started =
      opening.get(token) ?? open(token, presented, request).finally(() => opening.delete(token));
    opening.set(token, started);
    return started;
  }

  async function open(
    token: string,
    { username, expiresAt }: Presented,
    request: Request,
  ): Promise<Session | null> {
    try {
      const { session } = await sessions.signIn({
        credential: {
          kind: 'external',
          username,
          token,
          expiresAt: Math.min(expiresAt, clock.now() + externalMaxMs),
        },
        appId: null,
        presentation: 'none',
        door: anonymousActor(request, 'jube'),
      });
      return session;
    } catch (error) {
      if (!isKeyswitchError(error, 'sign-in-refused')) throw error;
      refuse(token);
      return null;
    }
  }

  function refuse(token: string): void {
    refused.delete(token);
    // A Map iterates in the order of insertion: the first key is the oldest.
    if (refused.size >= MOST_REFUSED) refused.delete(refused.keys().next().value as string);
    refused.set(token, clock.monotonic() + REFUSED_FOR_MS);
  }

  /** Answers with the token that came, or from a third of its life on with a new one, while the session lives. */
  async function answerWithToken(
    response: Response,
    token: string,
    { expiresAt }: Presented,
    session: Session,
  ): Promise<void> {
    const isRenewed = clock.now() >= tokens.renewableFrom(expiresAt);
    const next = isRenewed ? await tokens.issue(session) : null;
    beforeHead(response, () => {
      // The request itself may have ended it.
      if (sessions.byId(session.id) === null) return;
      if (next === null) repeatToken(response, token);
      else sendToken(response, next, clock.now());
    });
  }

  async function find(token: string, request: Request, response: Response): Promise<void> {
    const presented = await tokens.read(token);
    const session = presented === null ? null : await sessionFor(token, presented, request);
    if (presented === null || session === null) return;
    found.set(request, session);
    sessions.touch(session.id);
    // One that was made elsewhere is renewed there.
    if (presented.kind === 'own') await answerWithToken(response, token, presented, session);
  }

  return {
    meet(request, response, next) {
      const token = tokenIn(request);
      if (token === null) {
        next();
        return;
      }
      find(token, request, response).then(() => next(), next);
    },
    sessionOf: (request) => found.get(request) ?? null,
  };
}
