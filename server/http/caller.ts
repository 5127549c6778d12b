/** Who sends a request: by bearer token, by cookie, or by the key that only this machine's administrator can read. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Actor, DoorName } from '../audit/audit.ts';
import { isKeyswitchError, KeyswitchError } from '../errors.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';

/** `__Host-`: bound to this very host, HTTPS only, whole site (RFC 6265bis section 4.1.3.2). */
export const COOKIE_NAME = '__Host-keyswitch';

export interface Caller {
  /** Null for an anonymous caller and for the command line. */
  readonly session: Session | null;
  readonly isAdministrator: boolean;
  readonly actor: Actor;
}

const SCHEME = 'bearer ';

export type Identify = (request: IncomingMessage) => Caller | Promise<Caller>;

/** A session that someone else has found for a request, and the door it came by. */
export interface Guest {
  readonly session: Session;
  readonly door: DoorName;
}

export interface CallerNeeds {
  readonly sessions: Sessions;
  /** Asked where our own tokens and cookie tell of nobody: another wire format may have ways of its own. */
  readonly guestOf?: (request: IncomingMessage) => Guest | null;
  /** The running host's own key, in a file that only its account can read: the command line's way in. */
  readonly controlKey: string;
}

/** Makes the function that names the caller; a presented token that is no good is `not-signed-in`, never "anonymous". */
export function createIdentify({ sessions, guestOf = () => null, controlKey }: CallerNeeds): Identify {
  const control = Buffer.from(controlKey);

  function isControlKey(token: string): boolean {
    // Its length is no secret, and tells it from an access token without any cryptography.
    return token.length === control.length && timingSafeEqual(Buffer.from(token), control);
  }

  function ofSession(session: Session, request: IncomingMessage, door: DoorName): Caller {
    return {
      session,
      isAdministrator: session.user.type === 'Admin',
      // Only what is recorded asks for it; a poll does not.
      get actor() {
        return { name: session.user.name, door, address: addressOf(request) };
      },
    };
  }

  return (request) => {
    const token = bearerToken(request);
    if (token !== null) {
      if (isControlKey(token)) return commandLine(request);
      const guest = guestOf(request);
      if (guest !== null) return ofSession(guest.session, request, guest.door);
      const session = sessions.byAccessToken(token);
      return session instanceof Promise
        ? session.then((found) => ofSession(found, request, 'api'))
        : ofSession(session, request, 'api');
    }
    const session = sessionOfCookie(request, sessions);
    if (session === null) {
      const guest = guestOf(request);
      return guest === null ? anonymous(request) : ofSession(guest.session, request, guest.door);
    }
    // At an app its page tells of activity, and at the station the PC: what a page asks by itself keeps nobody there.
    if (session.kind === 'browser') sessions.touch(session.id);
    return ofSession(session, request, 'page');
  };
}

/** Takes a token that is no good for none: a client that refreshes or signs in may still send its last one along. */
export function orAnonymous(identify: Identify): Identify {
  const otherwise = (request: IncomingMessage, error: unknown): Caller => {
    if (isKeyswitchError(error, 'not-signed-in')) return anonymous(request);
    throw error;
  };
  return (request) => {
    try {
      const caller = identify(request);
      return caller instanceof Promise ? caller.catch((error: unknown) => otherwise(request, error)) : caller;
    } catch (error) {
      return otherwise(request, error);
    }
  };
}

function commandLine(request: IncomingMessage): Caller {
  const actor: Actor = { name: 'command line', door: 'command-line', address: addressOf(request) };
  return { session: null, isAdministrator: true, actor };
}

function anonymous(request: IncomingMessage): Caller {
  return { session: null, isAdministrator: false, actor: anonymousActor(request, 'api') };
}

export function anonymousActor(request: IncomingMessage, door: DoorName): Actor {
  return { name: 'anonymous', door, address: addressOf(request) };
}

/** The peer's address, IPv4 without its IPv6 mapping (`::ffff:`). */
export function addressOf(request: IncomingMessage): string | null {
  return request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? null;
}

/** The live session of the request's cookie, or null. */
export function sessionOfCookie(request: IncomingMessage, sessions: Sessions): Session | null {
  const secret = cookieOf(request);
  return secret === null ? null : sessions.byCookie(secret);
}

/** Whether the request presents a token, good or not; then its cookie does not count. */
export function isBearer(request: IncomingMessage): boolean {
  return request.headers.authorization !== undefined;
}

/** The live session that the request's token names, or null. */
export async function sessionOfToken(request: IncomingMessage, sessions: Sessions): Promise<Session | null> {
  try {
    const token = bearerToken(request);
    return token === null ? null : await sessions.byAccessToken(token);
  } catch (error) {
    if (isKeyswitchError(error, 'not-signed-in')) return null;
    throw error;
  }
}

/** The secret in the request's cookie, whether it is any good or not. */
export function cookieOf(request: IncomingMessage): string | null {
  return cookieNamed(request, COOKIE_NAME);
}

/** The value of the first cookie of this name, or null. */
export function cookieNamed(request: IncomingMessage, wanted: string): string | null {
  for (const pair of request.headers.cookie?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === wanted && value !== undefined) return value;
  }
  return null;
}

/** The token after `Bearer` (RFC 6750 section 2.1); another scheme, or something that is no token, is `not-signed-in`. */
function bearerToken(request: IncomingMessage): string | null {
  const header = request.headers.authorization;
  if (header === undefined) return null;
  const token = header.slice(SCHEME.length).trim();
  if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME || !/^[\x21-\x7e]+$/.test(token)) {
    throw new KeyswitchError('not-signed-in');
  }
  return token;
}

/**
 * Tells whether a browser says that the request comes from a page that is neither ours nor trusted (Fetch
 * Metadata; the Origin header, RFC 6454). Programs that are no browsers send neither header.
 */
export function isFromForeignPage(request: IncomingMessage, trustedOrigins: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin !== undefined) return origin !== `https://${host}` && !trustedOrigins.includes(origin);
  const site = request.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}
