/** The paths of a hub: negotiation, and what comes by each transport (TransportProtocols.md of dotnet/aspnetcore). */
import type { IncomingMessage } from 'node:http';
import express, { Router, type Request, type RequestHandler } from 'express';
import { invalidInput, isKeyswitchError, KeyswitchError } from '../../errors.ts';
import { addressOf, isFromForeignPage } from '../../http/caller.ts';
import { methodNotAllowed } from '../../http/route.ts';
import { CLOSE } from '../close-codes.ts';
import type { AcceptedSocket } from '../sockets.ts';
import type { Connection } from './connection.ts';
import { createConnections, type ConnectionsNeeds } from './connections.ts';
import type { Presented } from './hub.ts';
import { negotiated, readNegotiation, type Query } from './negotiate.ts';
import { LongPolling } from './transports/long-polling.ts';
import { carryByEvents } from './transports/server-sent-events.ts';
import { SocketTransport } from './transports/websockets.ts';

export interface HubEndpointOptions {
  readonly paths: readonly string[];
  /** Whether WebSockets are offered. */
  readonly webSockets: boolean;
  readonly trustedOrigins: readonly string[];
  readonly maxMessageBytes: number;
  readonly maxBehindSec: number;
}

export interface HubEndpoint {
  readonly routes: Router;
  /** Serves a WebSocket that was accepted at one of the paths. */
  serve(socket: AcceptedSocket): void;
  /** Tells all clients that the host stops, and that they may come back. */
  close(): void;
}

export function createHubEndpoint(needs: ConnectionsNeeds, options: HubEndpointOptions): HubEndpoint {
  const { hub, clock, log } = needs;
  const { maxMessageBytes, maxBehindSec, webSockets } = options;
  const connections = createConnections(needs, { maxMessageBytes, maxBehindMs: maxBehindSec * 1000 });
  const polls = new Map<string, LongPolling>();

  const negotiate: RequestHandler = async (request, response) => {
    const negotiation = readNegotiation(request.query, webSockets);
    const key = await hub.admit(presentedBy(request, request.query));
    response.setHeader('Cache-Control', 'no-store');
    if (negotiation === null) {
      // A refusal that the clients show as it is.
      response.json({ error: 'negotiateVersion is a number. Ask for version 0 or 1.' });
      return;
    }
    const { version, useStatefulReconnect: isStateful } = negotiation;
    const client = { key, isStateful, hasToken: version > 0, address: addressOf(request) };
    const connection = connections.negotiate(client);
    response.json(negotiated(negotiation, connection, webSockets));
  };

  const connect: RequestHandler = async (request, response) => {
    const token = tokenIn(request);
    const polling = polls.get(token);
    if (polling !== undefined) {
      polling.poll(response);
      return;
    }
    const connection = existing(token);
    connection.key = (await hub.admit(presentedBy(request, request.query))) ?? connection.key;
    if (request.headers.accept?.includes('text/event-stream') === true) carryByEvents(response, connection);
    else startPolling(token, connection).poll(response);
  };

  function startPolling(token: string, connection: Connection): LongPolling {
    const polling = new LongPolling(connection, { clock, onOver: () => polls.delete(token) });
    polls.set(token, polling);
    return polling;
  }

  const send: RequestHandler = (request, response) => {
    const body: unknown = request.body;
    const isTaken = existing(tokenIn(request)).takePosted(Buffer.isBuffer(body) ? body : Buffer.alloc(0));
    if (!isTaken) throw invalidInput('id', 'a connection by Server-Sent Events or long polling');
    response.setHeader('Cache-Control', 'no-store');
    response.end();
  };

  const hangUp: RequestHandler = (request, response) => {
    const token = tokenIn(request);
    if (!polls.has(token)) {
      existing(token);
      throw invalidInput('id', 'a connection by long polling');
    }
    connections.find(token)?.hangUp();
    response.status(202).end();
  };

  function existing(token: string): Connection {
    const connection = connections.find(token);
    if (connection === null)
      throw new KeyswitchError('not-found', 'No connection has this id. Negotiate again.');
    return connection;
  }

  async function accept(socket: AcceptedSocket): Promise<void> {
    const transport = new SocketTransport(socket);
    const query = queryOf(socket.request);
    const key = await hub.admit(presentedBy(socket.request, query));
    const { id: token } = query;
    const connection =
      token === undefined
        ? connections.open({ key, address: addressOf(socket.request) })
        : existing(String(token));
    connection.key = key ?? connection.key;
    transport.carry(connection);
  }

  function refuse(socket: AcceptedSocket, error: unknown): void {
    if (isKeyswitchError(error, 'not-signed-in')) socket.close(CLOSE.notSignedIn, error.message);
    else if (isKeyswitchError(error, 'not-found')) socket.close(CLOSE.unknownApp, error.message);
    else if (isKeyswitchError(error)) socket.close(CLOSE.badMessage, error.message);
    else {
      log.error({ err: error }, 'a SignalR client could not be served');
      socket.close(CLOSE.internal, 'the host could not answer');
    }
  }

  const foreignPages: RequestHandler = (request, _response, next) => {
    if (isFromForeignPage(request, options.trustedOrigins)) throw new KeyswitchError('cross-site');
    next();
  };

  const routes = Router();
  // As it is, whatever it is called: clients send text and bytes, and neither is more than messages may have.
  const body = express.raw({ type: () => true, limit: maxMessageBytes, inflate: false });
  for (const path of options.paths) {
    routes.use(path, foreignPages);
    routes.post(`${path}/negotiate`, negotiate);
    routes.all(`${path}/negotiate`, methodNotAllowed(['POST']));
    routes.head(path, methodNotAllowed(['GET', 'POST', 'DELETE']));
    routes.get(path, connect);
    routes.post(path, body, send);
    routes.delete(path, hangUp);
    routes.all(path, methodNotAllowed(['GET', 'POST', 'DELETE']));
  }

  return {
    routes,
    serve: (socket) => void accept(socket).catch((error: unknown) => refuse(socket, error)),
    close: connections.close,
  };
}

function tokenIn({ query: { id } }: Request): string {
  if (typeof id !== 'string' || id === '')
    throw invalidInput('id', 'the connection token of the negotiation');
  return id;
}

function queryOf({ url = '' }: IncomingMessage): Query {
  return Object.fromEntries(new URLSearchParams(url.split('?', 2)[1]));
}

/** The header goes before the query, which is for browsers: they cannot set headers of every request. */
function presentedBy({ headers }: IncomingMessage, { access_token: inQuery }: Query): Presented {
  const { authorization, 'x-app-key': appKey } = headers;
  const inHeader = authorization === undefined ? null : (/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '');
  return {
    accessToken: inHeader ?? (typeof inQuery === 'string' ? inQuery : null),
    appKey: typeof appKey === 'string' ? appKey : null,
  };
}
