/** What a route is: its place in the API, who may call it, what goes in and comes out, and the one function behind. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { KeyswitchError, type ErrorCode } from '../errors.ts';
import { COOKIE_NAME, orAnonymous, type Caller, type Identify } from './caller.ts';
import { check } from './faults.ts';

/** `session`: any live session. `administrator`: a session of an Admin user, or the command line. */
export type Access = 'anyone' | 'session' | 'administrator';

export interface Answer {
  readonly status: 200 | 201 | 204 | 503;
  readonly body?: unknown;
  /** The body as JSON text already, in the place of `body`. */
  readonly text?: string;
  /** Sets the session cookie, or clears it (null). */
  readonly cookie?: string | null;
  /** A file in the place of a body. */
  readonly download?: Download;
  /** How long anyone may keep the answer; left out: nobody, not for a moment. Seconds. */
  readonly cacheSec?: number;
}

/** A file that is made while it is sent. */
export interface Download {
  readonly type: string;
  /** ASCII, without quotes. */
  readonly fileName: string;
  /** Asked for the next piece when the last one has left. */
  readonly pieces: AsyncIterable<string>;
}

/** The parameters of a query as they came, where a route does not check them. */
export type AnyQuery = Readonly<Record<string, string | undefined>>;

export interface Call<Body, Params, Query = AnyQuery> {
  readonly body: Body;
  readonly params: Params;
  readonly query: Query;
  readonly caller: Caller;
}

interface Description {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With parameters in braces, as OpenAPI writes them: `/api/v1/apps/{appId}/state`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  readonly answer?: z.ZodType;
  /** Of the file that it answers with, in the place of `answer`. */
  readonly mediaTypes?: readonly string[];
  readonly errors?: readonly ErrorCode[];
}

export interface Route extends Description {
  readonly body?: z.ZodType;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  handle(call: Call<unknown, unknown, unknown>): Answer | Promise<Answer>;
}

/** Declares a route with the types of its schemas. */
export function defineRoute<Body = undefined, Params = undefined, Query = AnyQuery>(
  route: Description & {
    readonly body?: z.ZodType<Body>;
    readonly params?: z.ZodType<Params>;
    readonly query?: z.ZodType<Query>;
    handle(call: Call<Body, Params, Query>): Answer | Promise<Answer>;
  },
): Route {
  return route as Route;
}

/** Makes the Express handler of a route: identify, check, call, render. */
export function handlerOf(route: Route, identify: Identify): RequestHandler {
  const run = (request: Request, response: Response, caller: Caller): void | Promise<void> => {
    checkAccess(route.access, caller);
    const answer = route.handle({
      body: route.body === undefined ? undefined : parse(route.body, request.body, 'body'),
      params: route.params === undefined ? undefined : parse(route.params, request.params, 'path'),
      // Parsed anew at each look, and few routes look.
      get query() {
        return route.query === undefined ? request.query : parse(route.query, request.query, 'query');
      },
      caller,
    });
    return answer instanceof Promise
      ? answer.then((settled) => send(response, settled))
      : send(response, answer);
  };
  // What is in memory is answered in the same turn of the loop: a poll costs no promise.
  const identifyFor = route.access === 'anyone' ? orAnonymous(identify) : identify;
  return (request, response) => {
    const caller = identifyFor(request);
    return caller instanceof Promise
      ? caller.then((identified) => run(request, response, identified))
      : run(request, response, caller);
  };
}

function checkAccess(access: Access, { session, isAdministrator }: Caller): void {
  if (access === 'anyone' || (access === 'administrator' && isAdministrator)) return;
  if (session === null) throw new KeyswitchError('not-signed-in');
  if (access === 'administrator') throw new KeyswitchError('forbidden');
}

/** Checks `value` against `schema`, or throws `invalid-input` with every fault, each by its field. */
export function parse<Value>(schema: z.ZodType<Value>, value: unknown, whole: string): Value {
  const result = check(schema, value, whole);
  if ('data' in result) return result.data;
  const { faults } = result;
  const text = faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new KeyswitchError('invalid-input', text, { faults });
}

function send(
  response: Response,
  { status, body, text = JSON.stringify(body), cookie, cacheSec, download }: Answer,
): void | Promise<void> {
  if (cookie !== undefined) response.setHeader('Set-Cookie', cookieHeader(cookie));
  response.statusCode = status;
  response.setHeader('Cache-Control', cacheSec === undefined ? 'no-store' : `public, max-age=${cacheSec}`);
  if (download !== undefined) return sendDownload(response, download);
  if (text === undefined) {
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** Sends piece by piece, no faster than the client takes them; a client that has left is no fault. */
async function sendDownload(response: Response, { type, fileName, pieces }: Download): Promise<void> {
  const source = pieces[Symbol.asyncIterator]();
  // Before the head: what fails at once is answered as any other failure.
  const first = await source.next();
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Disposition', `attachment; filename="${fileName}"`);
  if (response.req.method === 'HEAD') {
    response.end();
    return;
  }
  async function* all(): AsyncGenerator<string> {
    for (let next = first; next.done !== true; next = await source.next()) yield next.value;
  }
  await pipeline(Readable.from(all(), { objectMode: false }), response).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

/** Refuses whatever comes, and names the methods that the path has (RFC 9110 section 15.5.6). */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allowed = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  return (_request, response) => {
    response.setHeader('Allow', allowed.join(', '));
    throw new KeyswitchError('method-not-allowed', `This path answers ${allowed.join(', ')}.`);
  };
}

/** No Max-Age: the host decides when the session ends, and a closed browser forgets it. */
function cookieHeader(secret: string | null): string {
  const attributes = 'Path=/; HttpOnly; Secure; SameSite=Strict';
  return secret === null
    ? `${COOKIE_NAME}=; ${attributes}; Max-Age=0`
    : `${COOKIE_NAME}=${secret}; ${attributes}`;
}
