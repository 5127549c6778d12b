/** The SignalR connections of this host: found by their secret token, looked after by one timer for all. */
import { KeyswitchError } from '../../errors.ts';
import { every, type CancelTimer } from '../../ports/clock.ts';
import { randomText, type Random } from '../../ports/random.ts';
import { Connection, type ConnectionNeeds, type ConnectionOptions, type Opening } from './connection.ts';

export interface Connections {
  /** Opens one that was negotiated; `busy` or `too-many-connections` where as many are open as may be. */
  negotiate(client: Negotiated): Connection;
  /** Opens one for a client that has a WebSocket already, and did not negotiate. */
  open(client: Client): Connection;
  find(token: string): Connection | null;
  /** Tells all clients that the host stops. */
  close(): void;
}

type Client = Pick<Opening, 'key' | 'address'>;

/** Without a token of its own the client knows its connection by the id alone, which then is the secret. */
type Negotiated = Client & { readonly isStateful: boolean; readonly hasToken: boolean };

export type ConnectionsNeeds = Omit<ConnectionNeeds, 'onClosed'> & { readonly random: Random };

/** 128 bits: nobody guesses one. */
const TOKEN_BYTES = 16;
const TICK_MS = 1000;

export function createConnections(
  { random, ...needs }: ConnectionsNeeds,
  options: ConnectionOptions,
): Connections {
  const connections = new Map<string, Connection>();
  let stopTicking: CancelTimer | null = null;
  const shared: ConnectionNeeds = { ...needs, onClosed: forget };

  function forget({ token }: Connection): void {
    connections.delete(token);
    if (connections.size > 0) return;
    stopTicking?.();
    stopTicking = null;
  }

  function tick(): void {
    const now = needs.clock.monotonic();
    for (const connection of connections.values()) connection.tick(now);
  }

  function add(opening: Omit<Opening, 'id' | 'token'>, hasToken: boolean): Connection {
    const token = randomText(random, TOKEN_BYTES);
    const id = hasToken ? randomText(random, TOKEN_BYTES) : token;
    const connection = new Connection(shared, options, { ...opening, id, token });
    connections.set(token, connection);
    stopTicking ??= every(needs.clock, TICK_MS, tick);
    return connection;
  }

  function takePlace(address: string | null): void {
    const outcome = needs.places.take(address);
    if (outcome === 'full')
      throw new KeyswitchError('busy', 'No further subscriber can be served. Try later.');
    if (outcome === 'full-for-address') throw new KeyswitchError('too-many-connections');
  }

  return {
    negotiate({ hasToken, ...client }) {
      takePlace(client.address);
      return add({ ...client, hasPlace: true }, hasToken);
    },
    open: (client) => add({ ...client, isStateful: false, hasPlace: false }, true),
    find: (token) => connections.get(token) ?? null,
    close() {
      for (const connection of [...connections.values()]) connection.stop();
    },
  };
}
