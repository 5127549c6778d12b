import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HANDSHAKE_DONE, handshakeRefused, readHandshake } from './handshake.ts';

const read = (value: unknown) => readHandshake(Buffer.from(JSON.stringify(value)));

test.each([
  ['json', 1],
  ['json', 2],
  ['messagepack', 1],
  ['messagepack', 2],
])('%s of version %i is spoken', (protocol, version) => {
  const handshake = read({ protocol, version, extension: true });
  expect([handshake.protocol.name, handshake.version]).toEqual([protocol, version]);
});

describe('a handshake is refused', () => {
  test.each([
    ['for a protocol that is not spoken', { protocol: 'xml', version: 1 }],
    ['for a protocol in capitals', { protocol: 'JSON', version: 1 }],
    ['without a protocol', { version: 1 }],
    ['for the name of something every object has', { protocol: 'constructor', version: 1 }],
    ['for a version to come', { protocol: 'json', version: 3 }],
    ['for version 0', { protocol: 'json', version: 0 }],
    ['without a version', { protocol: 'json' }],
    ['for a version as text', { protocol: 'json', version: '1' }],
    ['that is a list', ['json', 1]],
    ['that is null', null],
  ])('%s', (_, value) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
  });

  test('of any bytes, unless they ask for what is spoken', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => readHandshake(Buffer.from(bytes))).toThrow(
          expect.objectContaining({ code: 'hub-protocol' }),
        );
      }),
    );
  });
});

test('the answers are what the protocol prescribes', () => {
  expect(HANDSHAKE_DONE).toBe('{}\x1e');
  expect(handshakeRefused('no "xml"')).toBe('{"error":"no \\"xml\\""}\x1e');
});
