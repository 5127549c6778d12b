/** The frames of S7 communication over ISO-on-TCP (RFC 1006), to and from bytes; knows no socket and no time. */
import type { Area } from './address.ts';

/** A run of bytes in one area of a PLC. */
export interface Range {
  readonly area: Area;
  /** 0..65535. */
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes that are not what S7 allows at this place: whoever sent them cannot be understood any further. */
export class S7FormatError extends Error {
  override readonly name = 'S7FormatError';
}

/**
 * A well-formed no. `iso`: to the connection (reason of ISO 8073, 13.5.3); `request`: to a whole request (error class
 * and code of the S7 header); `item`: to one item of it (its return code).
 */
export class S7Refusal extends Error {
  override readonly name = 'S7Refusal';
  readonly of: 'iso' | 'request' | 'item';
  readonly code: number;

  constructor(of: S7Refusal['of'], code: number) {
    super(`${{ iso: 'ISO reason', request: 'S7 error', item: 'S7 return code' }[of]} 0x${hex(code)}`);
    this.of = of;
    this.code = code;
  }
}

/** What CPUs say to one item; they differ in what they say when. */
export const ITEM_CODES = { accessDenied: 0x03, beyondTheEnd: 0x05, doesNotExist: 0x0a } as const;

/** What a frame of ISO-on-TCP carries. */
export type IsoFrame =
  | { readonly kind: 'confirm' }
  | { readonly kind: 'refusal'; readonly reason: number }
  /** `isLast`: ends the message. A frame without any content is a sign of life of older communication modules. */
  | { readonly kind: 'data'; readonly isLast: boolean; readonly content: Buffer };

/** An S7 message, its parts not yet looked at. */
export interface Message {
  readonly kind: 'answer' | 'user-data';
  /** That of the request it answers. */
  readonly reference: number;
  /** Error class and code; 0 is none. */
  readonly error: number;
  readonly parameters: Buffer;
  readonly data: Buffer;
}

/** What both sides agreed on. */
export interface Setup {
  /** How large an S7 message may be, either way. */
  readonly pduBytes: number;
  /** How many requests may be under way. */
  readonly parallel: number;
}

/** What nodes7 asks for: the largest PDU that any S7 CPU offers, and eight requests at a time. */
export const PDU_BYTES_ASKED = 960;
const PARALLEL_ASKED = 8;
/** One item of one byte just fits, both read and written. */
const SMALLEST_PDU_BYTES = 32;
/** Bytes of a PDU besides the items: the header (an answer's tells of errors), function and number of items. */
export const REQUEST_OVERHEAD = 12;
export const ANSWER_OVERHEAD = 14;
/** Bytes of an item besides its content: its address in a request; return code, transport size and length with data. */
export const ADDRESS_BYTES = 12;
export const DATA_HEADER_BYTES = 4;
/** S7 allows no more items in one request. */
export const MOST_ITEMS = 20;

const TPKT_VERSION = 3;
const TPKT_BYTES = 4;
/** Where an S7 message begins in a frame: behind TPKT and the three bytes of a data unit. */
const MESSAGE_AT = 7;
const NOTHING = Buffer.alloc(0);
/** TPKT and the shortest header of a transport unit, which itself tells its length without that byte. */
const SHORTEST_FRAME = 7;
const TRANSPORT = { confirm: 0xd0, disconnectRequest: 0x80, data: 0xf0 } as const;
const END_OF_MESSAGE = 0x80;
const S7_ID = 0x32;
const KIND = { request: 1, acknowledgement: 2, answer: 3, userData: 7 } as const;
const FUNCTION = { setup: 0xf0, read: 0x04, write: 0x05 } as const;
const ITEM_OK = 0xff;
/** In an address. */
const UNIT = { bit: 1, byte: 2 } as const;
/** With data: a length in bits for `bit`, `bits` and `integer`, in bytes for `octets`. */
const SIZE = { bit: 0x03, bits: 0x04, integer: 0x05, octets: 0x09 } as const;
const AREA_CODES: Readonly<Record<Area['kind'], number>> = { I: 0x81, Q: 0x82, M: 0x83, DB: 0x84 };

/** Asks for the bytes of up to `MOST_ITEMS` ranges. */
export function readRequest(reference: number, ranges: readonly Range[]): Buffer {
  const parameters = Buffer.alloc(2 + ranges.length * ADDRESS_BYTES);
  parameters.set([FUNCTION.read, ranges.length]);
  ranges.forEach((range, index) => writeAddress(parameters, 2 + index * ADDRESS_BYTES, UNIT.byte, range, 0));
  return message(KIND.request, reference, parameters);
}

/** Writes `content` from `offset` on; a single bit of the byte there where `bitNumber` is not null. */
export function writeRequest(
  reference: number,
  place: { readonly area: Area; readonly offset: number; readonly bitNumber: number | null },
  content: Buffer,
): Buffer {
  const isBit = place.bitNumber !== null;
  const unit = isBit ? UNIT.bit : UNIT.byte;
  const parameters = Buffer.alloc(2 + ADDRESS_BYTES);
  parameters.set([FUNCTION.write, 1]);
  writeAddress(parameters, 2, unit, { ...place, bytes: content.length }, place.bitNumber ?? 0);
  const header = Buffer.of(0, isBit ? SIZE.bit : SIZE.bits, 0, 0);
  header.writeUInt16BE(isBit ? 1 : content.length * 8, 2);
  return message(KIND.request, reference, parameters, Buffer.concat([header, content]));
}

/** Asks for a list of the system state (SZL); `sequence` as the part before it had, 0 for the first part. */
export function systemListRequest(reference: number, id: number, index: number, sequence = 0): Buffer {
  if (sequence > 0) {
    const next = Buffer.from([0, 1, 0x12, 8, 0x12, 0x44, 1, sequence, 0, 0, 0, 0]);
    return message(KIND.userData, reference, next, Buffer.of(0x0a, 0, 0, 0));
  }
  const data = Buffer.from([ITEM_OK, SIZE.octets, 0, 4, 0, 0, 0, 0]);
  data.writeUInt16BE(id, 4);
  data.writeUInt16BE(index, 6);
  return message(KIND.userData, reference, Buffer.from([0, 1, 0x12, 4, 0x11, 0x44, 1, 0]), data);
}

/**
 * Takes the stream of bytes, however it is cut, and gives the whole frames. Throws `S7FormatError` as soon as the
 * bytes can be no frame; frames before that are not given either, for the damage may have begun in them.
 */
export function createReceiver(): (chunk: Buffer) => Buffer[] {
  let unread: Buffer = Buffer.alloc(0);
  return (chunk) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    const frames: Buffer[] = [];
    for (let length = frameLength(unread); length !== null && length <= unread.length;) {
      frames.push(unread.subarray(0, length));
      unread = unread.subarray(length);
      length = frameLength(unread);
    }
    return frames;
  };
}

/** Reads the transport unit (ISO 8073) of a whole frame. Throws `S7FormatError`. */
export function parseFrame(bytes: Buffer): IsoFrame {
  const headerLength = bytes.readUInt8(TPKT_BYTES);
  const kind = bytes.readUInt8(TPKT_BYTES + 1) & 0xf0;
  const contentAt = TPKT_BYTES + 1 + headerLength;
  if (headerLength < 2 || contentAt > bytes.length)
    throw new S7FormatError('a header of ISO 8073 is cut off');
  if (kind === TRANSPORT.confirm) return { kind: 'confirm' };
  if (kind === TRANSPORT.disconnectRequest)
    return { kind: 'refusal', reason: headerLength >= 6 ? bytes.readUInt8(TPKT_BYTES + 6) : 0 };
  if (kind !== TRANSPORT.data) throw new S7FormatError(`no transport unit has the code 0x${hex(kind)}`);
  const isLast = (bytes.readUInt8(TPKT_BYTES + 2) & END_OF_MESSAGE) !== 0;
  return { kind: 'data', isLast, content: bytes.subarray(contentAt) };
}

/** Reads the header of an S7 message that a PLC sent. Throws `S7FormatError`. */
export function parseMessage(bytes: Buffer): Message {
  if (bytes.length < 10 || bytes[0] !== S7_ID) throw new S7FormatError('a message without the header of S7');
  const code = bytes.readUInt8(1);
  const isAnswer = code === KIND.answer || code === KIND.acknowledgement;
  if (!isAnswer && code !== KIND.userData) throw new S7FormatError(`a message of the kind ${code}`);
  const headerLength = isAnswer ? 12 : 10;
  const dataAt = headerLength + bytes.readUInt16BE(6);
  if (dataAt + bytes.readUInt16BE(8) !== bytes.length)
    throw new S7FormatError('a message of another length than it tells');
  return {
    kind: isAnswer ? 'answer' : 'user-data',
    reference: bytes.readUInt16BE(4),
    error: isAnswer ? bytes.readUInt16BE(10) : 0,
    parameters: bytes.subarray(headerLength, dataAt),
    data: bytes.subarray(dataAt),
  };
}

/** Reads what was agreed on. Throws `S7FormatError`, or `S7Refusal`. */
export function parseSetup(answer: Message): Setup {
  const { parameters, data } = expectAnswer(answer, FUNCTION.setup, 8);
  if (data.length > 0) throw new S7FormatError('an answer to something else');
  const pduBytes = Math.min(parameters.readUInt16BE(6), PDU_BYTES_ASKED);
  if (pduBytes < SMALLEST_PDU_BYTES) throw new S7FormatError(`messages of ${pduBytes} bytes`);
  const parallel = Math.min(parameters.readUInt16BE(2), parameters.readUInt16BE(4), PARALLEL_ASKED);
  return { pduBytes, parallel: Math.max(parallel, 1) };
}

/** Reads the bytes of each range, or why it was refused. Throws `S7FormatError`, or `S7Refusal` for the request as a whole. */
export function parseReadAnswer(answer: Message, ranges: readonly Range[]): (Buffer | S7Refusal)[] {
  const { parameters, data } = expectAnswer(answer, FUNCTION.read, 2);
  if (parameters[1] !== ranges.length) throw new S7FormatError('an answer to another number of items');
  let at = 0;
  const contents = ranges.map(({ bytes }, index) => {
    const content = readItem(data, at, bytes);
    at += DATA_HEADER_BYTES;
    // Some servers, Snap7 among them, give a refused item a length though nothing follows.
    if (content instanceof S7Refusal) return content;
    at += index < ranges.length - 1 ? bytes + (bytes % 2) : bytes;
    return content;
  });
  if (data.length - at > 1) throw new S7FormatError('more data than were asked for');
  return contents;
}

/** Reads whether one item was written. Throws `S7FormatError`, or `S7Refusal`. */
export function parseWriteAnswer(answer: Message): void {
  const { parameters, data } = expectAnswer(answer, FUNCTION.write, 2);
  if (parameters[1] !== 1 || data.length < 1 || data.length > 2)
    throw new S7FormatError('an answer to another number of items');
  const code = data.readUInt8(0);
  if (code !== ITEM_OK) throw new S7Refusal('item', code);
}

/** One part of a list of the system state. */
export interface SystemListPart {
  readonly isLast: boolean;
  /** Names the list, for asking for its next part. */
  readonly sequence: number;
  readonly content: Buffer;
}

/** Reads a part of a list; null where the CPU has no such list, or answers in a way of its own. */
export function parseSystemListPart({ kind, parameters, data }: Message): SystemListPart | null {
  if (kind !== 'user-data' || parameters.length < 12 || data.length < 4) return null;
  if (parameters.readUInt16BE(10) !== 0 || data[0] !== ITEM_OK) return null;
  if (data.readUInt16BE(2) !== data.length - 4) return null;
  return { isLast: parameters[9] === 0, sequence: parameters.readUInt8(7), content: data.subarray(4) };
}

/** Reads the records of a whole list, each with the two bytes of its index; none where it is malformed. */
export function parseSystemList(content: Buffer): Buffer[] {
  if (content.length < 8) return [];
  const length = content.readUInt16BE(4);
  const count = content.readUInt16BE(6);
  if (length < 2 || content.length < 8 + length * count) return [];
  return Array.from({ length: count }, (_, index) =>
    content.subarray(8 + index * length, 8 + (index + 1) * length),
  );
}

function readItem(data: Buffer, at: number, bytes: number): Buffer | S7Refusal {
  if (at + DATA_HEADER_BYTES > data.length) throw new S7FormatError('fewer items than were asked for');
  const code = data.readUInt8(at);
  if (code !== ITEM_OK) return new S7Refusal('item', code);
  const size = data.readUInt8(at + 1);
  const isInBits = size === SIZE.bits || size === SIZE.integer;
  if (data.readUInt16BE(at + 2) !== (isInBits ? bytes * 8 : bytes))
    throw new S7FormatError('an item of another length than was asked for');
  const from = at + DATA_HEADER_BYTES;
  if (from + bytes > data.length) throw new S7FormatError('an item that is cut off');
  return data.subarray(from, from + bytes);
}

function expectAnswer(answer: Message, code: number, parameterBytes: number): Message {
  if (answer.kind !== 'answer') throw new S7FormatError('an answer to something else');
  if (answer.error !== 0) throw new S7Refusal('request', answer.error);
  if (answer.parameters[0] !== code || answer.parameters.length !== parameterBytes)
    throw new S7FormatError('an answer to something else');
  return answer;
}

/** The length that the frame at the start of `bytes` tells, or null where too little of it is there. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length > 0 && bytes[0] !== TPKT_VERSION) throw new S7FormatError('no frame of RFC 1006');
  if (bytes.length < TPKT_BYTES) return null;
  const length = bytes.readUInt16BE(2);
  if (length < SHORTEST_FRAME) throw new S7FormatError(`a frame of ${length} bytes`);
  return length;
}

function writeAddress(
  into: Buffer,
  at: number,
  unit: number,
  { area, offset, bytes }: Range,
  bitNumber: number,
): void {
  into.set([0x12, 10, 0x10, unit], at);
  into.writeUInt16BE(bytes, at + 4);
  into.writeUInt16BE(area.kind === 'DB' ? area.number : 0, at + 6);
  into.writeUInt32BE(offset * 8 + bitNumber, at + 8);
  into.writeUInt8(AREA_CODES[area.kind], at + 8);
}

function message(kind: number, reference: number, parameters: Buffer, data = NOTHING): Buffer {
  const header = MESSAGE_AT + 10;
  const bytes = Buffer.alloc(header + parameters.length + data.length);
  bytes.set([TPKT_VERSION, 0, 0, 0, 2, TRANSPORT.data, END_OF_MESSAGE, S7_ID, kind]);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt16BE(reference, MESSAGE_AT + 4);
  bytes.writeUInt16BE(parameters.length, MESSAGE_AT + 6);
  bytes.writeUInt16BE(data.length, MESSAGE_AT + 8);
  bytes.set(parameters, header);
  bytes.set(data, header + parameters.length);
  return bytes;
}

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}
