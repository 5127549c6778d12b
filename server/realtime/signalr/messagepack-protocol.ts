/** The hub protocol in MessagePack: one array a message, its type first, each after its length. */
import { decode, encode } from '@msgpack/msgpack';
import { binaryFraming, frameBinary } from './framing.ts';
import { hubFault, messageOf, TYPE, type Fields, type HostMessage, type HubProtocol } from './messages.ts';

/** What stands after the type, by type. */
const FIELDS: Readonly<Record<number, readonly string[]>> = {
  [TYPE.invocation]: ['headers', 'invocationId', 'target', 'arguments', 'streamIds'],
  [TYPE.streamInvocation]: ['headers', 'invocationId', 'target', 'arguments', 'streamIds'],
  [TYPE.streamItem]: ['headers', 'invocationId', 'item'],
  [TYPE.completion]: ['headers', 'invocationId', 'resultKind', 'result'],
  [TYPE.cancelInvocation]: ['headers', 'invocationId'],
  [TYPE.ping]: [],
  [TYPE.close]: ['error', 'allowReconnect'],
  [TYPE.ack]: ['sequenceId'],
  [TYPE.sequence]: ['sequenceId'],
};

const RESULT_KIND = { error: 1, nothing: 2 } as const;
const NO_HEADERS = {};

export const messagePackProtocol: HubProtocol = {
  name: 'messagepack',
  isBinary: true,
  framing: binaryFraming,
  decode: (message) => messageOf(named(readArray(message))),
  encode: (message) => frameBinary(encode(inOrder(message))),
};

function readArray(bytes: Buffer): readonly unknown[] {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw hubFault('a message is one MessagePack array', cause);
  }
  if (!Array.isArray(value)) throw hubFault('a message is one MessagePack array');
  return value;
}

function named([type, ...values]: readonly unknown[]): Fields {
  const names = FIELDS[type as number] ?? [];
  const fields = Object.fromEntries(names.map((name, at) => [name, values[at]]));
  const { resultKind, result } = fields;
  return { type, ...fields, ...(resultKind === RESULT_KIND.error && { error: result }) };
}

function inOrder(message: HostMessage): unknown[] {
  const { type } = message;
  switch (type) {
    case TYPE.invocation:
    case TYPE.streamInvocation:
      return [type, NO_HEADERS, message.invocationId ?? null, message.target, message.arguments, []];
    case TYPE.completion:
      return message.error === undefined
        ? [type, NO_HEADERS, message.invocationId, RESULT_KIND.nothing]
        : [type, NO_HEADERS, message.invocationId, RESULT_KIND.error, message.error];
    case TYPE.ping:
      return [type];
    case TYPE.close:
      return [type, message.error ?? null, message.allowReconnect ?? false];
    case TYPE.ack:
    case TYPE.sequence:
      return [type, message.sequenceId];
  }
}
