/** The first message of each side: which encoding the rest is in; always JSON (HubProtocol.md, overview). */
import { RECORD_SEPARATOR } from './framing.ts';
import { jsonProtocol, readObject } from './json-protocol.ts';
import { messagePackProtocol } from './messagepack-protocol.ts';
import { hubFault, type HubProtocol } from './messages.ts';

export interface Handshake {
  readonly protocol: HubProtocol;
  /** From 2 on the client can reconnect with its state. */
  readonly version: number;
}

const PROTOCOLS: readonly HubProtocol[] = [jsonProtocol, messagePackProtocol];
const LATEST_VERSION = 2;

/** Reads what the client asks for; `hub-protocol` where that is not spoken here. */
export function readHandshake(message: Buffer): Handshake {
  const { protocol: name, version } = readObject(message);
  const protocol = PROTOCOLS.find((candidate) => candidate.name === name);
  if (protocol === undefined) throw hubFault('the first message names its protocol: json or messagepack');
  if (version !== 1 && version !== LATEST_VERSION) {
    throw hubFault(`the versions of the protocol are 1 and ${LATEST_VERSION}`);
  }
  return { protocol, version };
}

/** The answer to a good handshake. */
export const HANDSHAKE_DONE = `{}${RECORD_SEPARATOR}`;

/** The answer to any other, after which the connection ends. */
export function handshakeRefused(error: string): string {
  return JSON.stringify({ error }) + RECORD_SEPARATOR;
}
