import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newLinkSchema } from '../../server/http/contract.ts';
import { parseAddress, parseArea } from '../../server/plc/address.ts';
import { parseConnectionString } from '../../server/plc/connection-string.ts';
import { parseItem, type Spelling } from '../../server/plc/items.ts';
import { Problem } from '../shared/api.ts';
import { APP_ID } from '../shared/testing.ts';
import {
  AREAS,
  changedFields,
  EXTRAS,
  FAMILIES,
  familyOf,
  faultsFrom,
  faultsIn,
  fieldsOf,
  linkOf,
  NO_FIELDS,
  WIDTHS,
  wordName,
  type Field,
  type LinkFields,
} from './link-fields.ts';
import { createLink } from './testing.ts';

const GOOD: LinkFields = { ...NO_FIELDS, appId: APP_ID, peer: '10.0.0.5', block: '250', byte: '188' };
const SPELLINGS: Readonly<Record<(typeof EXTRAS)[number], Spelling[]>> = {
  lifeBit: ['X'],
  userName: ['S'],
  signInTime: ['DTL', 'DT'],
  request: ['W'],
  acknowledge: ['W'],
};

/** Whether the host's own parsers take the link, overlaps and pairs aside. */
function hostTakes(fields: LinkFields): boolean {
  try {
    const link = newLinkSchema.parse(linkOf(fields));
    parseConnectionString(link.connection);
    const area = parseArea(link.area);
    for (const extra of EXTRAS) {
      const text = link[extra];
      if (text !== null) parseItem(area, text, { field: extra, spellings: SPELLINGS[extra] });
    }
    return link.defaultValue <= parseAddress(link.address).max;
  } catch {
    return false;
  }
}

const number = fc.oneof(
  fc.integer({ min: -2, max: 300 }).map(String),
  fc.constantFrom(
    '',
    ' 7 ',
    '1.5',
    '1e3',
    '65535',
    '65536',
    '70000',
    '4294967295',
    '4294967296',
    '9999999999',
  ),
  fc.string({ maxLength: 4 }),
);
const optional = fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: number });
const peer = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV6().map((ip) => `[${ip}]:1102`),
  fc.domain().filter((name) => name.length < 200),
  fc.tuple(fc.domain(), number).map(([name, port]) => `${name}:${port}`),
  fc.constantFrom(
    '10.5',
    '300.0.0.1',
    '010.0.0.1',
    'plc one',
    'plc;1',
    'plc,1',
    '[::1',
    'plc=1',
    '"plc"',
    '',
  ),
  fc.string({ maxLength: 12 }),
);
const anyFields: fc.Arbitrary<LinkFields> = fc.record({
  appId: fc.constant(APP_ID),
  peer,
  rack: number,
  slot: number,
  area: fc.constantFrom(...AREAS),
  block: number,
  width: fc.constantFrom(...WIDTHS),
  byte: number,
  bit: number,
  defaultValue: number,
  onConnect: fc.constantFrom('host', 'plc'),
  allowAdmin: fc.boolean(),
  lifeBit: fc.oneof(optional, fc.constantFrom('190.0', '65535.7', '190.8', '190.', '.3')),
  userName: optional,
  userNameLength: number,
  signInTime: optional,
  timeFormat: fc.constantFrom('DTL', 'DT'),
  request: optional,
  acknowledge: optional,
});
/** One field at a time is made up, so that most of what is tried is right but for it. */
const nearlyGood = fc
  .tuple(anyFields, fc.subarray(Object.keys(NO_FIELDS) as Field[], { maxLength: 4 }))
  .map(([made, fields]): LinkFields => ({
    ...GOOD,
    ...Object.fromEntries(fields.map((field) => [field, made[field]])),
  }));

test('has a fault exactly where the host would refuse', () => {
  fc.assert(
    fc.property(nearlyGood, (fields) => {
      const faults = Object.values(faultsIn(fields)).filter(
        (fault) => !('key' in fault) || !['links.fault.overlap', 'links.fault.pair'].includes(fault.key),
      );
      // A semicolon or quotes around all of it belong to a connection string, not to what is in it.
      const isOdd = /[;"']/.test(fields.peer + fields.rack + fields.slot);
      if (faults.length === 0 || !isOdd) expect(hostTakes(fields)).toBe(faults.length === 0);
    }),
    { numRuns: 2000 },
  );
});

test('a link is the same when it was opened and nothing was changed', () => {
  fc.assert(
    fc.property(nearlyGood, (fields) => {
      fc.pre(Object.keys(faultsIn(fields)).length === 0 && !/[A-Z]|^0|\b0\d|:/.test(fields.peer));
      const { connection, ...rest } = linkOf(fields);
      const host = parseConnectionString(connection);
      const link = createLink({
        ...rest,
        connection: `Data Source=${host.host}:${host.port},${host.rack},${host.slot}`,
      } as Partial<ReturnType<typeof createLink>>);
      const again = createLink(linkOf(fieldsOf(link)) as typeof link);
      expect({ ...again, connection: '' }).toEqual({ ...link, connection: '' });
      expect(parseConnectionString(again.connection)).toEqual(host);
      expect(changedFields(fieldsOf(link), fieldsOf(link))).toEqual([]);
    }),
  );
});

test('opens every part of a link, and sends it back as it was', () => {
  const link = createLink({
    connection: 'Data Source=plc.local:1102,1,3',
    address: 'X1507',
    defaultValue: 1,
    lifeBit: 'X1520',
    userName: 'S192.32',
    signInTime: 'DT240',
    request: 'W260',
    acknowledge: 'W262',
  });
  expect(fieldsOf(link)).toMatchObject({
    peer: 'plc.local:1102',
    rack: '1',
    slot: '3',
    block: '250',
    width: 'bit',
    byte: '188',
    bit: '3',
    lifeBit: '190.0',
    userName: '192',
    userNameLength: '32',
    signInTime: '240',
    timeFormat: 'DT',
    request: '260',
    acknowledge: '262',
  });
  const { id, ...rest } = link;
  expect({ id, ...linkOf(fieldsOf(link)) }).toEqual({ id, ...rest });
});

test.each<[string, Partial<LinkFields>, Field[]]>([
  ['a link', {}, []],
  ['no app', { appId: '' }, ['appId']],
  ['no address', { peer: '' }, ['peer']],
  ['half an IPv4 address', { peer: '10.0.0' }, ['peer']],
  ['an IPv6 address without brackets', { peer: 'fe80::1' }, []],
  ['port 70000', { peer: '10.0.0.5:70000' }, ['peer']],
  ['rack 8', { rack: '8' }, ['rack']],
  ['slot 32', { slot: '32' }, ['slot']],
  ['data block 0', { block: '0' }, ['block']],
  ['markers without a block', { area: 'M', block: '' }, []],
  ['no byte', { byte: '' }, ['byte']],
  ['the last word', { byte: '65534' }, []],
  ['a word beyond the area', { byte: '65535' }, ['byte']],
  ['the last byte', { width: 'byte', byte: '65535' }, []],
  ['bit 8', { width: 'bit', bit: '8' }, ['bit']],
  ['a default that fits the word', { defaultValue: '65535' }, []],
  ['a default beyond a byte', { width: 'byte', defaultValue: '256' }, ['defaultValue']],
  ['the largest double word', { width: 'double-word', defaultValue: '4294967295' }, []],
  ['a life bit without its bit', { lifeBit: '190' }, ['lifeBit']],
  ['a name that reaches beyond the area', { userName: '65503' }, ['userName']],
  ['a name of 255 characters', { userName: '200', userNameLength: '255' }, ['userNameLength']],
  ['a length without a name', { userNameLength: '' }, []],
  ['a request without an answer', { request: '236' }, ['acknowledge']],
  ['an answer without a request', { acknowledge: '238' }, ['request']],
  ['a request and its answer', { request: '236', acknowledge: '238' }, []],
  ['a request in the word itself', { request: '189', acknowledge: '238' }, ['request']],
  ['an answer in the request', { request: '236', acknowledge: '237' }, ['acknowledge']],
  ['a life bit in the name', { lifeBit: '200.1', userName: '190' }, ['userName']],
  ['the same bit twice', { width: 'bit', bit: '1', lifeBit: '188.1' }, ['lifeBit']],
  ['two bits of a byte', { width: 'bit', bit: '0', lifeBit: '188.1' }, []],
  ['a time that begins where the name ends', { userName: '190', signInTime: '224' }, []],
  ['a time within the name', { userName: '190', signInTime: '223' }, ['signInTime']],
])('%s', (_, typed, faulty) => {
  expect(Object.keys(faultsIn({ ...GOOD, ...typed }))).toEqual(faulty);
});

test.each([
  ['10.0.0', true],
  ['10.0.0.5:', true],
  ['10.0.0.5:99999', false],
])('what is typed so far, "%s", may become right: %s', (typed, unfinished) => {
  expect(faultsIn({ ...GOOD, peer: typed }).peer).toMatchObject({ unfinished });
});

test('names the word once there is one', () => {
  expect(wordName(GOOD)).toBe('DB250.DBW188');
  expect(wordName({ ...GOOD, block: '' })).toBeNull();
  expect(wordName({ ...GOOD, byte: '70000' })).toBeNull();
  expect(wordName({ ...GOOD, area: 'M', block: 'x', width: 'bit', bit: '3' })).toBe('M188.3');
});

test('knows a family by where its CPU sits', () => {
  for (const [family, place] of Object.entries(FAMILIES))
    expect(familyOf({ ...GOOD, ...place })).toBe(family);
  expect(familyOf({ ...GOOD, slot: '7' })).toBeNull();
});

test('names what differs in the order of the page', () => {
  expect(changedFields(GOOD, { ...GOOD, defaultValue: '3', peer: '10.0.0.6', byte: '188 ' })).toEqual([
    'peer',
    'defaultValue',
  ]);
});

test.each([
  ['invalid-input', ['connection', 'address', 'area'], ['peer', 'byte', 'block']],
  ['invalid-input', ['request', 'body'], ['request']],
  ['internal', ['address'], []],
])('puts %s of %j at %j', (code, fields, at) => {
  const view = { code, faults: fields.map((field) => ({ field, message: 'no' })) };
  const faults = faultsFrom(new Problem(view));
  expect(faults).toEqual(Object.fromEntries(at.map((field) => [field, { text: 'no' }])));
});
