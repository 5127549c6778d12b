/** A syslog receiver for tests: RFC 5424 over TLS with octet counting (RFC 5425), as strict as the grammar. */
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { createAuthority, createServerCertificate } from '../server/http/certificates.ts';
import { createSystemClock } from '../server/ports/clock.ts';
import { createSystemRandom } from '../server/ports/random.ts';

export interface SyslogMessage {
  readonly facility: number;
  readonly severity: number;
  readonly timestamp: string;
  readonly host: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  /** Of the one element there is. */
  readonly sdId: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface SyslogReceiver {
  readonly port: number;
  /** PEM of the CA, and of a certificate that it signed. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  readonly fingerprint: string;
  /** All that was read whole, in order. */
  readonly messages: SyslogMessage[];
  /** What was wrong with what came. */
  readonly faults: string[];
  connections(): number;
  /** The fingerprints of the certificates that its clients have shown. */
  readonly shown: string[];
  /** The next connection is cut, as by a crash, when so many octets of it were read. */
  cutAfter(octets: number): void;
  /** The next connection is closed when so many octets of it were read, as by a receiver that is stopped. */
  closeAfter(octets: number): void;
  /** Resolves when there are so many messages. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Makes a CA and a certificate for 127.0.0.1. */
export function makeCertificate(): { ca: string; certificate: string; key: string; fingerprint: string } {
  const ports = { clock: createSystemClock(), random: createSystemRandom() };
  const authority = createAuthority('syslog', ports);
  const own = createServerCertificate(['127.0.0.1', 'localhost'], authority, ports);
  const certificate = own.certificate.toString();
  return {
    ca: authority.certificate.toString(),
    certificate,
    key: own.key,
    fingerprint: new X509Certificate(certificate).fingerprint256,
  };
}

/** Starts it on a port of its own, or on `port`. */
export async function startSyslogReceiver(
  options: TlsOptions & { readonly own?: ReturnType<typeof makeCertificate>; readonly port?: number } = {},
): Promise<SyslogReceiver> {
  const { own = makeCertificate(), port = 0, ...tls } = options;
  const messages: SyslogMessage[] = [];
  const faults: string[] = [];
  const shown: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const sockets = new Set<TLSSocket>();
  const raw = new Map<number, Socket>();
  let connections = 0;
  let cut: { readonly after: number; readonly how: 'cut' | 'close' } | null = null;

  function take(frame: Buffer): void {
    try {
      messages.push(parseSyslog(frame));
    } catch (error) {
      faults.push(`${(error as Error).message}: ${frame.toString()}`);
    }
    for (const wait of waiting.filter(({ count }) => messages.length >= count)) wait.resolve();
  }

  const server = createServer({ cert: own.certificate, key: own.key, ...tls }, (socket) => {
    sockets.add(socket);
    connections += 1;
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
    if (fingerprint !== undefined) shown.push(fingerprint);
    const planned = cut;
    cut = null;
    let pending: Buffer = Buffer.alloc(0);
    let read = 0;
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      const left = planned === null ? Infinity : planned.after - read;
      read += chunk.length;
      pending = Buffer.concat([pending, chunk.subarray(0, Math.max(0, left))]);
      pending = readFrames(pending, take, (fault) => {
        faults.push(fault);
        socket.destroy();
      });
      if (planned === null || chunk.length < left) return;
      socket.pause();
      const connection = raw.get(socket.remotePort ?? 0);
      if (planned.how === 'cut') connection?.resetAndDestroy();
      else connection?.destroy();
    });
    socket.on('end', () => {
      if (pending.length > 0 && planned === null) faults.push('ended within a message');
    });
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => raw.set(socket.remotePort ?? 0, socket));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    ...own,
    port: (server.address() as AddressInfo).port,
    messages,
    faults,
    shown,
    connections: () => connections,
    cutAfter: (octets) => (cut = { after: octets, how: 'cut' }),
    closeAfter: (octets) => (cut = { after: octets, how: 'close' }),
    received: (count) =>
      messages.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve })),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes whole frames (`MSG-LEN SP SYSLOG-MSG`) from `bytes`; returns what is left. */
export function readFrames(
  bytes: Buffer,
  take: (frame: Buffer) => void,
  refuse: (why: string) => void,
): Buffer {
  let rest: Buffer = bytes;
  for (;;) {
    const space = rest.indexOf(0x20);
    const count = rest.subarray(0, space < 0 ? rest.length : space).toString('latin1');
    if (count !== '' && !/^[1-9][0-9]{0,5}$/.test(count)) {
      refuse(`no octet count: ${count.slice(0, 20)}`);
      return Buffer.alloc(0);
    }
    if (space < 0 || rest.length < space + 1 + Number(count)) return rest;
    take(rest.subarray(space + 1, space + 1 + Number(count)));
    rest = rest.subarray(space + 1 + Number(count));
  }
}

/** Reads one message by the grammar of RFC 5424 section 6, or throws. */
export function parseSyslog(frame: Buffer): SyslogMessage {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame);
  const printable = (longest: number): string => `([\\x21-\\x7e]{1,${longest}})`;
  const head = new RegExp(
    `^<(0|[1-9][0-9]{0,2})>1 (\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z) ${printable(255)} ${printable(48)} ` +
      `${printable(128)} ${printable(32)} `,
  ).exec(text);
  if (head === null) throw new Error('no header');
  const [whole, priority = '', timestamp = '', host = '', appName = '', procId = '', msgId = ''] = head;
  if (Number(priority) > 191) throw new Error('no priority');
  const element = readElement(text, whole.length);
  const words = text.slice(element.end);
  if (words !== '' && !words.startsWith(' ')) throw new Error('no space before the text');
  const isMarked = words.startsWith(' \ufeff');
  if (!isMarked && !/^[\x20-\x7e]*$/.test(words)) throw new Error('UTF-8 without a byte order mark');
  return {
    facility: Number(priority) >> 3,
    severity: Number(priority) & 7,
    ...{ timestamp, host, appName, procId, msgId },
    ...{ sdId: element.id, parameters: element.parameters },
    text: words.slice(isMarked ? 2 : 1),
  };
}

function readElement(
  text: string,
  start: number,
): { id: string; parameters: Record<string, string>; end: number } {
  const name = '[\\x21\\x23-\\x3c\\x3e-\\x5c\\x5e-\\x7e]{1,32}';
  const begin = new RegExp(`\\[(${name})`, 'y');
  begin.lastIndex = start;
  const id = begin.exec(text)?.[1];
  if (id === undefined) throw new Error('no structured data');
  const parameters: Record<string, string> = {};
  const parameter = new RegExp(` (${name})="((?:[^"\\\\\\]]|\\\\[\\s\\S])*)"`, 'y');
  let at = begin.lastIndex;
  for (;;) {
    parameter.lastIndex = at;
    const found = parameter.exec(text);
    if (found === null) break;
    const [, key = '', value = ''] = found;
    if (key in parameters) throw new Error(`${key} twice`);
    if (/\p{Cc}/u.test(value)) throw new Error('a control character');
    parameters[key] = value.replaceAll(/\\(["\\\]])/g, '$1');
    at = parameter.lastIndex;
  }
  if (text[at] !== ']') throw new Error('the structured data has no end');
  return { id, parameters, end: at + 1 };
}
