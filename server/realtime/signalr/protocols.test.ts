import {
  MessageType,
  NullLogger,
  type HubMessage as OfficialMessage,
  type IHubProtocol,
} from '@microsoft/signalr';
import { JsonHubProtocol } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonProtocol } from './json-protocol.ts';
import { messagePackProtocol } from './messagepack-protocol.ts';
import { TYPE, type HostMessage, type HubMessage, type HubProtocol } from './messages.ts';

const MAX = 4096;

/** All whole messages in some bytes. */
function decodeAll(protocol: HubProtocol, wire: string | ArrayBuffer | Uint8Array): (HubMessage | null)[] {
  const framing = protocol.framing(MAX);
  framing.append(typeof wire === 'string' ? Buffer.from(wire) : Buffer.from(wire as Uint8Array));
  const messages: (HubMessage | null)[] = [];
  for (let next = framing.next(); next !== null; next = framing.next()) messages.push(protocol.decode(next));
  return messages;
}

function officialRead(
  official: IHubProtocol,
  protocol: HubProtocol,
  message: HostMessage,
): OfficialMessage[] {
  const wire = protocol.encode(message);
  const input = typeof wire === 'string' ? wire : new Uint8Array(wire).buffer;
  return official.parseMessages(input, NullLogger.instance);
}

const SPOKEN = [
  { protocol: jsonProtocol, official: new JsonHubProtocol() as IHubProtocol },
  { protocol: messagePackProtocol, official: new MessagePackHubProtocol() as IHubProtocol },
];

describe.each(SPOKEN)('in $protocol.name', ({ protocol, official }) => {
  const auth = { Authenticated: true, User: 'Jürgen "x" \x1e', Role: '5', Token: null };

  test.each<[string, OfficialMessage, HubMessage]>([
    [
      'an invocation',
      { type: MessageType.Invocation, invocationId: '7', target: 'Subscribe', arguments: ['id', 42, null] },
      { type: TYPE.invocation, invocationId: '7', target: 'Subscribe', arguments: ['id', 42, null] },
    ],
    [
      'an invocation that nobody waits for',
      { type: MessageType.Invocation, target: 'Unsubscribe', arguments: [] },
      { type: TYPE.invocation, target: 'Unsubscribe', arguments: [] },
    ],
    [
      'an invocation with headers and streams',
      {
        type: MessageType.Invocation,
        headers: { a: 'b' },
        invocationId: '7',
        target: 'x',
        arguments: [{ a: [1] }],
        streamIds: ['1'],
      },
      { type: TYPE.invocation, invocationId: '7', target: 'x', arguments: [{ a: [1] }] },
    ],
    [
      'the invocation of a stream',
      { type: MessageType.StreamInvocation, invocationId: '7', target: 'x', arguments: [] },
      { type: TYPE.streamInvocation, invocationId: '7', target: 'x', arguments: [] },
    ],
    [
      'an item of a stream',
      { type: MessageType.StreamItem, invocationId: '7', item: 1 },
      { type: TYPE.streamItem, invocationId: '7' },
    ],
    [
      'a completion',
      { type: MessageType.Completion, invocationId: '7' },
      { type: TYPE.completion, invocationId: '7' },
    ],
    [
      'a completion with a result',
      { type: MessageType.Completion, invocationId: '7', result: 'x' },
      { type: TYPE.completion, invocationId: '7' },
    ],
    [
      'a completion with an error',
      { type: MessageType.Completion, invocationId: '7', error: 'no' },
      { type: TYPE.completion, invocationId: '7', error: 'no' },
    ],
    [
      'a cancellation',
      { type: MessageType.CancelInvocation, invocationId: '7' },
      { type: TYPE.cancelInvocation, invocationId: '7' },
    ],
    ['a ping', { type: MessageType.Ping }, { type: TYPE.ping }],
    ['a close', { type: MessageType.Close }, { type: TYPE.close }],
    ['an acknowledgement', { type: MessageType.Ack, sequenceId: 1394 }, { type: TYPE.ack, sequenceId: 1394 }],
    [
      'a sequence',
      { type: MessageType.Sequence, sequenceId: 1234 },
      { type: TYPE.sequence, sequenceId: 1234 },
    ],
  ])('%s of the official client is read', (_, sent, read) => {
    expect(decodeAll(protocol, official.writeMessage(sent))).toEqual([read]);
  });

  test.each<[string, HostMessage]>([
    ['an invocation', { type: TYPE.invocation, target: 'UserChanged', arguments: [auth] }],
    ['a completion', { type: TYPE.completion, invocationId: '7' }],
    ['a completion with an error', { type: TYPE.completion, invocationId: '7', error: 'no' }],
    ['a ping', { type: TYPE.ping }],
    ['a close', { type: TYPE.close, error: 'stop', allowReconnect: true }],
    ['an acknowledgement', { type: TYPE.ack, sequenceId: 70_000 }],
    ['a sequence', { type: TYPE.sequence, sequenceId: 1 }],
  ])('%s of ours is read by the official client', (_, message) => {
    expect(officialRead(official, protocol, message)).toEqual([expect.objectContaining(message)]);
  });

  test('any argument comes to the official client as it is', () => {
    const values = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(values, (value) => {
        const message: HostMessage = { type: TYPE.invocation, target: 'x', arguments: [value] };
        // Zero has no sign in JSON.
        const [read] = officialRead(official, protocol, message) as { arguments?: unknown[] }[];
        expect(JSON.stringify(read?.arguments)).toBe(JSON.stringify([value]));
      }),
    );
  });

  test('several messages in one piece are all read', () => {
    const ping = official.writeMessage({ type: MessageType.Ping });
    const wire = Buffer.concat([1, 2, 3].map(() => Buffer.from(ping as string)));
    expect(decodeAll(protocol, wire)).toEqual([
      { type: TYPE.ping },
      { type: TYPE.ping },
      { type: TYPE.ping },
    ]);
  });

  test('any bytes are a message, of an unknown type, or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          protocol.decode(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: 'hub-protocol' });
        }
      }),
      { numRuns: 500 },
    );
  });

  test('anything in the shape of a message is one, of an unknown type, or refused', () => {
    const field = fc.oneof(fc.anything({ withDate: true }), fc.string(), fc.integer());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 11 }), fc.array(field, { maxLength: 6 }), (type, fields) => {
        const bytes = protocol.isBinary
          ? msgpack([type, ...fields])
          : json({
              type,
              invocationId: fields[0],
              target: fields[1],
              arguments: fields[2],
              sequenceId: fields[3],
            });
        if (bytes === null) return;
        try {
          const message = protocol.decode(Buffer.from(bytes));
          expect(message === null || message.type === type).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'hub-protocol' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What cannot be written cannot come either. */
function msgpack(value: unknown): Uint8Array | null {
  try {
    return encode(value);
  } catch {
    return null;
  }
}

function json(value: unknown): Buffer | null {
  try {
    return Buffer.from(JSON.stringify(value));
  } catch {
    return null;
  }
}

describe('the bytes that the specification shows', () => {
  const xyz = 'xyz';
  test.each<[string, string, HubMessage]>([
    [
      'an invocation',
      '960180a378797aa66d6574686f64912a90',
      { type: 1, invocationId: xyz, target: 'method', arguments: [42] },
    ],
    [
      'a non-blocking invocation',
      '960180c0a66d6574686f64912a90',
      { type: 1, target: 'method', arguments: [42] },
    ],
    [
      'a stream invocation',
      '960480a378797aa66d6574686f64912a90',
      { type: 4, invocationId: xyz, target: 'method', arguments: [42] },
    ],
    ['a stream item', '940280a378797a2a', { type: 2, invocationId: xyz }],
    ['an error result', '950380a378797a01a54572726f72', { type: 3, invocationId: xyz, error: 'Error' }],
    ['a void result', '940380a378797a02', { type: 3, invocationId: xyz }],
    ['a result', '950380a378797a032a', { type: 3, invocationId: xyz }],
    ['a cancellation', '930580a378797a', { type: 5, invocationId: xyz }],
    ['a ping', '9106', { type: 6 }],
    ['a close', '9207a378797a', { type: 7, error: xyz }],
    ['an acknowledgement', '9208cc24', { type: 8, sequenceId: 36 }],
    ['a sequence', '9209cc13', { type: 9, sequenceId: 19 }],
    [
      'headers',
      '960182a178a179a17aa17aa378797aa66d6574686f64912a90',
      { type: 1, invocationId: xyz, target: 'method', arguments: [42] },
    ],
  ])('of %s are read', (_, hex, message) => {
    expect(messagePackProtocol.decode(Buffer.from(hex, 'hex'))).toEqual(message);
  });

  test('of what the host writes are the same', () => {
    const bodyOf = (message: HostMessage): string =>
      Buffer.from(messagePackProtocol.encode(message) as Uint8Array)
        .subarray(1)
        .toString('hex');
    expect(bodyOf({ type: 1, invocationId: xyz, target: 'method', arguments: [42] })).toBe(
      '960180a378797aa66d6574686f64912a90',
    );
    expect(bodyOf({ type: 3, invocationId: xyz, error: 'Error' })).toBe('950380a378797a01a54572726f72');
    expect(bodyOf({ type: 3, invocationId: xyz })).toBe('940380a378797a02');
    expect(bodyOf({ type: 6 })).toBe('9106');
    expect(bodyOf({ type: 7, error: xyz, allowReconnect: true })).toBe('9307a378797ac3');
    expect(jsonProtocol.encode({ type: 6 })).toBe('{"type":6}\x1e');
    expect(jsonProtocol.encode({ type: 7, error: xyz, allowReconnect: true })).toBe(
      '{"type":7,"error":"xyz","allowReconnect":true}\x1e',
    );
    expect(jsonProtocol.encode({ type: 3, invocationId: '123' })).toBe('{"type":3,"invocationId":"123"}\x1e');
  });
});

describe('a message is refused', () => {
  test.each([
    ['that is no object', '[1]'],
    ['that is no JSON', '{"type":6'],
    ['without a type', '{}'],
    ['with a text as its type', '{"type":"6"}'],
    ['that invokes nothing', '{"type":1,"arguments":[]}'],
    ['without arguments', '{"type":1,"target":"x"}'],
    ['whose arguments are no list', '{"type":1,"target":"x","arguments":{}}'],
    ['whose invocation has a number', '{"type":1,"invocationId":7,"target":"x","arguments":[]}'],
    ['that acknowledges a fraction', '{"type":8,"sequenceId":1.5}'],
    ['that acknowledges less than nothing', '{"type":8,"sequenceId":-1}'],
    ['that goes on with no number', '{"type":9}'],
    ['that completes nothing', '{"type":3}'],
  ])('%s', (_, text) => {
    expect(() => jsonProtocol.decode(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'hub-protocol' }),
    );
  });

  test.each([
    [
      'that is not UTF-8',
      Buffer.concat([Buffer.from('{"type":6,"x":"'), Buffer.of(0xff), Buffer.from('"}')]),
    ],
    ['that is empty', Buffer.alloc(0)],
  ])('%s', (_, bytes) => {
    expect(() => jsonProtocol.decode(bytes)).toThrow(expect.objectContaining({ code: 'hub-protocol' }));
    expect(() => messagePackProtocol.decode(bytes)).toThrow(
      expect.objectContaining({ code: 'hub-protocol' }),
    );
  });

  test('of lists within lists, or that promises more than it holds', () => {
    for (const bytes of [
      Buffer.alloc(4096, 0x91),
      Buffer.from('ddffffffff', 'hex'),
      Buffer.from('910600', 'hex'),
    ]) {
      expect(() => messagePackProtocol.decode(bytes)).toThrow(
        expect.objectContaining({ code: 'hub-protocol' }),
      );
    }
    const nested = Buffer.from(`{"type":1,"target":"x","arguments":${'['.repeat(2000)}${']'.repeat(2000)}}`);
    expect(jsonProtocol.decode(nested)).toMatchObject({ target: 'x' });
  });

  test('never for having a type that is not known yet', () => {
    expect(jsonProtocol.decode(Buffer.from('{"type":10}'))).toBeNull();
    expect(messagePackProtocol.decode(Buffer.from('910a', 'hex'))).toBeNull();
  });
});
