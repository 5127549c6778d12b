/**
 * Sends to a syslog receiver over TLS (RFC 5425). Syslog has no acknowledgement, so each delivery is a connection of its
 * own, ended by us. TCP tells what became of it: a receiver that has read everything closes with FIN, one that stops with
 * something unread resets (RFC 9293, section 3.6.1; RFC 1122, section 4.2.2.13), whatever TLS said before.
 */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Clock } from '../../ports/clock.ts';
import { checkpointMessage, entryMessage, frame } from './syslog-message.ts';
import type { Target } from './target.ts';

export interface SyslogOptions {
  readonly host: string;
  readonly port: number;
  /** PEM file of the CA to trust; the system's where it is left out. */
  readonly ca?: string | undefined;
  /** SHA-256 of the receiver's certificate, in pairs of hexadecimal digits with colons; goes before any CA. */
  readonly fingerprint?: string | undefined;
  /** PEM files of what the host shows of itself. */
  readonly certificate?: string | undefined;
  readonly certificateKey?: string | undefined;
  /** What this machine is called in the messages. */
  readonly ownName: string;
}

/** For a whole delivery: a receiver on a LAN takes milliseconds. */
const TIMEOUT_MS = 15_000;

export function createSyslogTarget(options: SyslogOptions, clock: Clock): Target {
  const { host, port, ownName } = options;
  let socket: Socket | null = null;
  return {
    kind: 'syslog',
    place: `syslog ${host}:${port}`,
    async deliver({ entries, checkpoints }) {
      const messages = [
        ...entries.map((entry) => entryMessage(entry, ownName)),
        ...checkpoints.map((checkpoint) => checkpointMessage(checkpoint, ownName)),
      ];
      // Read anew each time: a certificate that was replaced counts from the next delivery on.
      const secure = await secureOptions(options);
      socket = connectTcp({ host, port });
      const cancel = clock.after(TIMEOUT_MS, () =>
        socket?.destroy(new Error('the receiver does not answer')),
      );
      await sendAll(socket, secure, Buffer.concat(messages.map(frame)), options.fingerprint).finally(cancel);
    },
    close: () => void socket?.destroy(),
  };
}

async function secureOptions(options: SyslogOptions): Promise<ConnectionOptions> {
  const { host, fingerprint } = options;
  const [ca, cert, key] = await Promise.all(
    [options.ca, options.certificate, options.certificateKey].map((file) =>
      file === undefined ? undefined : readFile(file),
    ),
  );
  return {
    host,
    minVersion: 'TLSv1.2',
    // A name that is an address must not be sent (RFC 6066, section 3).
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // The fingerprint is checked before anything is sent.
    rejectUnauthorized: fingerprint === undefined,
  };
}

/** Sends `bytes` and ends; resolves when the receiver has closed in order after that, and not before. */
function sendAll(
  socket: Socket,
  secure: ConnectionOptions,
  bytes: Buffer,
  fingerprint: string | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isSent = false;
    let isEnded = false;
    let failure: Error | null = null;
    const fail = (error: Error): void => {
      failure ??= error;
      socket.destroy();
    };
    const tls = connectTls({ ...secure, socket: beside(socket) });
    tls.once('secureConnect', () => {
      const shown = tls.getPeerX509Certificate()?.fingerprint256;
      if (fingerprint === undefined || shown === fingerprint.toUpperCase()) tls.end(bytes);
      else fail(new Error(`the receiver shows another certificate: its fingerprint is ${shown}`));
    });
    tls.once('finish', () => (isSent = true));
    tls.once('error', fail);
    // A receiver has nothing to say, but its end is only seen by who listens.
    tls.resume();
    socket.once('error', fail);
    socket.once('end', () => (isEnded = isSent));
    socket.once('close', () => {
      if (failure === null && isEnded) resolve();
      else reject(failure ?? new Error('the receiver closed before it had everything'));
      tls.destroy();
    });
  });
}

/** The bytes of `socket` for TLS, which would take the socket itself over, and with it what becomes of it in the end. */
function beside(socket: Socket): Duplex {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
  });
  socket.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  // Once TLS is done with it nobody reads any more, but the end must still be seen.
  stream.once('close', () => socket.resume());
  socket.once('end', () => stream.push(null));
  socket.once('close', () => stream.destroy());
  return stream;
}
