/** Reads and writes the connection string of a PLC: where it listens, and in which rack and slot its CPU sits. */
import { isIPv4, isIPv6 } from 'node:net';
import { invalidInput, type KeyswitchError } from '../errors.ts';

/** Where a PLC is reached: ISO-on-TCP (RFC 1006) at `host`:`port`, its CPU in `rack` and `slot`. */
export interface PlcEndpoint {
  /** An IPv4 address, an IPv6 address without brackets, or a host name in lower case. */
  readonly host: string;
  /** 1..65535; 102 is the port of ISO-on-TCP. */
  readonly port: number;
  /** 0..7. S7-300 sits in rack 0, slot 2; S7-1200 and S7-1500 in rack 0, slot 0 or 1. */
  readonly rack: number;
  /** 0..31. */
  readonly slot: number;
}

const ISO_ON_TCP_PORT = 102;
/** Rack and slot share one byte of the called TSAP: three bits and five. */
const RACK_LIMIT = 7;
const SLOT_LIMIT = 31;
const PORT_LIMIT = 65535;
const HOST_NAME_LIMIT = 253;
/** No valid string comes near; keeps a pasted file out of error messages. */
const LENGTH_LIMIT = 400;
const EXAMPLE = 'Data Source=127.0.0.1:102,0,2';

const KEY = /^data\s+source$/i;
const ADDRESS_AND_PORT = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::([^:]*))?$/;
const HOST_NAME_LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
/** RFC 3696 section 2: no top-level name is all digits, so such a text is a mistyped IPv4 address. */
const ENDS_IN_DIGITS = /(?:^|\.)\d+$/;

/**
 * Parses `Data Source=<address>[:<port>],<rack>,<slot>`, the form iAuth uses. As in .NET connection strings the
 * letter case of the key, spaces around every part, quotes around the value and a closing semicolon do not count.
 * IPv6 addresses stand in brackets.
 *
 * Throws `invalid-input` for the field `connection`; its message names the part, its limit and an example.
 */
export function parseConnectionString(text: string): PlcEndpoint {
  if (text.length > LENGTH_LIMIT) throw fault(`is longer than ${LENGTH_LIMIT} characters`);
  const parts = dataSource(text).split(',');
  const [address = '', rack, slot] = parts.map((part) => part.trim());
  if (parts.length > 3)
    throw fault('has more than three parts after "Data Source=": address:port, rack, slot');
  return {
    ...parseAddressAndPort(address),
    rack: wholeNumber('the rack', rack, 0, RACK_LIMIT),
    slot: wholeNumber('the slot', slot, 0, SLOT_LIMIT),
  };
}

/** Writes the one form that `parseConnectionString` reads back as the same endpoint; equal endpoints give equal text. */
export function formatConnectionString(endpoint: PlcEndpoint): string {
  return `Data Source=${formatHostAndPort(endpoint)},${endpoint.rack},${endpoint.slot}`;
}

/** Writes `host:port` as in a URL, IPv6 in brackets. */
export function formatHostAndPort({ host, port }: Pick<PlcEndpoint, 'host' | 'port'>): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function fault(message: string): KeyswitchError {
  return invalidInput('connection', `${message}. Example: ${EXAMPLE}`);
}

function dataSource(text: string): string {
  const pairs = text.split(';').filter((pair) => pair.trim() !== '');
  const [pair = ''] = pairs;
  const equals = pair.indexOf('=');
  if (equals < 0) throw fault('must begin with "Data Source="');
  const key = pair.slice(0, equals).trim();
  if (!KEY.test(key)) throw fault(`${JSON.stringify(key)} is not a known key, only "Data Source" is`);
  if (pairs.length > 1) throw fault('has more than one key, only "Data Source" is known');
  return unquote(pair.slice(equals + 1).trim());
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted?.[2] ?? value;
}

function parseAddressAndPort(text: string): Pick<PlcEndpoint, 'host' | 'port'> {
  const match = ADDRESS_AND_PORT.exec(text);
  if (match === null)
    throw fault(
      `the address ${JSON.stringify(text)} is malformed (IPv6 addresses stand in brackets: [::1]:102)`,
    );
  const [, bracketed, bare = '', port] = match;
  const host = bracketed === undefined ? parseHost(bare.trim()) : parseIPv6(bracketed.trim());
  return {
    host,
    port: port === undefined ? ISO_ON_TCP_PORT : wholeNumber('the port', port.trim(), 1, PORT_LIMIT),
  };
}

function parseIPv6(text: string): string {
  if (!isIPv6(text)) throw fault(`the address ${JSON.stringify(`[${text}]`)} is not an IPv6 address`);
  return text.toLowerCase();
}

function parseHost(text: string): string {
  const host = text.toLowerCase();
  if (isIPv4(host)) return host;
  if (host === '') throw fault('the address is missing');
  if (ENDS_IN_DIGITS.test(host))
    throw fault(`the address ${JSON.stringify(host)} is not an IPv4 address (four numbers from 0 to 255)`);
  const named =
    host.length <= HOST_NAME_LIMIT && host.split('.').every((label) => HOST_NAME_LABEL.test(label));
  if (!named)
    throw fault(
      `the address ${JSON.stringify(host)} is neither an IP address nor a host name of up to ${HOST_NAME_LIMIT} characters`,
    );
  return host;
}

function wholeNumber(part: string, text: string | undefined, least: number, most: number): number {
  if (text === undefined || text === '')
    throw fault(`${part} is missing (a whole number from ${least} to ${most})`);
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw fault(`${part} ${JSON.stringify(text)} is not a whole number from ${least} to ${most}`);
}
