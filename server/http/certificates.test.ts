import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFixedClock } from '../ports/clock.ts';
import { createFixedRandom } from '../ports/random.ts';
import { createAuthority, createServerCertificate, DAY_MS } from './certificates.ts';

const ports = (startMs?: number) => ({ clock: createFixedClock(startMs), random: createFixedRandom() });

const lifetimeDays = ({ validFromDate, validToDate }: X509Certificate): number =>
  (validToDate.getTime() - validFromDate.getTime()) / DAY_MS;

/** Finds an extension as OpenSSL encodes it (`openssl asn1parse`). */
const hasDer = (certificate: X509Certificate, hex: string): boolean =>
  certificate.raw.toString('hex').includes(hex.replaceAll(' ', ''));

describe('the local CA', () => {
  const authority = createAuthority('hmi-7', ports());
  const { certificate } = authority;

  test('signs itself, is named after the host and lasts ten years', () => {
    expect(certificate.subject).toMatch(/^CN=Keyswitch local CA hmi-7 [0-9a-f]{8}$/);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.key))).toBe(true);
    expect(lifetimeDays(certificate)).toBe(3650);
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('may sign certificates and revocation lists, and has no CA below it', () => {
    expect(certificate.ca).toBe(true);
    expect(hasDer(certificate, '30 12 06 03 551d13 0101ff 0408 3006 0101ff 020100')).toBe(true);
    expect(hasDer(certificate, '30 0e 06 03 551d0f 0101ff 0404 0302 0106')).toBe(true);
  });

  test('cuts a long host name to what a common name holds', () => {
    const name = createAuthority('x'.repeat(80), ports()).certificate.subject.slice('CN='.length);
    expect(name).toHaveLength(64);
    expect(name).toMatch(/ [0-9a-f]{8}$/);
  });

  test('writes years from 2050 with four digits', () => {
    const { validToDate } = createAuthority('hmi-7', ports(Date.UTC(2045, 5, 1))).certificate;
    expect(validToDate.getUTCFullYear()).toBe(2055);
  });
});

describe('a server certificate', () => {
  const authority = createAuthority('hmi-7', ports());
  const make = (names: string[], at?: number) => createServerCertificate(names, authority, ports(at));

  test('is signed by the CA and names it by its key', () => {
    const { certificate, key } = make(['hmi-7']);
    expect(certificate.checkIssued(authority.certificate)).toBe(true);
    expect(certificate.verify(authority.certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.checkIssued(createAuthority('hmi-7', ports()).certificate)).toBe(false);
  });

  test('is for TLS servers alone', () => {
    const { certificate } = make(['hmi-7']);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(hasDer(certificate, '30 0e 06 03 551d0f 0101ff 0404 0302 0780')).toBe(true);
  });

  test('lasts 397 days, but no longer than its CA', () => {
    expect(lifetimeDays(make(['hmi-7']).certificate)).toBe(397);
    const late = authority.certificate.validToDate.getTime() - 40 * DAY_MS;
    expect(make(['hmi-7'], late).certificate.validTo).toBe(authority.certificate.validTo);
  });

  test('has a serial number of 128 bits that differs each time', () => {
    const shared = ports();
    const serials = Array.from(
      { length: 50 },
      () => createServerCertificate(['hmi-7'], authority, shared).certificate.serialNumber,
    );
    expect(new Set(serials).size).toBe(50);
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  test('carries whatever names and addresses it is given', () => {
    const name = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 40 }), (names) => {
        const { certificate } = make(names);
        for (const each of names) {
          expect(isIP(each) === 0 ? certificate.checkHost(each) : certificate.checkIP(each), each).toBe(each);
        }
      }),
    );
  });
});
