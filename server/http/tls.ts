/** Keeps the certificate that the HTTPS server shows: one of the local CA, renewed in time, or the site's own. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, type networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { domainToASCII } from 'node:url';
import { isKeyswitchError, KeyswitchError, messageOf } from '../errors.ts';
import { every, type Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import { createAuthority, createServerCertificate, DAY_MS, type KeyedCertificate } from './certificates.ts';

/** Local certificates are renewed, and an own one is warned about, this long before the end. */
const MARGIN_MS = 30 * DAY_MS;

/** How often the files of an own certificate are read again. */
const LOOK_MS = 10_000;

/** What the server shows and proves itself with: PEM of the certificate and those above it, PEM of its key. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** Where a site keeps its own certificate (PEM, followed by those above it) and its key (PEM, no passphrase). */
export interface OwnCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface TlsInput {
  /** Holds `ca.crt`, `ca.key`, `server.crt` and `server.key`; made when absent. */
  readonly folder: string;
  /** DNS names and IP addresses by which clients call this machine, beside those it finds out itself. */
  readonly names: readonly string[];
  /** The site's own certificate, used instead of a local CA's; then nothing is written to the folder. */
  readonly ownCertificate: OwnCertificate | null;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly interfaces: typeof networkInterfaces;
}

export interface Tls {
  credentials(): Credentials;
  /** PEM of the local CA that clients are to trust, as of now; null with an own certificate. */
  readonly caCertificate: string | null;
  /** SHA-256 of the server certificate: upper-case hex pairs with colons between. */
  fingerprint256(): string;
  /** Calls `listener` with each new pair until the returned function is called. */
  onChange(listener: (credentials: Credentials) => void): () => void;
  /** Stops looking after the certificate. */
  close(): void;
}

/**
 * Renders the options for `https.createServer` and `server.setSecureContext`: TLS 1.2 and 1.3, and of TLS 1.2 only
 * what has forward secrecy and authenticated encryption (RFC 9325 section 4.2).
 */
export function tlsOptions({ cert, key }: Credentials): SecureContextOptions {
  return {
    cert,
    key,
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    // Node turns TLS 1.3 off where none of its suites is named.
    ciphers:
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20',
  };
}

/** A pair in use, with what is known of it. */
interface Served {
  readonly credentials: Credentials;
  readonly certificate: X509Certificate;
  readonly caCertificate: string | null;
}

/**
 * Makes or reads the certificate and looks after it until closed: the local one is checked once a day, the files of
 * an own one every ten seconds. Keeps no process alive.
 *
 * The key of the local CA stays on disk (mode 0600): without it each renewal would need every client to trust a new
 * CA. Whoever reads it can pass for any server before those clients; a site that cannot accept this uses its own
 * certificate.
 *
 * @throws KeyswitchError `certificate-unusable` when a file cannot be read or an own pair cannot be served;
 *   `data-folder-unusable` when the folder cannot be written.
 */
export async function createTls(input: TlsInput): Promise<Tls> {
  const { ownCertificate: own, clock, log } = input;
  const listeners = new Set<(credentials: Credentials) => void>();
  const load = (known?: Served): Promise<Served> => (own === null ? keepLocal(input) : readOwn(own, known));
  const warn = (): void => warnOfTime(served.certificate, clock.now(), log);
  let served = await load();
  let busy = false;
  let lastFault = '';
  warn();

  async function refresh(): Promise<void> {
    // A drive that hangs must not pile up reads.
    if (busy) return;
    busy = true;
    try {
      serve(await load(served));
      lastFault = '';
    } catch (err) {
      if (messageOf(err) !== lastFault) log.error({ err }, 'no new certificate; the former one stays in use');
      lastFault = messageOf(err);
    } finally {
      busy = false;
    }
  }

  function serve(next: Served): void {
    if (isSame(next.credentials, served.credentials)) return;
    served = next;
    log.info({ fingerprint256: next.certificate.fingerprint256 }, 'a new certificate is in use');
    warn();
    for (const listener of listeners) {
      try {
        listener(next.credentials);
      } catch (err) {
        log.error({ err }, 'a listener failed');
      }
    }
  }

  const cancels = [
    every(clock, own === null ? DAY_MS : LOOK_MS, () => void refresh()),
    every(clock, DAY_MS, () => {
      lastFault = '';
      warn();
    }),
  ];

  return {
    credentials: () => served.credentials,
    get caCertificate() {
      return served.caCertificate;
    },
    fingerprint256: () => served.certificate.fingerprint256,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const cancel of cancels) cancel();
      listeners.clear();
    },
  };
}

function isSame(one: Credentials, other: Credentials): boolean {
  return one.cert === other.cert && one.key === other.key;
}

function warnOfTime(certificate: X509Certificate, now: number, log: Log): void {
  const { subject, validFrom, validFromDate, validTo, validToDate } = certificate;
  const fields = { subject, validFrom, validTo };
  if (now < validFromDate.getTime()) log.warn(fields, 'the certificate is not valid yet');
  else if (now >= validToDate.getTime()) log.warn(fields, 'the certificate has ended');
  else if (endsSoon(certificate, now)) log.warn(fields, 'the certificate ends soon');
}

function endsSoon(certificate: X509Certificate, now: number): boolean {
  return now >= certificate.validToDate.getTime() - MARGIN_MS;
}

/**
 * Reads the site's own pair and proves that it can be served. It is read again and compared, not watched: the
 * system tells nothing of a symbolic link whose target changed, of a network drive, or of a folder that was replaced.
 */
async function readOwn(own: OwnCertificate, known: Served | undefined): Promise<Served> {
  const [cert, key] = await Promise.all([readText(own.certificate), readText(own.key)]);
  const credentials = { cert, key };
  if (known !== undefined && isSame(credentials, known.credentials)) return known;
  const certificate = usable(own.certificate, 'is not a certificate', () => new X509Certificate(cert));
  const privateKey = usable(own.key, 'is not a PEM key without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw unusable(own.key, `does not belong to the certificate ${own.certificate}`);
  }
  // Refuses what Node would refuse to serve: not PEM, a damaged chain, a key that is too short.
  usable(own.certificate, 'cannot be served', () => createSecureContext(tlsOptions(credentials)));
  return { credentials, certificate, caCertificate: null };
}

/**
 * Keeps the local CA and its server certificate, and makes what is wanting. A CA that cannot sign (damaged, its key
 * gone or another's, near its end) is replaced, but only when a server certificate is to be made: a host that serves
 * with a CA not yet trusted is better than one that does not start.
 */
async function keepLocal(input: TlsInput): Promise<Served> {
  const { folder, clock, log } = input;
  const names = wantedNames(input);
  const now = clock.now();
  const ca = await readCertificate(join(folder, 'ca.crt'));
  const server = await readPair(folder, 'server');
  if (ca !== null && server !== null && isGood(server.certificate, ca, names, now)) {
    return localPair(server, ca);
  }

  const kept = await readPair(folder, 'ca');
  const authority =
    kept === null || endsSoon(kept.certificate, now) ? await makeAuthority(names, input) : kept;
  const made = createServerCertificate(names, authority, input);
  if (!isIssuedBy(made.certificate, authority.certificate)) {
    throw unusable(join(folder, 'ca.crt'), 'is not a CA that Keyswitch made');
  }
  const served = localPair(made, authority.certificate);
  await writePair(folder, 'server', served.credentials);
  log.info({ names, validTo: made.certificate.validTo }, 'a server certificate was made');
  return served;
}

async function makeAuthority(names: readonly string[], input: TlsInput): Promise<KeyedCertificate> {
  const authority = createAuthority(names[0] ?? '', input);
  const { certificate, key } = authority;
  await writePair(input.folder, 'ca', { cert: certificate.toString(), key });
  const { subject, fingerprint256 } = certificate;
  input.log.warn({ subject, fingerprint256 }, 'a local CA was made: clients must be told to trust it');
  return authority;
}

/** The CA goes along, so that a browser's view of the certificate shows it and can export it. */
function localPair({ certificate, key }: KeyedCertificate, ca: X509Certificate): Served {
  const caCertificate = ca.toString();
  return { credentials: { cert: certificate.toString() + caCertificate, key }, certificate, caCertificate };
}

function isGood(
  certificate: X509Certificate,
  ca: X509Certificate,
  names: readonly string[],
  now: number,
): boolean {
  return (
    isIssuedBy(certificate, ca) &&
    now >= certificate.validFromDate.getTime() &&
    !endsSoon(certificate, now) &&
    names.every((name) => isNamedIn(certificate, name))
  );
}

function isIssuedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}

function isNamedIn(certificate: X509Certificate, name: string): boolean {
  const found =
    isIP(name) === 0
      ? certificate.checkHost(name, { subject: 'never', wildcards: false })
      : certificate.checkIP(name);
  return found !== undefined;
}

/** The names and addresses by which clients may call this machine, those of the configuration last. */
function wantedNames({ names, interfaces, log }: TlsInput): string[] {
  const addresses = Object.values(interfaces()).flatMap((each = []) => each.map(({ address }) => address));
  // A link-local address needs a zone, which no certificate and no URL can carry.
  const reachable = addresses.filter((address) => !/^fe[89ab]/i.test(address));
  const wanted = [hostname(), 'localhost', '127.0.0.1', '::1', ...reachable, ...names];
  const spelt = wanted.flatMap((name) => {
    const subjectName = asSubjectName(name);
    if (subjectName === null) log.warn({ name }, 'a name cannot stand in a certificate and is left out');
    return subjectName ?? [];
  });
  return [...new Set(spelt)];
}

/** Spells a name as certificates and clients do; null where it is neither a DNS name nor an address. */
function asSubjectName(name: string): string | null {
  if (isIP(name) !== 0 && !name.includes('%')) return name;
  // The conversion alone would take the host out of anything that looks like a URL.
  const isName = /^(\*\.)?[\p{L}\p{M}\p{N}_-]+(\.[\p{L}\p{M}\p{N}_-]+)*$/u.test(name);
  return (isName && domainToASCII(name)) || null;
}

/** Reads `<folder>/<name>.crt` and `.key`; null where one is absent or damaged, or they do not belong together. */
async function readPair(folder: string, name: string): Promise<KeyedCertificate | null> {
  const certificate = await readCertificate(join(folder, `${name}.crt`));
  const key = await readIfThere(join(folder, `${name}.key`));
  try {
    return certificate?.checkPrivateKey(createPrivateKey(key)) ? { certificate, key } : null;
  } catch {
    return null;
  }
}

async function readCertificate(path: string): Promise<X509Certificate | null> {
  const text = await readIfThere(path);
  try {
    return new X509Certificate(text);
  } catch {
    return null;
  }
}

/** An absent file reads as an empty one. */
async function readIfThere(path: string): Promise<string> {
  return readText(path).catch((error: unknown) => {
    if (isKeyswitchError(error) && (error.cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw unusable(path, 'cannot be read', cause);
  });
}

/** Runs `use` on what was read from `path`; `fault` says what it means when that fails. */
function usable<Result>(path: string, fault: string, use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    throw unusable(path, fault, cause);
  }
}

function unusable(path: string, fault: string, cause?: unknown): KeyswitchError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new KeyswitchError('certificate-unusable', `${path} ${fault}${reason}`, { cause });
}

/** Writes the key first: a certificate whose key never came would have to be thrown away. */
async function writePair(folder: string, name: string, { cert, key }: Credentials): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeWhole(join(folder, `${name}.key`), key, 0o600);
    await writeWhole(join(folder, `${name}.crt`), cert, 0o644);
  } catch (cause) {
    throw new KeyswitchError('data-folder-unusable', `${folder} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Puts the file in place at once and on disk, so that neither a reader nor a power cut finds half of it. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  await writeFile(temporary, text, { mode, flag: 'wx', flush: true });
  await rename(temporary, path);
}
