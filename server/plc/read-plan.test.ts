import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseArea } from './address.ts';
import { parseItem, type Item } from './items.ts';
import { planRead, type ReadPlan } from './read-plan.ts';
import { parseMessage, parseReadAnswer, readRequest } from './s7-frames.ts';

const SPELLINGS = ['W', 'B', 'D', 'X', 'S', 'DTL', 'DT'] as const;

function item(address: string, area = 'DB250'): Item<unknown> {
  return parseItem(parseArea(area), address, { field: 'address', spellings: SPELLINGS });
}

function words(count: number, apartBytes: number, area = 'DB250'): Item<unknown>[] {
  return Array.from({ length: count }, (_, index) => item(`W${index * (2 + apartBytes)}`, area));
}

/** The blocks of each request: where they begin and how long they are. */
function shape({ requests }: ReadPlan): string[][] {
  return requests.map((blocks) => blocks.map(({ offset, bytes }) => `${offset}+${bytes}`));
}

const numbers = fc
  .tuple(fc.constantFrom('W', 'B', 'D', 'DTL', 'DT'), fc.oneof(fc.nat(400), fc.nat(60_000)))
  .map(([letter, offset]) => `${letter}${offset}`);
const texts = fc
  .tuple(fc.nat(400), fc.integer({ min: 1, max: 254 }))
  .map(([offset, length]) => `S${offset}.${length}`);
const items = fc.array(
  fc
    .tuple(
      fc.oneof(
        numbers,
        texts,
        fc.nat(4000).map((bit) => `X${bit}`),
      ),
      fc.constantFrom('DB250', 'DB1', 'M'),
    )
    .map(([address, area]) => item(address, area)),
  { maxLength: 150 },
);
const pduSizes = fc.oneof(fc.constantFrom(240, 480, 960), fc.integer({ min: 32, max: 960 }));

/** What these items cost at most: each alone, as shares of what a PDU holds of blocks and of bytes. */
function shares(of: readonly Item<unknown>[], pduBytes: number): number {
  const room = pduBytes - 14;
  const most = Math.min(20, Math.floor((pduBytes - 12) / 12));
  const longest = Math.floor((room - 4) / 2) * 2;
  return new Set(of.map(({ name }) => name)).size === 0
    ? 0
    : [...new Map(of.map((one) => [one.name, one])).values()]
        .flatMap(({ bytes }) =>
          Array.from({ length: Math.ceil(bytes / longest) }, (_, index) =>
            Math.min(longest, bytes - index * longest),
          ),
        )
        .reduce((sum, bytes) => sum + 1 / most + (4 + bytes + (bytes % 2)) / room, 0);
}

/** The fewest requests for words at these offsets, by trying all there are. */
function fewest(offsets: readonly number[], pduBytes: number): number {
  const [room, most] = [pduBytes - 14, Math.min(20, Math.floor((pduBytes - 12) / 12))];
  const fits = (run: readonly number[]): boolean => {
    for (let joined = 0; joined < 2 ** (run.length - 1); joined++) {
      let [blocks, bytes] = [1, 4 + 2];
      for (let at = 1; at < run.length; at++) {
        const isJoined = Math.floor(joined / 2 ** (at - 1)) % 2 === 1;
        bytes += isJoined ? (run[at] ?? 0) - (run[at - 1] ?? 0) : 4 + 2;
        if (!isJoined) blocks += 1;
      }
      if (blocks <= most && bytes <= room) return true;
    }
    return false;
  };
  const best = [0];
  for (let end = 1; end <= offsets.length; end++) {
    const counts = best.map((before, from) => (fits(offsets.slice(from, end)) ? before + 1 : Infinity));
    best.push(Math.min(...counts));
  }
  return best.at(-1) ?? 0;
}

describe('planRead', () => {
  it('reads neighbours together, and across a gap that costs no more than another item', () => {
    expect(shape(planRead([item('W0'), item('W2'), item('B4'), item('X40')], 240))).toEqual([['0+6']]);
    expect(shape(planRead([item('W0'), item('W6')], 240))).toEqual([['0+8']]);
    expect(shape(planRead([item('W0'), item('W7')], 240))).toEqual([['0+2', '7+2']]);
  });

  it('reads bytes once that several items share', () => {
    expect(shape(planRead([item('X3'), item('X4'), item('B0'), item('W0'), item('X4')], 240))).toEqual([
      ['0+2'],
    ]);
  });

  it('joins nothing across areas', () => {
    expect(shape(planRead([item('W0'), item('W2', 'DB251'), item('W4', 'M')], 240))).toEqual([
      ['0+2', '2+2', '4+2'],
    ]);
  });

  it('crosses the smallest gaps where there are more blocks than a request may have', () => {
    const wide = words(21, 10);
    wide[7] = item('W85');
    expect(shape(planRead(wide, 960))[0]).toHaveLength(20);
    expect(shape(planRead(wide, 960)).flat()).toContain('85+13');
  });

  it('asks for no more items at once than S7 allows, even where more bytes would fit', () => {
    const { requests } = planRead(
      Array.from({ length: 45 }, (_, index) => item('W0', `DB${index + 1}`)),
      960,
    );
    expect(requests.map((blocks) => blocks.length)).toEqual([20, 20, 5]);
  });

  it.each([
    [240, 111],
    [480, 231],
    [960, 471],
  ])('reads words side by side in PDUs of %i bytes, %i in each', (pduBytes, perPdu) => {
    for (const count of [1, 200, perPdu, perPdu + 1, 2 * perPdu, 2 * perPdu + 1])
      expect(planRead(words(count, 0), pduBytes).requests).toHaveLength(Math.ceil(count / perPdu));
  });

  it('cuts a text that is longer than a PDU', () => {
    expect(shape(planRead([item('S0.254')], 240))).toEqual([['0+222'], ['222+34']]);
  });

  it('keeps apart what it is told to, and joins the others across it', () => {
    const apart = new Set([item('W2').name]);
    expect(shape(planRead([item('W0'), item('W2'), item('W4')], 240, apart))).toEqual([['0+6', '2+2']]);
    const both = new Set([item('W2').name, item('W4').name]);
    expect(shape(planRead([item('W2'), item('W4')], 240, both))).toEqual([['2+2', '4+2']]);
  });

  it('asks for nothing where nothing is wanted', () => {
    expect(planRead([], 240).requests).toEqual([]);
  });

  it('covers every byte of every item, in order, whatever the items and the PDU', () => {
    fc.assert(
      fc.property(items, pduSizes, fc.nat(3), (wanted, pduBytes, everyNth) => {
        const apart = new Set(wanted.filter((_, index) => index % 4 < everyNth).map(({ name }) => name));
        const { requests, places } = planRead(wanted, pduBytes, apart);
        for (const { name, byteOffset, bytes } of wanted) {
          let next = byteOffset;
          for (const { request, block, at, bytes: length } of places.get(name) ?? []) {
            const found = requests[request]?.[block];
            expect((found?.offset ?? NaN) + at).toBe(next);
            expect(at + length).toBeLessThanOrEqual(found?.bytes ?? NaN);
            expect(found?.names).toContain(name);
            if (apart.has(name)) expect(found?.names).toEqual([name]);
            next += length;
          }
          expect(next).toBe(byteOffset + bytes);
        }
      }),
    );
  });

  it('lets no request and no answer exceed the PDU, nor the items of a request 20', () => {
    fc.assert(
      fc.property(items, pduSizes, (wanted, pduBytes) => {
        for (const blocks of planRead(wanted, pduBytes).requests) {
          expect(blocks.length).toBeLessThanOrEqual(20);
          // Seven bytes are no part of the PDU: the headers of RFC 1006 and ISO 8073.
          expect(readRequest(1, blocks).length - 7).toBeLessThanOrEqual(pduBytes);
          const data = blocks.map(({ bytes }) => {
            const padded = Buffer.alloc(4 + bytes + (bytes % 2));
            padded.set([0xff, 4, (bytes * 8) >> 8, (bytes * 8) & 0xff]);
            return padded;
          });
          const length = data.reduce((sum, { length: each }) => sum + each, 0);
          const header = Buffer.from([0x32, 3, 0, 0, 0, 1, 0, 2, length >> 8, length & 0xff, 0, 0, 4, 0]);
          header[13] = blocks.length;
          const answer = Buffer.concat([header, ...data]);
          expect(answer.length).toBeLessThanOrEqual(pduBytes);
          expect(parseReadAnswer(parseMessage(answer), blocks)).toHaveLength(blocks.length);
        }
      }),
    );
  });

  it('takes as few PDUs as any way to cut the items in order, and to join them', () => {
    const offsets = fc.uniqueArray(fc.nat(60), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(offsets, fc.constantFrom(32, 38, 48, 60, 73), (chosen, pduBytes) => {
        const sorted = chosen.map((offset) => offset * 2).sort((a, b) => a - b);
        const wanted = sorted.map((offset) => item(`W${offset}`));
        expect(planRead(wanted, pduBytes).requests).toHaveLength(fewest(sorted, pduBytes));
      }),
    );
  });

  it('takes at most twice the PDUs that the items fill by their bytes and number, and one', () => {
    fc.assert(
      fc.property(items, pduSizes, (wanted, pduBytes) => {
        const { requests } = planRead(wanted, pduBytes);
        expect(requests.length).toBeLessThanOrEqual(Math.ceil(2 * shares(wanted, pduBytes) + 1));
      }),
    );
  });
});
