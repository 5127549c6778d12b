/** What is read from and written to a PLC: numbers, texts and moments, each with its place and its bytes. */
import { invalidInput, KeyswitchError } from '../errors.ts';
import {
  AREA_BYTES,
  bytesOf,
  formatAddress,
  formatArea,
  parseAddress,
  quote,
  type Address,
  type Area,
} from './address.ts';
import { TIME_FORMS } from './s7-time.ts';

/** One value in a PLC. */
export interface Item<Value = number> {
  /** `DB250.W188`; items of equal name are equal. */
  readonly name: string;
  readonly area: Area;
  readonly byteOffset: number;
  /** How many bytes it occupies, or lies in. */
  readonly bytes: number;
  /** 0..7 where it is a single bit of its byte, else null. */
  readonly bitNumber: number | null;
  /** What `fits` lets in, for messages: `whole numbers from 0 to 65535`. */
  readonly limits: string;
  /** Tells whether `value` can be written. */
  fits(value: unknown): value is Value;
  /** Reads the value out of the item's bytes, which begin `at` (0) in `bytes`; whatever they are, they give one. */
  decode(bytes: Buffer, at?: number): Value;
  /** Makes the item's bytes of a value that fits; for a bit the one byte 0 or 1. */
  encode(value: Value): Buffer;
}

/** How an address is spelt: `W188`, `B188`, `D188`, `X1507`, `S190.32`, `DTL224`, `DT224`. */
export type Spelling = 'W' | 'B' | 'D' | 'X' | 'S' | 'DTL' | 'DT';

/** `S` is a text; all else is a number, `DTL` and `DT` milliseconds since the epoch. */
export type ValueOf<S extends Spelling> = S extends 'S' ? string : number;

/** Longest text of an S7 STRING. */
const LONGEST_TEXT = 254;
const EXAMPLES: Readonly<Record<Spelling, string>> = {
  W: 'W188',
  B: 'B188',
  D: 'D188',
  X: 'X1507',
  S: 'S190.32',
  DTL: 'DTL224',
  DT: 'DT224',
};

/** Makes the item of an unsigned number, big-endian as S7 has it, or of a bit (0 or 1). */
export function numberItem(area: Area, address: Address): Item {
  const { byteOffset, max, width } = address;
  const bytes = bytesOf(width);
  const bitNumber = width === 'bit' ? address.bitNumber : null;
  return {
    name: nameOf(area, formatAddress(address)),
    ...{ area, byteOffset, bytes, bitNumber },
    limits: `whole numbers from 0 to ${max}`,
    fits: (value): value is number =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max,
    decode: (content, at = 0) =>
      bitNumber === null ? content.readUIntBE(at, bytes) : (content.readUInt8(at) >> bitNumber) & 1,
    encode(value) {
      const content = Buffer.alloc(bytes);
      content.writeUIntBE(value, 0, bytes);
      return content;
    },
  };
}

/**
 * Makes the item of an S7 STRING of `maxLength` (1..254) characters: a byte with that maximum, a byte with the actual
 * length, and the characters in ISO 8859-1.
 *
 * Any text fits: characters that ISO 8859-1 does not have become `?`, and what is too long is cut. Of a string whose
 * header is damaged as much is read as can be there.
 */
export function textItem(area: Area, byteOffset: number, maxLength: number): Item<string> {
  return {
    name: nameOf(area, `S${byteOffset}.${maxLength}`),
    ...{ area, byteOffset, bytes: maxLength + 2, bitNumber: null },
    limits: `texts, of which ${maxLength} characters are kept`,
    fits: (value): value is string => typeof value === 'string',
    decode: (content, at = 0) =>
      content.toString('latin1', at + 2, at + 2 + Math.min(content.readUInt8(at + 1), maxLength)),
    encode(value) {
      const content = Buffer.alloc(maxLength + 2);
      const text = toLatin1(value).slice(0, maxLength);
      content.set([maxLength, text.length]);
      content.write(text, 2, 'latin1');
      return content;
    },
  };
}

/** Makes the item of a moment, milliseconds since the epoch, UTC in the PLC; NaN is no moment, zeros in the PLC. */
export function timeItem(area: Area, byteOffset: number, kind: keyof typeof TIME_FORMS): Item {
  const { bytes, earliest, latest, decode, encode } = TIME_FORMS[kind];
  return {
    name: nameOf(area, `${kind}${byteOffset}`),
    ...{ area, byteOffset, bytes, bitNumber: null },
    limits: `milliseconds since the epoch from ${earliest} to ${latest}`,
    fits: (value): value is number =>
      typeof value === 'number' &&
      (Number.isNaN(value) || (Number.isInteger(value) && value >= earliest && value <= latest)),
    decode: (content, at = 0) => decode(content.subarray(at, at + bytes)),
    encode,
  };
}

/**
 * Parses an address into its item: numbers as `parseAddress` has them, `S190.32` (a text: byte offset and longest
 * length), `DTL224` and `DT224` (moments). Letter case and spaces around do not count.
 *
 * Throws `invalid-input` for `field` where the address is malformed, reaches beyond the area, or is spelt in a way
 * that is not among `spellings`.
 */
export function parseItem<S extends Spelling>(
  area: Area,
  text: string,
  kinds: { readonly field: string; readonly spellings: readonly S[] },
): Item<ValueOf<S>> {
  const spelling = spellingOf(text);
  const isWanted = kinds.spellings.some((wanted) => wanted === spelling);
  if (spelling === null || !isWanted) throw malformed(text, kinds);
  return makeItem(area, text, spelling, kinds.field) as Item<unknown> as Item<ValueOf<S>>;
}

/** Writes the one form that `parseItem` reads back as an equal item. */
export function formatItem(item: Item<unknown>): string {
  return item.name.slice(item.name.indexOf('.') + 1);
}

/** Says that `value` cannot be written to `item`: `plc-value-invalid`. A text is not repeated: it may be a name. */
export function valueInvalid(item: Item<unknown>, value: unknown): KeyswitchError {
  const given = typeof value === 'string' ? 'a text' : String(value);
  return new KeyswitchError('plc-value-invalid', `${item.name} takes ${item.limits}, not ${given}.`);
}

function makeItem(area: Area, text: string, spelling: Spelling, field: string): Item | Item<string> {
  if (spelling !== 'S' && spelling !== 'DTL' && spelling !== 'DT')
    return numberItem(area, parseAddress(text, field));
  const [offset = 0, maxLength = 0] = (text.match(/\d+/g) ?? []).map(Number);
  if (spelling === 'S' && (maxLength < 1 || maxLength > LONGEST_TEXT))
    throw invalidInput(field, `${quote(text)} is no string of 1 to ${LONGEST_TEXT} characters`);
  const item = spelling === 'S' ? textItem(area, offset, maxLength) : timeItem(area, offset, spelling);
  if (offset + item.bytes > AREA_BYTES)
    throw invalidInput(field, `${quote(text)} reaches beyond the area: it takes ${item.bytes} bytes`);
  return item;
}

function spellingOf(text: string): Spelling | null {
  const match = /^(?:(S)\s*\d{1,9}\.\d{1,9}|([WBDX]|DTL?)\s*\d{1,9})$/.exec(text.trim().toUpperCase());
  return (match?.[1] ?? match?.[2] ?? null) as Spelling | null;
}

function malformed(
  text: string,
  { field, spellings }: { field: string; spellings: readonly Spelling[] },
): KeyswitchError {
  const examples = spellings.map((spelling) => EXAMPLES[spelling]).join(', ');
  return invalidInput(field, `${quote(text)} is not spelt like ${examples}`);
}

function nameOf(area: Area, address: string): string {
  return `${formatArea(area)}.${address}`;
}

function toLatin1(text: string): string {
  const characters = Array.from(text.normalize('NFC'));
  return characters.map((character) => (character > '\u00ff' ? '?' : character)).join('');
}
