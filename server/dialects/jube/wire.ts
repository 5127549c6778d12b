/** Where Jube's clients carry their token: a header, a cookie, or `Authorization: Bearer`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cookieNamed } from '../../http/caller.ts';
import { looksNamed } from '../../tokens/external.ts';
import type { Issued } from './tokens.ts';

/** Jube's text says `authenticate`, its program `authentication`: the first is sent, both are understood. */
const NAME = 'authenticate';
const NAMES = [NAME, 'authentication'] as const;

const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Strict';

/** How a native access token begins, scheme included: `{"alg":"ES256",` in base64url. */
const NATIVE = 'Bearer eyJhbGciOiJFUzI1NiIs';

/** The token of Jube's kind that a request carries, good or not; what is explicit goes before a cookie. */
export function tokenIn(request: IncomingMessage): string | null {
  // Most requests carry a native one, and every request passes here.
  if (request.headers.authorization?.startsWith(NATIVE)) return null;
  const token = explicitTokenIn(request) ?? cookieTokenIn(request);
  return token !== null && looksNamed(token) ? token : null;
}

function explicitTokenIn({ headers }: IncomingMessage): string | null {
  const { authorization } = headers;
  // Who says who they are by another scheme, or with a token of another kind, is not asked for a cookie.
  if (authorization !== undefined) return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
  const header = NAMES.map((name) => headers[name]).find((value) => value !== undefined);
  return typeof header === 'string' ? header : null;
}

export function cookieTokenIn(request: IncomingMessage): string | null {
  return NAMES.map((name) => cookieNamed(request, name)).find((value) => value !== null) ?? null;
}

/** Sends a new token, as header and as cookie. */
export function sendToken(response: ServerResponse, { token, expiresAt }: Issued, now: number): void {
  repeatToken(response, token);
  const maxAgeSec = Math.max(0, Math.floor((expiresAt - now) / 1000));
  response.appendHeader('Set-Cookie', `${NAME}=${token}; ${ATTRIBUTES}; Max-Age=${maxAgeSec}`);
}

/** Sends the token that came, for those who read it from every answer; their cookie stays as it is. */
export function repeatToken(response: ServerResponse, token: string): void {
  response.setHeader(NAME, token);
}

export function clearToken(response: ServerResponse): void {
  for (const name of NAMES) response.appendHeader('Set-Cookie', `${name}=; ${ATTRIBUTES}; Max-Age=0`);
}

/**
 * Does `work` when the head of the answer is complete but for it, where the answer carries no token yet and nobody
 * may keep it: a cache that keeps a file of a page must not keep a token with it.
 */
export function beforeHead(response: ServerResponse, work: () => void): void {
  const writeHead = response.writeHead.bind(response) as (...head: unknown[]) => ServerResponse;
  response.writeHead = (...head: unknown[]) => {
    if (response.getHeader('Cache-Control') === 'no-store' && !response.hasHeader(NAME)) work();
    return writeHead(...head);
  };
}
