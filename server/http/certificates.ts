/** Makes X.509 certificates (RFC 5280): a local CA for one host, and the server certificates that it signs. */
import { createHash, generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

/** One day in milliseconds. */
export const DAY_MS = 86_400_000;

const AUTHORITY_DAYS = 3650;
/** Under the 398 days that browsers have asked of public CAs (CA/Browser Forum, ballot SC31). */
const SERVER_DAYS = 397;
/** Certificates begin this much in the past, for panels whose clocks are behind. */
const BACKDATED_MS = DAY_MS;
/** The longest common name (ub-common-name, RFC 5280 appendix A.1), in characters. */
const LONGEST_COMMON_NAME = 64;

/** A certificate with its private key (PKCS #8, PEM). */
export interface KeyedCertificate {
  readonly certificate: X509Certificate;
  readonly key: string;
}

/** What a certificate's time and serial number are taken from. Keys come from the operating system's source alone. */
export interface CertificatePorts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Makes a CA named `Keyswitch local CA <host> <8 hex digits>`, good for ten years: ECDSA P-256, signs certificates
 * and revocation lists, no CA below it. `host` is ASCII; a long one is cut.
 */
export function createAuthority(host: string, { clock, random }: CertificatePorts): KeyedCertificate {
  const { publicKey, key } = newKeys();
  const shortId = random.bytes(4).toString('hex');
  const room = LONGEST_COMMON_NAME - 'Keyswitch local CA  '.length - shortId.length;
  const name = `Keyswitch local CA ${host.slice(0, room)} ${shortId}`;
  const begin = clock.now() - BACKDATED_MS;
  const certificate = signCertificate({
    subject: name,
    publicKey,
    issuer: { name, key },
    begin,
    end: begin + AUTHORITY_DAYS * DAY_MS,
    random,
    extensions: [
      extension(BASIC_CONSTRAINTS, CRITICAL, sequence(TRUE, der(INTEGER, Buffer.of(0)))),
      extension(KEY_USAGE, CRITICAL, bits(1, 0b0000_0110)), // keyCertSign, cRLSign
      extension(SUBJECT_KEY_ID, der(OCTET_STRING, keyId(publicKey))),
    ],
  });
  return { certificate, key };
}

/**
 * Makes a server certificate with a key of its own: ECDSA P-256, for TLS servers only, good for 397 days or until
 * its CA ends. `names` are DNS names in ASCII (`*.plant.example` too) and IP addresses without a zone; the first one
 * is shown as the subject. `authority` is one that `createAuthority` made.
 */
export function createServerCertificate(
  names: readonly string[],
  authority: KeyedCertificate,
  { clock, random }: CertificatePorts,
): KeyedCertificate {
  const { publicKey, key } = newKeys();
  const begin = clock.now() - BACKDATED_MS;
  const certificate = signCertificate({
    subject: (names[0] ?? '').slice(0, LONGEST_COMMON_NAME),
    publicKey,
    // The name of such a CA has one attribute, and no character that Node would escape.
    issuer: { name: authority.certificate.subject.replace(/^CN=/, ''), key: authority.key },
    begin,
    end: Math.min(begin + SERVER_DAYS * DAY_MS, authority.certificate.validToDate.getTime()),
    random,
    extensions: [
      extension(BASIC_CONSTRAINTS, CRITICAL, sequence()),
      extension(KEY_USAGE, CRITICAL, bits(7, 0b1000_0000)), // digitalSignature
      extension(EXTENDED_KEY_USAGE, sequence(SERVER_AUTH)),
      extension(SUBJECT_ALT_NAME, sequence(...names.map(generalName))),
      extension(SUBJECT_KEY_ID, der(OCTET_STRING, keyId(publicKey))),
      extension(AUTHORITY_KEY_ID, sequence(der(0x80, keyId(authority.certificate.publicKey)))),
    ],
  });
  return { certificate, key };
}

function newKeys(): { publicKey: KeyObject; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicKey, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

interface CertificateContent {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly key: string };
  /** Milliseconds since 1970-01-01T00:00:00Z, as `end`. */
  readonly begin: number;
  readonly end: number;
  readonly random: Random;
  readonly extensions: readonly Buffer[];
}

/** Makes a version 3 certificate, signed with ECDSA and SHA-256 (RFC 5280 section 4.1, RFC 5758 section 3.2). */
function signCertificate(content: CertificateContent): X509Certificate {
  const toBeSigned = sequence(
    der(0xa0, der(INTEGER, Buffer.of(2))),
    der(INTEGER, serialNumber(content.random)),
    sequence(ECDSA_WITH_SHA256),
    commonName(content.issuer.name),
    sequence(time(content.begin), time(content.end)),
    commonName(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...content.extensions)),
  );
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', toBeSigned, content.issuer.key));
  return new X509Certificate(sequence(toBeSigned, sequence(ECDSA_WITH_SHA256), signature));
}

/** 16 random bytes that read as a positive number in its shortest form (RFC 5280 section 4.1.2.2). */
function serialNumber(random: Random): Buffer {
  const serial = Buffer.from(random.bytes(16));
  serial.writeUInt8((serial.readUInt8(0) & 0x7f) | 0x40, 0);
  return serial;
}

/** The leftmost 160 bits of the SHA-256 of a P-256 public key's 65 bytes (RFC 7093 section 2, method 1). */
function keyId(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65);
  return createHash('sha256').update(point).digest().subarray(0, 20);
}

// DER (ITU-T X.690), as much of it as a certificate takes. Node reads certificates but does not make them.

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;

const TRUE = der(0x01, Buffer.of(0xff));
const CRITICAL = TRUE;

const COMMON_NAME = objectId('550403'); // 2.5.4.3
const SUBJECT_KEY_ID = objectId('551d0e'); // 2.5.29.14
const KEY_USAGE = objectId('551d0f'); // 2.5.29.15
const SUBJECT_ALT_NAME = objectId('551d11'); // 2.5.29.17
const BASIC_CONSTRAINTS = objectId('551d13'); // 2.5.29.19
const AUTHORITY_KEY_ID = objectId('551d23'); // 2.5.29.35
const EXTENDED_KEY_USAGE = objectId('551d25'); // 2.5.29.37
const SERVER_AUTH = objectId('2b06010505070301'); // 1.3.6.1.5.5.7.3.1
const ECDSA_WITH_SHA256 = objectId('2a8648ce3d040302'); // 1.2.840.10045.4.3.2

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(SEQUENCE, ...parts);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function bits(unused: number, byte: number): Buffer {
  return der(BIT_STRING, Buffer.of(unused, byte));
}

/** An extension: its object id, `CRITICAL` where it is, and its value. */
function extension(
  ...parts: [id: Buffer, value: Buffer] | [id: Buffer, critical: Buffer, value: Buffer]
): Buffer {
  return sequence(...parts.slice(0, -1), der(OCTET_STRING, ...parts.slice(-1)));
}

function commonName(name: string): Buffer {
  return sequence(der(SET, sequence(COMMON_NAME, der(UTF8_STRING, Buffer.from(name)))));
}

/** Two digits of the year up to 2049, four from 2050 (RFC 5280 section 4.1.2.5). */
function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050'
    ? der(UTC_TIME, Buffer.from(digits.slice(2)))
    : der(GENERALIZED_TIME, Buffer.from(digits));
}

/** A DNS name or an IP address as it stands among the subject alternative names (RFC 5280 section 4.2.1.6). */
function generalName(name: string): Buffer {
  return isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL spells the address out in hexadecimal groups, with at most one gap (RFC 5952).
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const gap = Array<string>(8 - before.length - after.length).fill('');
  return Buffer.from([...before, ...gap, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
