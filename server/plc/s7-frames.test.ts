import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArea } from './address.ts';
import {
  createReceiver,
  parseFrame,
  parseMessage,
  parseReadAnswer,
  parseSetup,
  parseSystemList,
  parseSystemListPart,
  parseWriteAnswer,
  readRequest,
  S7FormatError,
  S7Refusal,
  systemListRequest,
  writeRequest,
} from './s7-frames.ts';

const DB250 = parseArea('DB250');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** Headers of RFC 1006, ISO 8073 and S7 with data for request 5, then parameters and data. */
const READ_ANSWER = hex('0300001f 02f080 3203 0000 0005 0002 000a 0000 0401 ff040030 c0ffee00beef');

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof S7FormatError) return 'no S7';
    if (error instanceof S7Refusal) return `${error.of} ${error.code}`;
    throw error;
  }
}

/** The answer to a read of these many bytes each, from the S7 message on. */
function readAnswer(message: string, ...bytes: readonly number[]): unknown {
  const ranges = bytes.map((length) => ({ area: DB250, offset: 0, bytes: length }));
  return outcome(() =>
    parseReadAnswer(parseMessage(hex(message)), ranges).map((content) =>
      content instanceof S7Refusal ? content.code : content.toString('hex'),
    ),
  );
}

describe('a request', () => {
  it('to read names each range by area, first bit and bytes', () => {
    const ranges = [
      { area: DB250, offset: 188, bytes: 2 },
      { area: parseArea('M'), offset: 65535, bytes: 1 },
    ];
    expect(readRequest(0x1234, ranges)).toEqual(
      hex(
        '0300002b 02f080 3201 0000 1234 001a 0000 0402' +
          '120a1002 0002 00fa 84 0005e0' +
          '120a1002 0001 0000 83 07fff8',
      ),
    );
  });

  it('to write carries bytes, or one bit', () => {
    expect(writeRequest(1, { area: DB250, offset: 188, bitNumber: null }, hex('beef'))).toEqual(
      hex('03000025 02f080 3201 0000 0001 000e 0006 0501 120a1002 0002 00fa 84 0005e0 00040010 beef'),
    );
    expect(writeRequest(1, { area: parseArea('Q'), offset: 1, bitNumber: 3 }, hex('01'))).toEqual(
      hex('03000024 02f080 3201 0000 0001 000e 0005 0501 120a1001 0001 0000 82 00000b 00030001 01'),
    );
  });

  it('for a list of the system state asks for its first part, then for each next one', () => {
    expect(systemListRequest(1, 0x1c, 0)).toEqual(
      hex('03000021 02f080 3207 0000 0001 0008 0008 0001120411440100 ff090004 001c 0000'),
    );
    expect(systemListRequest(2, 0x1c, 0, 7)).toEqual(
      hex('03000021 02f080 3207 0000 0002 000c 0004 000112081244010700000000 0a000000'),
    );
  });
});

describe('a receiver', () => {
  const stream = Buffer.concat([READ_ANSWER, hex('03000007 02f080'), READ_ANSWER]);
  const whole = [READ_ANSWER.length, 7, READ_ANSWER.length];

  it('gives whole frames, wherever the stream is cut', () => {
    for (let cut = 0; cut <= stream.length; cut++) {
      const receive = createReceiver();
      const frames = [...receive(stream.subarray(0, cut)), ...receive(stream.subarray(cut))];
      expect(frames.map(({ length }) => length)).toEqual(whole);
    }
    const receive = createReceiver();
    const frames = [...stream].flatMap((byte) => receive(Buffer.of(byte)));
    expect(Buffer.concat(frames)).toEqual(stream);
  });

  it.each(['02', '00', 'ff00', '03000006', '03000000', '48545450'])('takes %s for no frame', (start) => {
    expect(outcome(() => createReceiver()(hex(start)))).toBe('no S7');
  });

  it('gives no frame that is followed by what can be none: the damage may have begun in it', () => {
    expect(outcome(() => createReceiver()(Buffer.concat([READ_ANSWER, hex('ee')])))).toBe('no S7');
  });

  it('throws nothing but S7FormatError, and loses no byte of what it gives', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (chunks) => {
        const receive = createReceiver();
        const given = outcome(() => Buffer.concat(chunks.flatMap((chunk) => receive(Buffer.from(chunk)))));
        if (given instanceof Buffer) expect(given).toEqual(Buffer.concat(chunks).subarray(0, given.length));
      }),
    );
  });
});

describe('parseFrame', () => {
  it.each([
    ['a confirmation', '03000016 11d00002000100 c0010a c1020100 c2020102', { kind: 'confirm' }],
    ['a refusal with its reason', '0300000b 06800002000003', { kind: 'refusal', reason: 3 }],
    ['data', '03000009 02f080 abcd', { kind: 'data', isLast: true, content: hex('abcd') }],
    ['a part of a message', '03000008 02f000 ab', { kind: 'data', isLast: false, content: hex('ab') }],
    ['an empty frame', '03000007 02f080', { kind: 'data', isLast: true, content: hex('') }],
    ['an error of the transport', '03000009 0470000000', 'no S7'],
    ['a header that is cut off', '03000007 11d000', 'no S7'],
    ['a header without any length', '03000007 00f080', 'no S7'],
  ])('reads %s', (_name, bytes, frame) => {
    expect(outcome(() => parseFrame(hex(bytes)))).toEqual(frame);
  });
});

describe('the answer to a read', () => {
  const head = (count: string, length: string): string => `3203 0000 0005 0002 ${length} 0000 04${count}`;

  it.each([
    ['one item', `${head('01', '0006')} ff040010 beef`, [2], ['beef']],
    ['a length in bytes', `${head('01', '0006')} ff090002 beef`, [2], ['beef']],
    [
      'an odd item before another',
      `${head('02', '000c')} ff040008 aa00 ff040010 beef`,
      [1, 2],
      ['aa', 'beef'],
    ],
    ['an odd item at the end', `${head('01', '0005')} ff040008 aa`, [1], ['aa']],
    ['an odd item at the end, filled up', `${head('01', '0006')} ff040008 aa00`, [1], ['aa']],
    ['an item refused', `${head('02', '000a')} 0a000000 ff040010 beef`, [2, 2], [10, 'beef']],
    [
      'an item refused, with a length as Snap7 has it',
      `${head('02', '000a')} 05040004 ff040010 beef`,
      [9, 2],
      [5, 'beef'],
    ],
    ['a refusal as a whole', '3203 0000 0005 0000 0000 8104', [2], 'request 33028'],
    ['a refusal without data', '3202 0000 0005 0000 0000 8104', [2], 'request 33028'],
    ['too few items', `${head('01', '0006')} ff040010 beef`, [2, 2], 'no S7'],
    ['too few data', `${head('02', '0006')} ff040010 beef`, [2, 2], 'no S7'],
    ['too many data', `${head('01', '0008')} ff040010 beefbeef`, [2], 'no S7'],
    ['an item of another length', `${head('01', '0005')} ff040008 be`, [2], 'no S7'],
    ['an item that is cut off', `${head('01', '0005')} ff040010 be`, [2], 'no S7'],
    ['another function', '3203 0000 0005 0002 0001 0000 0501 ff', [2], 'no S7'],
    ['another length than it has', `${head('01', '0007')} ff040010 beef`, [2], 'no S7'],
    ['a request', '3201 0000 0005 0002 0000 0401', [2], 'no S7'],
    ['another protocol', '7201 0000 0005 0002 0000 0401', [2], 'no S7'],
  ])('is understood where it is %s', (_name, message, bytes, expected) => {
    expect(readAnswer(message, ...bytes)).toEqual(expected);
  });
});

describe('other answers', () => {
  it.each([
    ['sizes', '3203 0000 0001 0008 0000 0000 f000 0001 0003 00f0', { pduBytes: 240, parallel: 1 }],
    [
      'sizes beyond what was asked',
      '3203 0000 0001 0008 0000 0000 f000 ffff ffff ffff',
      { pduBytes: 960, parallel: 8 },
    ],
    [
      'no parallel requests at all',
      '3203 0000 0001 0008 0000 0000 f000 0000 0000 0100',
      { pduBytes: 256, parallel: 1 },
    ],
    ['PDUs that hold nothing', '3203 0000 0001 0008 0000 0000 f000 0001 0001 001f', 'no S7'],
    ['a refusal', '3203 0000 0001 0000 0000 8500', 'request 34048'],
    ['something else', '3203 0000 0001 0002 0001 0000 0501 ff', 'no S7'],
  ])('about sizes: %s', (_name, message, expected) => {
    expect(outcome(() => parseSetup(parseMessage(hex(message))))).toEqual(expected);
  });

  it.each([
    ['done', '3203 0000 0001 0002 0001 0000 0501 ff', undefined],
    ['refused', '3203 0000 0001 0002 0001 0000 0501 03', 'item 3'],
    ['refused as a whole', '3203 0000 0001 0000 0000 8104', 'request 33028'],
    ['two items', '3203 0000 0001 0002 0002 0000 0502 ffff', 'no S7'],
    ['no item', '3203 0000 0001 0002 0000 0000 0501', 'no S7'],
  ])('to a write: %s', (_name, message, expected) => {
    expect(outcome(() => parseWriteAnswer(parseMessage(hex(message))))).toEqual(expected);
  });

  it('come in parts for a list, whose records are only taken when all are there', () => {
    const part = parseSystemListPart(
      parseMessage(hex('3207 0000 0001 000c 0008 000112081284010701010000 ff090004 001c0000')),
    );
    expect(part).toEqual({ isLast: false, sequence: 7, content: hex('001c0000') });
    expect(parseSystemList(hex('001c0000 0004 0002 00014142 00074344'))).toEqual([
      hex('00014142'),
      hex('00074344'),
    ]);
    for (const short of ['', '001c0000', '001c0000 0004 0002 0001414200', '001c0000 0000 ffff'])
      expect(parseSystemList(hex(short))).toEqual([]);
  });

  it('of any bytes lead to S7FormatError or S7Refusal, and nothing else', () => {
    const messages = fc
      .tuple(
        fc.constantFrom('3203', '3202', '3207'),
        fc.uint8Array({ maxLength: 14 }),
        fc.uint8Array({ maxLength: 30 }),
      )
      .map(([start, parameters, data]) => {
        const header = hex(`${start}00000001 0000 0000${start === '3207' ? '' : '0000'}`);
        header.writeUInt16BE(parameters.length, 6);
        header.writeUInt16BE(data.length, 8);
        return Buffer.concat([header, parameters, data]);
      });
    const range = { area: DB250, offset: 0, bytes: 2 };
    fc.assert(
      fc.property(
        fc.oneof(
          messages,
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          outcome(() => parseFrame(Buffer.concat([hex('0300 0100'), bytes, hex('000000')])));
          outcome(() => parseSetup(parseMessage(bytes)));
          outcome(() => parseReadAnswer(parseMessage(bytes), [range, range]));
          outcome(() => parseWriteAnswer(parseMessage(bytes)));
          outcome(() => parseSystemListPart(parseMessage(bytes)));
          outcome(() => parseSystemList(bytes));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
