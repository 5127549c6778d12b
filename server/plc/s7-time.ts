/** The two forms in which S7 programs keep a moment: DTL (S7-1200, S7-1500) and DATE_AND_TIME (S7-300, S7-400); here always UTC. */

/**
 * One form of a moment: its length and its limits, milliseconds since the epoch.
 *
 * `decode` gives NaN for what is no moment, such as the zeros of a block that nobody has written; `encode` writes
 * zeros for NaN.
 */
export interface TimeForm {
  readonly bytes: number;
  readonly earliest: number;
  readonly latest: number;
  decode(bytes: Buffer): number;
  encode(ms: number): Buffer;
}

/**
 * DTL: year (UINT), month, day, weekday (1 is Sunday), hour, minute, second (USINT each), nanosecond (UDINT).
 * Its limits are those of an S7-1500.
 */
const DTL: TimeForm = {
  bytes: 12,
  earliest: Date.UTC(1970, 0, 1),
  latest: Date.UTC(2262, 3, 11, 23, 47, 16, 854),
  decode(bytes) {
    return moment([
      bytes.readUInt16BE(0),
      bytes.readUInt8(2),
      bytes.readUInt8(3),
      bytes.readUInt8(5),
      bytes.readUInt8(6),
      bytes.readUInt8(7),
      Math.floor(bytes.readUInt32BE(8) / 1e6),
    ]);
  },
  encode(ms) {
    const bytes = Buffer.alloc(DTL.bytes);
    if (Number.isNaN(ms)) return bytes;
    const date = new Date(ms);
    bytes.writeUInt16BE(date.getUTCFullYear(), 0);
    bytes.set([date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCDay() + 1], 2);
    bytes.set([date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()], 5);
    bytes.writeUInt32BE(date.getUTCMilliseconds() * 1e6, 8);
    return bytes;
  },
};

/**
 * DATE_AND_TIME: two decimal digits a byte (BCD): year (90 to 99 are 1990 to 1999, 00 to 89 are 2000 to 2089), month,
 * day, hour, minute, second, milliseconds, and the weekday (1 is Sunday) as the last digit.
 */
const DT: TimeForm = {
  bytes: 8,
  earliest: Date.UTC(1990, 0, 1),
  latest: Date.UTC(2089, 11, 31, 23, 59, 59, 999),
  decode(bytes) {
    const digits = bytes.toString('hex', 0, DT.bytes);
    if (!/^\d{15}/.test(digits)) return NaN;
    const pair = (at: number): number => Number(digits.slice(at, at + 2));
    const year = pair(0) >= 90 ? 1900 + pair(0) : 2000 + pair(0);
    return moment([year, pair(2), pair(4), pair(6), pair(8), pair(10), Number(digits.slice(12, 15))]);
  },
  encode(ms) {
    if (Number.isNaN(ms)) return Buffer.alloc(DT.bytes);
    const date = new Date(ms);
    // 2026-11-22T06:38:11.123Z: the digits stand there in the right order, after those of the century.
    const digits = date.toISOString().replaceAll(/\D/g, '').slice(2);
    return Buffer.from(`${digits}${date.getUTCDay() + 1}`, 'hex');
  },
};

export const TIME_FORMS = { DTL, DT } as const;

/** The moment with these parts, or NaN where there is none: Date.UTC would take February 30th for March 2nd. */
function moment(parts: readonly [number, number, number, number, number, number, number]): number {
  const [year, month, day, hour, minute, second, millisecond] = parts;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  const date = new Date(ms);
  const isSame =
    year >= 1970 &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return isSame ? ms : NaN;
}
