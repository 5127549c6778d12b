import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryFraming, frameBinary, RECORD_SEPARATOR, textFraming, type Framing } from './framing.ts';

const MAX = 300;

const frameText = (text: string): Buffer => Buffer.from(text + RECORD_SEPARATOR);
const all = (framing: Framing): Buffer[] => {
  const messages: Buffer[] = [];
  for (let next = framing.next(); next !== null; next = framing.next()) messages.push(next);
  return messages;
};

const KINDS = [
  {
    name: 'text',
    create: textFraming,
    frame: (body: Buffer) => Buffer.concat([body, Buffer.from(RECORD_SEPARATOR)]),
    bodies: fc.array(
      fc
        .string({ unit: 'grapheme', maxLength: 60 })
        .map((text) => Buffer.from(text.replaceAll(RECORD_SEPARATOR, ''))),
    ),
  },
  {
    name: 'binary',
    create: binaryFraming,
    frame: (body: Buffer) => frameBinary(body),
    bodies: fc.array(fc.uint8Array({ maxLength: MAX }).map((bytes) => Buffer.from(bytes))),
  },
];

describe.each(KINDS)('$name messages', ({ create, frame, bodies }) => {
  test('come out whole and in order, wherever the transport has split them', () => {
    fc.assert(
      fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 80 })), (sent, sizes) => {
        const wire = Buffer.concat(sent.map(frame));
        const framing = create(MAX);
        const received: Buffer[] = [];
        for (let at = 0; at < wire.length;) {
          const size = sizes.next().value as number;
          framing.append(wire.subarray(at, at + size));
          received.push(...all(framing));
          at += size;
        }
        expect(received).toEqual(sent);
        expect(framing.rest()).toHaveLength(0);
      }),
    );
  });

  test('come out whole when they come byte by byte', () => {
    fc.assert(
      fc.property(bodies, (sent) => {
        const framing = create(MAX);
        const received: Buffer[] = [];
        for (const byte of Buffer.concat(sent.map(frame))) {
          framing.append(Buffer.of(byte));
          received.push(...all(framing));
        }
        expect(received).toEqual(sent);
      }),
      { numRuns: 30 },
    );
  });

  test('of the largest size come out, and one byte more is refused', () => {
    const framing = create(MAX);
    framing.append(frame(Buffer.alloc(MAX, 'x')));
    expect(all(framing)).toEqual([Buffer.alloc(MAX, 'x')]);
    framing.append(frame(Buffer.alloc(MAX + 1, 'x')));
    expect(() => framing.next()).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
  });

  test('that are not whole stay', () => {
    const framing = create(MAX);
    const wire = Buffer.concat([frame(Buffer.from('first')), frame(Buffer.from('second')).subarray(0, 4)]);
    framing.append(wire);
    expect(framing.next()).toEqual(Buffer.from('first'));
    expect(framing.next()).toBeNull();
    expect(framing.rest()).toEqual(frame(Buffer.from('second')).subarray(0, 4));
  });

  test('of any bytes are cut or refused, and nothing grows without end', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 30 }), (chunks) => {
        const framing = create(MAX);
        try {
          for (const chunk of chunks) {
            framing.append(Buffer.from(chunk));
            for (const message of all(framing)) expect(message.length).toBeLessThanOrEqual(MAX);
            expect(framing.rest().length).toBeLessThanOrEqual(MAX + 5);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'hub-protocol' });
        }
      }),
    );
  });
});

test('text without an end is refused before more than a message of it is kept', () => {
  const framing = textFraming(MAX);
  framing.append(Buffer.alloc(MAX, 'x'));
  expect(framing.next()).toBeNull();
  framing.append(Buffer.from('x'));
  expect(() => framing.next()).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
});

test('the text of an empty message is empty', () => {
  const framing = textFraming(MAX);
  framing.append(frameText(''));
  expect(framing.next()).toEqual(Buffer.alloc(0));
});

describe('a length', () => {
  test.each([
    ['one byte', 53, '35'],
    ['two bytes', 5248, '8029'],
    ['two bytes at their limit', 16_383, 'ff7f'],
    ['three bytes', 16_384, '808001'],
  ])('of %s is written as the protocol has it', (_, length, hex) => {
    const framed = frameBinary(Buffer.alloc(length));
    expect(framed.subarray(0, framed.length - length).toString('hex')).toBe(hex);
  });

  test.each([
    ['of 2 GiB less a byte', 'ffffffff07'],
    ['of more than 32 bits', 'ffffffff7f'],
    ['of six bytes', '808080808001'],
    ['that never ends', 'ffffffffffff'],
    ['one more than a message may have', 'ad02'],
  ])('%s is refused', (_, hex) => {
    const framing = binaryFraming(MAX);
    framing.append(Buffer.from(hex, 'hex'));
    expect(() => framing.next()).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
  });

  test.each([['80'], ['8080'], ['80808080'], ['05'], ['0561626364']])('%s waits for more', (hex) => {
    const framing = binaryFraming(MAX);
    framing.append(Buffer.from(hex, 'hex'));
    expect(framing.next()).toBeNull();
  });
});
