/** The answer to a negotiation: which transports there are, and by which token the connection is known. */

/** The query of a request, as it came. */
export type Query = Readonly<Record<string, unknown>>;

export interface Negotiation {
  /** Of the negotiation itself; from 1 on the token is another one than the public id. */
  readonly version: 0 | 1;
  readonly useStatefulReconnect: boolean;
}

export interface Names {
  readonly id: string;
  /** The secret that stands for the connection. */
  readonly token: string;
}

const LATEST_VERSION = 1;

/** Reads what a client asks for, names in any letter case; null where its version is no number. */
export function readNegotiation(query: Query, isStatefulPossible: boolean): Negotiation | null {
  const asked = Object.fromEntries(Object.entries(query).map(([name, value]) => [name.toLowerCase(), value]));
  const { negotiateversion: version = '0', usestatefulreconnect: stateful } = asked;
  if (typeof version !== 'string' || !/^\d{1,9}$/.test(version)) return null;
  return {
    version: Number(version) >= LATEST_VERSION ? 1 : 0,
    useStatefulReconnect: isStatefulPossible && String(stateful).toLowerCase() === 'true',
  };
}

/** Renders the answer; in version 0 the token goes by the name of the id. */
export function negotiated(
  { version, useStatefulReconnect }: Negotiation,
  { id, token }: Names,
  hasWebSockets: boolean,
) {
  return {
    negotiateVersion: version,
    ...(version === 0 ? { connectionId: token } : { connectionId: id, connectionToken: token }),
    ...(useStatefulReconnect && { useStatefulReconnect }),
    availableTransports: [
      ...(hasWebSockets ? [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }] : []),
      { transport: 'ServerSentEvents', transferFormats: ['Text'] },
      { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
    ],
  };
}
