/** PLC links as the desktop names them: which are in trouble, and what each is called. */
import { s7Name } from '../../server/plc/address.ts';
import { formatHostAndPort, parseConnectionString } from '../../server/plc/connection-string.ts';
import type { LinkStatus } from '../../server/plc/link.ts';

const ISO_ON_TCP_PORT = 102;

/** Whether the PLC is away, or refuses what the link needs; a first attempt is not decided yet. */
export function isTroubled({ state }: Pick<LinkStatus, 'state'>): boolean {
  return state === 'backing-off' || state === 'degraded';
}

/** `HMI 1 (10.0.0.5, DB250.DBW188)`; the port only where it is another than usual. */
export function nameOf(
  { connection, area, address }: Pick<LinkStatus, 'connection' | 'area' | 'address'>,
  appName: string,
): string {
  const peer = parseConnectionString(connection);
  const place = peer.port === ISO_ON_TCP_PORT ? peer.host : formatHostAndPort(peer);
  return `${appName} (${place}, ${s7Name(area, address)})`;
}
