import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TIME_FORMS } from './s7-time.ts';

const { DTL, DT } = TIME_FORMS;

describe('DTL', () => {
  it.each([
    // The initial value of every DTL in TIA Portal: DTL#1970-01-01-00:00:00, a Thursday.
    ['07b201010500000000000000', '1970-01-01T00:00:00.000Z'],
    // DTL#2012-10-16-20:30:20.250, a Tuesday.
    ['07dc0a1003141e140ee6b280', '2012-10-16T20:30:20.250Z'],
    // The last one that an S7-1500 knows, but for the nanoseconds.
    ['08d6040b06172f1032e70180', '2262-04-11T23:47:16.854Z'],
  ])('%s is %s', (hex, iso) => {
    const bytes = Buffer.from(hex, 'hex');
    expect(new Date(DTL.decode(bytes)).toISOString()).toBe(iso);
    expect(DTL.encode(Date.parse(iso)).toString('hex')).toBe(hex);
  });

  it('takes off the part of a millisecond that it has beyond them', () => {
    expect(DTL.decode(Buffer.from('07dc0a1003141e143b9ac9ff', 'hex'))).toBe(
      Date.UTC(2012, 9, 16, 20, 30, 20, 999),
    );
  });

  it.each([
    ['zeros', '000000000000000000000000'],
    ['a month that is none', '07dc0d1003141e140ee6b280'],
    ['February 30th', '07dc021e03141e140ee6b280'],
    ['an hour that is none', '07dc0a1003181e140ee6b280'],
    ['more nanoseconds than a second has', '07dc0a1003141e143b9aca00'],
    ['a year before 1970', '07b10101050000000e000000'],
  ])('%s are no moment', (_name, hex) => {
    expect(DTL.decode(Buffer.from(hex, 'hex'))).toBeNaN();
  });
});

describe('DATE_AND_TIME', () => {
  it.each([
    // DT#1993-12-25-08:01:01.230, a Saturday: the example of the manual of STEP 7.
    ['9312250801012307', '1993-12-25T08:01:01.230Z'],
    // The first and the last.
    ['9001010000000002', '1990-01-01T00:00:00.000Z'],
    ['8912312359599997', '2089-12-31T23:59:59.999Z'],
  ])('%s is %s', (hex, iso) => {
    expect(new Date(DT.decode(Buffer.from(hex, 'hex'))).toISOString()).toBe(iso);
    expect(DT.encode(Date.parse(iso)).toString('hex')).toBe(hex);
  });

  it.each([
    ['zeros', '0000000000000000'],
    ['a digit that is none', '93122508010a2307'],
    ['a month that is none', '9313250801012307'],
    ['February 29th of no leap year', '9302290801012307'],
    ['a minute that is none', '9312250860012307'],
  ])('%s are no moment', (_name, hex) => {
    expect(DT.decode(Buffer.from(hex, 'hex'))).toBeNaN();
  });
});

describe.each(Object.entries(TIME_FORMS))('%s', (_name, form) => {
  it('gives back every millisecond within its limits', () => {
    fc.assert(
      fc.property(fc.integer({ min: form.earliest, max: form.latest }), (ms) => {
        expect(form.encode(ms)).toHaveLength(form.bytes);
        expect(form.decode(form.encode(ms))).toBe(ms);
      }),
    );
  });

  it('takes any bytes, and gives a moment or NaN', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: form.bytes, maxLength: form.bytes }), (bytes) => {
        const ms = form.decode(Buffer.from(bytes));
        expect(Number.isNaN(ms) || Number.isInteger(ms)).toBe(true);
      }),
    );
  });

  it('writes zeros for no moment', () => {
    expect(form.encode(NaN)).toEqual(Buffer.alloc(form.bytes));
  });
});
