/** The HTTPS listener: one port for pages, API and WebSocket, its certificate exchanged while it runs. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { KeyswitchError } from '../errors.ts';
import { tlsOptions, type Tls } from './tls.ts';

/** A client that dribbles its request must not hold a connection for ever (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Pollers ask every few seconds; keeping them connected spares a TLS handshake each time. */
const KEEP_ALIVE_MS = 65_000;
/** How soon a connection is closed whose answer was the last before the server stops. */
const SWEEP_MS = 20;

export interface HttpsServer {
  /** For the doors that take connections over. */
  readonly server: Server;
  /** Listens and resolves with the URL a browser on this machine uses; `port-in-use` or `address-unavailable`. */
  listen(host: string, port: number): Promise<string>;
  /** Stops accepting, lets what is under way finish for a moment, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

export function createHttpsServer(tls: Tls, listener: RequestListener): HttpsServer {
  const server = createServer(
    {
      ...tlsOptions(tls.credentials()),
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Of two `Authorization` headers Node would take the first, a proxy perhaps the last: together they are neither.
      joinDuplicateHeaders: true,
    },
    listener,
  );
  tls.onChange((credentials) => server.setSecureContext(tlsOptions(credentials)));
  // The server itself knows neither those whose handshake is under way nor those that a WebSocket has taken over.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });

  return {
    server,
    async listen(host, port) {
      server.listen({ host, port });
      try {
        await once(server, 'listening');
      } catch (error) {
        throw listenFailure(error as NodeJS.ErrnoException, host, port);
      }
      const address = server.address() as AddressInfo;
      return `https://${reachable(host)}:${address.port}`;
    },
    async close(graceMs) {
      if (!server.listening) return;
      const closed = once(server, 'close');
      // Closes the idle ones; those that fall idle from now on are looked for.
      server.close();
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const force = setTimeout(() => {
        for (const socket of connections) socket.destroy();
      }, graceMs);
      await closed;
      clearInterval(sweep);
      clearTimeout(force);
    },
  };
}

function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): KeyswitchError {
  const at = `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new KeyswitchError(
        'port-in-use',
        `Another program listens on ${at}. Stop it, or set http.port.`,
        {
          cause: error,
        },
      );
    case 'EACCES':
      return new KeyswitchError(
        'port-in-use',
        `Port ${port} needs more rights than this account has. Set http.port to 1024 or more.`,
        { cause: error },
      );
    default:
      return new KeyswitchError(
        'address-unavailable',
        `Cannot listen on ${at} (${error.code ?? error.message}). Set http.host to an address of this machine.`,
        { cause: error },
      );
  }
}
