/** Reads and writes where a number lies in a PLC: its area, its offset and width. */
import { invalidInput, type KeyswitchError } from '../errors.ts';

/** A memory area: a data block by number, or markers, process inputs, process outputs. */
export type Area =
  | { readonly kind: 'DB'; readonly number: number }
  | { readonly kind: 'M' }
  | { readonly kind: 'I' }
  | { readonly kind: 'Q' };

export type Width = 'bit' | 'byte' | 'word' | 'double-word';

/** Where in an area a value lies, and the largest whole number it holds (the smallest is 0). */
export interface Address {
  readonly width: Width;
  /** 0..65535. */
  readonly byteOffset: number;
  /** 0..7; 0 unless `width` is `bit`. */
  readonly bitNumber: number;
  /** 1, 255, 65535 or 4294967295: see `parseAddress` for why values are unsigned. */
  readonly max: number;
}

const DATA_BLOCK_LIMIT = 65535;
/** S7 areas are at most 64 KiB long. */
export const AREA_BYTES = 65536;

interface Form {
  readonly letter: string;
  readonly bytes: number;
  readonly max: number;
}

const FORMS: Readonly<Record<Width, Form>> = {
  bit: { letter: 'X', bytes: 1, max: 1 },
  byte: { letter: 'B', bytes: 1, max: 0xff },
  word: { letter: 'W', bytes: 2, max: 0xffff },
  'double-word': { letter: 'D', bytes: 4, max: 0xffffffff },
};
const WIDTHS = Object.keys(FORMS) as Width[];

/** English letters and the German ones of STEP 7 (Merker, Eingang, Ausgang). */
const LETTERS: ReadonlyMap<string, 'M' | 'I' | 'Q'> = new Map([
  ['M', 'M'],
  ['I', 'I'],
  ['E', 'I'],
  ['Q', 'Q'],
  ['A', 'Q'],
]);

/**
 * Parses an area: `DB1` to `DB65535` (a data block), `M` (markers), `I` or `E` (process inputs), `Q` or `A` (process
 * outputs). Letter case and spaces around do not count.
 *
 * Throws `invalid-input` for the field `area`.
 */
export function parseArea(text: string): Area {
  const trimmed = text.trim().toUpperCase();
  const letter = LETTERS.get(trimmed);
  if (letter !== undefined) return { kind: letter };
  const number = Number(/^DB\s*(\d{1,9})$/.exec(trimmed)?.[1] ?? 0);
  if (number >= 1 && number <= DATA_BLOCK_LIMIT) return { kind: 'DB', number };
  throw invalidInput(
    'area',
    `${quote(text)} is not a data block from DB1 to DB${DATA_BLOCK_LIMIT}, nor M, I (E) or Q (A). Example: DB250`,
  );
}

/** Writes the one form that `parseArea` reads back as the same area; English letters. */
export function formatArea(area: Area): string {
  return area.kind === 'DB' ? `DB${area.number}` : area.kind;
}

/**
 * Parses an address: `W188` (word), `B188` (byte), `D188` (double word), each with its BYTE offset, and `X1507` (bit)
 * with its BIT offset, byte * 8 + bit, as iAuth has it. Letter case and spaces around do not count.
 *
 * Values are unsigned: a level or a user's number is a count, iAuth's data are written without a sign, and a PLC
 * program that declares the word as INT sees the same bits up to 32767.
 *
 * Throws `invalid-input` for `field` when it is malformed or reaches beyond the 64 KiB of an area.
 */
export function parseAddress(text: string, field = 'address'): Address {
  const match = /^([A-Z])\s*(\d{1,9})$/.exec(text.trim().toUpperCase());
  const width = WIDTHS.find((candidate) => FORMS[candidate].letter === match?.[1]);
  if (match === null || width === undefined) throw malformed(text, field);
  const offset = Number(match[2]);
  const last = lastOffset(width);
  if (offset > last)
    throw invalidInput(
      field,
      `${quote(text)} reaches beyond the area: ${FORMS[width].letter}${last} is the last ${width.replace('-', ' ')}`,
    );
  return {
    width,
    ...(width === 'bit' ? splitBitOffset(offset) : { byteOffset: offset, bitNumber: 0 }),
    max: FORMS[width].max,
  };
}

/** Writes the one form that `parseAddress` reads back as the same address. */
export function formatAddress({ width, byteOffset, bitNumber }: Address): string {
  return `${FORMS[width].letter}${width === 'bit' ? byteOffset * 8 + bitNumber : byteOffset}`;
}

/** How many bytes a value of this width occupies, or lies in. */
export function bytesOf(width: Width): number {
  return FORMS[width].bytes;
}

function splitBitOffset(offset: number): { byteOffset: number; bitNumber: number } {
  return { byteOffset: Math.floor(offset / 8), bitNumber: offset % 8 };
}

function lastOffset(width: Width): number {
  return width === 'bit' ? AREA_BYTES * 8 - 1 : AREA_BYTES - FORMS[width].bytes;
}

function malformed(text: string, field: string): KeyswitchError {
  return invalidInput(
    field,
    `${quote(text)} is not W (word), B (byte) or D (double word) with a byte offset, nor X (bit) with a bit offset. Example: W188`,
  );
}

/** Shows what somebody typed in a message, not more of it than is needed. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}

/** An area and an address as STEP 7 and TIA Portal write them: `DB250.DBW188`, `DB250.DBX188.3`, `MW10`, `M10.3`. */
export function s7Name(area: string, address: string): string {
  const { width, byteOffset, bitNumber } = parseAddress(address);
  const block = area.startsWith('DB') ? `${area}.DB` : area;
  if (width !== 'bit') return `${block}${address}`;
  return `${block}${area.startsWith('DB') ? 'X' : ''}${byteOffset}.${bitNumber}`;
}
