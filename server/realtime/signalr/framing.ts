/** Where one message ends and the next begins, wherever the transport has split them (HubProtocol.md: 0x1E, VarInt). */
import { hubFault } from './messages.ts';

/** Text messages end with it. */
export const RECORD_SEPARATOR = '\x1e';

export interface Framing {
  append(bytes: Buffer): void;
  /** The next whole message, without what frames it; null until more comes. `hub-protocol` where it is too large. */
  next(): Buffer | null;
  /** What was appended and is not taken yet. */
  rest(): Buffer;
}

/** Where the first message of some bytes lies, and where the one after it starts; null while it is not whole. */
type Cut = (bytes: Buffer, maxBytes: number) => { start: number; end: number; next: number } | null;

const NOTHING = Buffer.alloc(0);
const SEPARATOR = 0x1e;

/** A length takes at most five bytes; the largest is 2^31 - 1. */
const LENGTH_BYTES = 5;

export const textFraming = (maxBytes: number): Framing => createFraming(cutAtSeparator, maxBytes);
export const binaryFraming = (maxBytes: number): Framing => createFraming(cutByLength, maxBytes);

/** Puts its length before a binary message. */
export function frameBinary(body: Uint8Array): Buffer {
  const prefix: number[] = [];
  let length = body.length;
  while (length > 0x7f) {
    prefix.push((length & 0x7f) | 0x80);
    length >>>= 7;
  }
  prefix.push(length);
  return Buffer.concat([Buffer.from(prefix), body]);
}

function createFraming(cut: Cut, maxBytes: number): Framing {
  let pending: Buffer = NOTHING;
  return {
    append(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    },
    next() {
      const found = cut(pending, maxBytes);
      if (found === null) return null;
      const message = pending.subarray(found.start, found.end);
      pending = found.next === pending.length ? NOTHING : pending.subarray(found.next);
      return message;
    },
    rest: () => pending,
  };
}

function cutAtSeparator(bytes: Buffer, maxBytes: number): ReturnType<Cut> {
  const end = bytes.indexOf(SEPARATOR);
  refuseLarger(end === -1 ? bytes.length : end, maxBytes);
  return end === -1 ? null : { start: 0, end, next: end + 1 };
}

function cutByLength(bytes: Buffer, maxBytes: number): ReturnType<Cut> {
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes.readUInt8(at);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) {
      refuseLarger(length, maxBytes);
      const start = at + 1;
      const end = start + length;
      return end > bytes.length ? null : { start, end, next: end };
    }
    if (at === LENGTH_BYTES - 1) throw hubFault('a length has more than five bytes');
  }
  return null;
}

function refuseLarger(length: number, maxBytes: number): void {
  if (length > maxBytes) throw hubFault(`a message has at most ${maxBytes} bytes`);
}
