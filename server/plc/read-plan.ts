/** Decides which bytes are asked for in which request, so that any set of items costs few PDUs. */
import { formatArea } from './address.ts';
import type { Item } from './items.ts';
import {
  ADDRESS_BYTES,
  ANSWER_OVERHEAD,
  DATA_HEADER_BYTES,
  MOST_ITEMS,
  REQUEST_OVERHEAD,
  type Range,
} from './s7-frames.ts';

/** Bytes that are read together, and for which items. */
export interface Block extends Range {
  readonly names: readonly string[];
}

/** Where some bytes of an item are found: in which request, in which of its blocks, and from which byte of that. */
export interface Place {
  readonly request: number;
  readonly block: number;
  readonly at: number;
  readonly bytes: number;
}

export interface ReadPlan {
  readonly requests: readonly (readonly Block[])[];
  /** By the name of the item; more than one place, in order, where it is longer than a PDU. */
  readonly places: ReadonlyMap<string, readonly Place[]>;
}

/** Bytes of one item that cannot be parted; `group`: with whom they may be read together. */
interface Piece extends Range {
  readonly name: string;
  readonly group: string;
}

/** What a PDU holds. */
interface Room {
  readonly blocks: number;
  /** For the blocks of an answer with their headers. */
  readonly bytes: number;
}

/**
 * Plans the reading of `items` where PDUs of `pduBytes` were agreed on; items whose names are in `apart` share their
 * bytes with no other.
 *
 * Items go in the order of their addresses. A request takes as many as fit, each time with the best choice of which
 * gaps are read as well; so no plan that keeps to that order takes fewer PDUs.
 */
export function planRead(
  items: readonly Item<unknown>[],
  pduBytes: number,
  apart: ReadonlySet<string> = new Set(),
): ReadPlan {
  const room: Room = {
    blocks: Math.min(MOST_ITEMS, Math.floor((pduBytes - REQUEST_OVERHEAD) / ADDRESS_BYTES)),
    bytes: pduBytes - ANSWER_OVERHEAD,
  };
  const distinct = [...new Map(items.map((item) => [item.name, item])).values()];
  const pieces = distinct.flatMap((item) => cut(item, room, apart.has(item.name))).sort(byAddress);
  const requests: Block[][] = [];
  const places = new Map<string, Place[]>(distinct.map(({ name }) => [name, []]));
  for (let from = 0; from < pieces.length;) {
    const count = mostThatFit(pieces, from, room);
    const taken = pieces.slice(from, from + count);
    const blocks = join(taken, room.blocks);
    for (const piece of taken) places.get(piece.name)?.push(find(piece, blocks, requests.length));
    requests.push(blocks);
    from += count;
  }
  return { requests, places };
}

/** An item in pieces that a PDU can hold. */
function cut({ name, area, byteOffset, bytes }: Item<unknown>, room: Room, isApart: boolean): Piece[] {
  const longest = evenFloor(room.bytes - DATA_HEADER_BYTES);
  const group = isApart ? name : formatArea(area);
  return Array.from({ length: Math.ceil(bytes / longest) }, (_, index) => {
    const done = index * longest;
    return { name, group, area, offset: byteOffset + done, bytes: Math.min(longest, bytes - done) };
  });
}

function byAddress(one: Piece, other: Piece): number {
  if (one.group !== other.group) return one.group < other.group ? -1 : 1;
  return one.offset - other.offset || one.bytes - other.bytes;
}

/** How many pieces from `from` on fit into one PDU, at least one; found by halving, for fewer fit where more do. */
function mostThatFit(pieces: readonly Piece[], from: number, room: Room): number {
  let fits = 1;
  let tooMany = pieces.length - from + 1;
  while (tooMany - fits > 1) {
    const tried = Math.floor((fits + tooMany) / 2);
    const blocks = join(pieces.slice(from, from + tried), room.blocks);
    const bytes = blocks.reduce((sum, block) => sum + DATA_HEADER_BYTES + evenCeil(block.bytes), 0);
    if (blocks.length <= room.blocks && bytes <= room.bytes) fits = tried;
    else tooMany = tried;
  }
  return fits;
}

/**
 * Joins pieces, in order, to blocks: across every gap that costs no more than the header of another block, and across
 * the smallest of the others until there are at most `most` blocks (or no gap is left within an area).
 */
function join(pieces: readonly Piece[], most: number): Block[] {
  const gaps = gapsBefore(pieces).map((gap, index) => ({ gap, index }));
  const costly = gaps.filter(({ gap }) => gap > DATA_HEADER_BYTES);
  const joinable = costly.filter(({ gap }) => gap < Infinity).sort((a, b) => a.gap - b.gap);
  const crossed = new Set(joinable.slice(0, Math.max(0, costly.length - most)).map(({ index }) => index));
  const starts = new Set(costly.filter(({ index }) => !crossed.has(index)).map(({ index }) => index));
  const blocks: { offset: number; bytes: number; area: Range['area']; names: string[] }[] = [];
  pieces.forEach(({ area, offset, bytes, name }, index) => {
    const last = blocks.at(-1);
    if (last === undefined || starts.has(index))
      return void blocks.push({ area, offset, bytes, names: [name] });
    last.bytes = Math.max(last.bytes, offset + bytes - last.offset);
    last.names.push(name);
  });
  return blocks;
}

/** How many unwanted bytes lie before each piece; infinitely many before the first of a group. */
function gapsBefore(pieces: readonly Piece[]): number[] {
  let group: string | null = null;
  let reach = 0;
  return pieces.map((piece) => {
    const gap = piece.group === group ? piece.offset - reach : Infinity;
    reach = piece.group === group ? Math.max(reach, piece.offset + piece.bytes) : piece.offset + piece.bytes;
    group = piece.group;
    return gap;
  });
}

function find(piece: Piece, blocks: readonly Block[], request: number): Place {
  const block = blocks.findIndex(
    ({ names, offset, bytes }) =>
      names.includes(piece.name) && offset <= piece.offset && piece.offset + piece.bytes <= offset + bytes,
  );
  return { request, block, at: piece.offset - (blocks[block]?.offset ?? 0), bytes: piece.bytes };
}

function evenFloor(bytes: number): number {
  return bytes - (bytes % 2);
}

/** Every item of an answer but the last begins at an even byte; some servers fill up the last one too. */
function evenCeil(bytes: number): number {
  return bytes + (bytes % 2);
}
