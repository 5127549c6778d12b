import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeOf } from './place.ts';

test.each([
  ['an IPv4 address', '192.0.2.7', '192.0.2.7'],
  ['an IPv4 address in IPv6', '::ffff:192.0.2.7', '192.0.2.7'],
  ['the same in hexadecimal', '::FFFF:c000:207', '192.0.2.7'],
  ['the same at full length', '0:0:0:0:0:ffff:c000:0207', '192.0.2.7'],
  ['an IPv6 address', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['its neighbour, shortened', '2001:0DB8:1:2::6', '2001:db8:1:2::/64'],
  ['one of another network', '2001:db8:1:3::6', '2001:db8:1:3::/64'],
  ['one that begins with nothing', '::2:3:4:5:6:7', '0:0:2:3::/64'],
  ['one that ends with nothing', '2001:db8::', '2001:db8:0:0::/64'],
  ['one with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['one that ends as IPv4', '64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
  ['the loopback address', '::1', '0:0:0:0::/64'],
  ['the machine itself', null, 'here'],
  ['what is no address', 'pipe', 'pipe'],
])('%s is the place it should be', (_name, address, expected) => {
  expect(placeOf(address)).toBe(expected);
});

/** An address of eight groups, with or without leading zeros, in either letter case. */
const group = fc.integer({ min: 1, max: 0xffff });
const written = (value: number): fc.Arbitrary<string> => {
  const short = value.toString(16);
  const long = short.padStart(4, '0');
  return fc.constantFrom(short, long, short.toUpperCase(), long.toUpperCase());
};

test('addresses of one /64 are one place, however they are written, and those of another are not', () => {
  const network = fc.array(group, { minLength: 4, maxLength: 4 });
  const addressIn = (groups: readonly number[]): fc.Arbitrary<string> =>
    fc
      .array(group, { minLength: 0, maxLength: 4 })
      .chain((host) => fc.tuple(...[...groups, ...host].map(written)).map((parts) => ({ parts, host })))
      .map(({ parts, host }) => parts.join(':') + (host.length < 4 ? '::' : ''));
  fc.assert(
    fc.property(
      network.chain((groups) => fc.tuple(fc.constant(groups), addressIn(groups), addressIn(groups))),
      network.chain((groups) => fc.tuple(fc.constant(groups), addressIn(groups))),
      ([groups, one, another], [otherGroups, elsewhere]) => {
        expect(placeOf(one)).toBe(placeOf(another));
        if (groups.join() !== otherGroups.join()) expect(placeOf(elsewhere)).not.toBe(placeOf(one));
      },
    ),
  );
});

test('any text has a place', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.ipV4()), (text) => {
      expect(placeOf(text)).toMatch(/^[^]*$/);
      expect(placeOf(text)).not.toMatch(/NaN|undefined/);
    }),
  );
});
