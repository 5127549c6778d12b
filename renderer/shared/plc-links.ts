/** PLC links in plain words. */
import type { LinkStatusView } from '../../server/http/contract.ts';
import type { ErrorCode } from '../../server/errors.ts';

const ISO_ON_TCP_PORT = ':102';

const TROUBLES = [
  'plc-unreachable',
  'plc-timeout',
  'plc-refused',
  'plc-value-invalid',
  'plc-write-unverified',
] as const satisfies readonly ErrorCode[];

/** The address people know: `10.0.0.5` of `Data Source=10.0.0.5:102,0,2`; the port only if it is another. */
export function plcAddress(connection: string): string {
  const peer = connection.replace(/^\s*Data Source\s*=\s*/i, '').split(',')[0] ?? connection;
  return peer.endsWith(ISO_ON_TCP_PORT) ? peer.slice(0, -ISO_ON_TCP_PORT.length) : peer;
}

export interface Trouble {
  /** Null where the host's own words have to do. */
  readonly key: `plc.${(typeof TROUBLES)[number]}` | null;
  readonly message: string;
  readonly at: string;
}

/** What is wrong now; a fault from before the link came online is over. */
export function linkTrouble({
  lastError,
  state,
  since,
}: Pick<LinkStatusView, 'lastError' | 'state' | 'since'>): Trouble | null {
  if (lastError === null || (state === 'online' && lastError.at < since)) return null;
  const code = TROUBLES.find((known) => known === lastError.code);
  return { key: code === undefined ? null : `plc.${code}`, message: lastError.message, at: lastError.at };
}
