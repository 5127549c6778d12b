/** The HTTP door, as a table of contents: what every request passes, then who answers which path. */
import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Handler, type Router } from 'express';
import helmet from 'helmet';
import { KeyswitchError } from '../errors.ts';
import type { Log } from '../ports/log.ts';
import { jsonBody } from './body.ts';
import { isFromForeignPage, type Identify } from './caller.ts';
import { pages } from './pages.ts';
import { problemOf } from './problem.ts';
import { handlerOf, methodNotAllowed, type Route } from './route.ts';

export interface HttpNeeds {
  readonly routes: readonly Route[];
  /** Passed by every request before the routes, for callers that come in another wire format. */
  readonly guests?: readonly Handler[];
  readonly dialects: readonly Router[];
  /** Paths whose browser client asks for credentials, whether it has any or not. */
  readonly withCredentials?: readonly string[];
  readonly identify: Identify;
  readonly log: Log;
}

export interface HttpOptions {
  readonly maxBodyBytes: number;
  readonly swagger: boolean;
  readonly trustedOrigins: readonly string[];
  readonly version: string;
}

export function createHttpApp(needs: HttpNeeds, options: HttpOptions): Express {
  const { routes, guests = [], dialects, withCredentials = [], identify, log } = needs;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');

  app.use(inTurn(securityHeaders(), onlyFromOurPages(options.trustedOrigins, withCredentials), ...guests));
  for (const route of routes) mount(app, route, identify, options.maxBodyBytes);
  for (const dialect of dialects) app.use(dialect);
  refuseOtherMethods(app, routes);
  app.use(pages(routes, options));
  app.use(nothingHere);
  app.use(renderProblem(log));
  return app;
}

/** One handler of several: every request passes here, and Express takes its time for each that it knows of. */
function inTurn(...handlers: readonly Handler[]): Handler {
  return (request, response, next) => {
    const go = (index: number): void => {
      const handler = handlers[index];
      if (handler === undefined) {
        next();
        return;
      }
      void handler(request, response, (error?: unknown) => (error ? next(error) : go(index + 1)));
    };
    go(0);
  };
}

/** helmet's defaults, with a policy that admits this host's own files alone. */
function securityHeaders(): Handler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // It would bind every port of this machine's name to HTTPS, and an HMI's own plain pages with them.
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  });
}

const ALLOWED_HEADERS = 'Authorization, Content-Type, X-App-Key, X-Requested-With, X-SignalR-User-Agent';

/** No page of another site changes anything here; origins that are trusted get the CORS headers they need. */
function onlyFromOurPages(trustedOrigins: readonly string[], withCredentials: readonly string[]): Handler {
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin !== undefined && trustedOrigins.includes(origin)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Expose-Headers', 'Retry-After');
      response.setHeader('Vary', 'Origin');
      // Elsewhere a trusted page must not borrow the session of whoever looks at it.
      if (withCredentials.some((path) => isAtOrBelow(path, request.path))) {
        response.setHeader('Access-Control-Allow-Credentials', 'true');
      }
      if (request.method === 'OPTIONS') {
        response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, PATCH, DELETE');
        response.setHeader('Access-Control-Allow-Headers', ALLOWED_HEADERS);
        response.status(204).end();
        return;
      }
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (!reads && isFromForeignPage(request, trustedOrigins)) throw new KeyswitchError('cross-site');
    next();
  };
}

/** As Express matches paths: letter case does not count. */
function isAtOrBelow(base: string, path: string): boolean {
  return `${path}/`.toLowerCase().startsWith(`${base}/`.toLowerCase());
}

function mount(app: Express, route: Route, identify: Identify, maxBodyBytes: number): void {
  const handlers: Handler[] = [];
  if (route.body !== undefined) handlers.push(...jsonBody(maxBodyBytes));
  app[route.method](expressPath(route.path), ...handlers, handlerOf(route, identify));
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

/** RFC 9110 section 15.5.6: a known path with another method names the methods it has. */
function refuseOtherMethods(app: Express, routes: readonly Route[]): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) {
    methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()]);
  }
  for (const [path, allowed] of methods) app.all(expressPath(path), methodNotAllowed(allowed));
}

const nothingHere: Handler = (request) => {
  throw new KeyswitchError('not-found', `Nothing is at ${request.path}.`);
};

function renderProblem(log: Log): ErrorRequestHandler {
  // Express knows it for an error handler by its four parameters.
  return (error, request, response, _next) => {
    if (response.headersSent) {
      log.error({ err: error, method: request.method, path: request.path }, 'an answer broke off');
      // A cut connection is the only way left to say that this was not all.
      response.destroy();
      return;
    }
    const reference = randomUUID();
    const { status, headers, body } = problemOf(error, reference);
    if (status === 500) {
      log.error({ err: error, reference, method: request.method, path: request.path }, 'a request failed');
    }
    response.status(status).set(headers).set('Cache-Control', 'no-store');
    response.type('application/problem+json').send(JSON.stringify(body));
  };
}
