/** What is typed about a link, and what is wrong with it before the host is asked. */
import type { LinkView, NewLinkInput } from '../../server/http/contract.ts';
import {
  AREA_BYTES,
  formatAddress,
  parseAddress,
  parseArea,
  s7Name,
  type Width,
} from '../../server/plc/address.ts';
import { parseItem, type Item, type Spelling } from '../../server/plc/items.ts';
import { plcAddress } from '../shared/plc-links.ts';
import type { Problem } from '../shared/api.ts';
import type { MessageKey } from '../shared/i18n.svelte.ts';

export const AREAS = ['DB', 'M', 'I', 'Q'] as const;
export const WIDTHS = ['word', 'byte', 'double-word', 'bit'] as const satisfies readonly Width[];

/** Texts as they are typed; those of optional places are empty where the link does without. */
export interface LinkFields {
  readonly appId: string;
  /** `10.0.0.5`, `plc.local:1102`, `[fe80::1]:102`. */
  readonly peer: string;
  readonly rack: string;
  readonly slot: string;
  readonly area: (typeof AREAS)[number];
  /** Number of the data block. */
  readonly block: string;
  readonly width: Width;
  readonly byte: string;
  readonly bit: string;
  readonly defaultValue: string;
  readonly onConnect: LinkView['onConnect'];
  readonly allowAdmin: boolean;
  /** `190.0`: byte and bit. */
  readonly lifeBit: string;
  /** Where the string begins. */
  readonly userName: string;
  readonly userNameLength: string;
  readonly signInTime: string;
  readonly timeFormat: 'DTL' | 'DT';
  readonly request: string;
  readonly acknowledge: string;
}

export type Field = keyof LinkFields;

/** What is said at a field: in our words, or in the host's where it knows better. */
export type Fault =
  | {
      readonly key: MessageKey;
      readonly values?: Readonly<Record<string, string | number>>;
      /** The field that this one is at odds with. */
      readonly other?: Field;
      /** May become right with what is typed next: not said before the field was left. */
      readonly unfinished?: boolean;
    }
  | { readonly text: string };
export type Faults = Readonly<Partial<Record<Field, Fault>>>;

export const NO_FIELDS: LinkFields = {
  appId: '',
  peer: '',
  rack: '0',
  slot: '1',
  area: 'DB',
  block: '',
  width: 'word',
  byte: '',
  bit: '0',
  defaultValue: '0',
  onConnect: 'host',
  allowAdmin: false,
  lifeBit: '',
  userName: '',
  userNameLength: '32',
  signInTime: '',
  timeFormat: 'DTL',
  request: '',
  acknowledge: '',
};

/** Where the CPU sits, by family: an S7-400's place depends on its power supply, 3 is the most common. */
export const FAMILIES = {
  'S7-1200': { rack: '0', slot: '1' },
  'S7-300': { rack: '0', slot: '2' },
  'S7-400': { rack: '0', slot: '3' },
} as const;
/** `S7-1200` stands for the S7-1500 as well. */
export type Family = keyof typeof FAMILIES;

const RACK_LIMIT = 7;
const SLOT_LIMIT = 31;
const BLOCK_LIMIT = 65535;
const PORT_LIMIT = 65535;
const HOST_NAME_LIMIT = 253;
const CONNECTION_LIMIT = 256;
const LONGEST_TEXT = 254;

/** The places of a link in their order on the page, and how their addresses are spelt. */
const PLACES = {
  byte: ['W', 'B', 'D', 'X'],
  lifeBit: ['X'],
  userName: ['S'],
  signInTime: ['DTL', 'DT'],
  request: ['W'],
  acknowledge: ['W'],
} as const satisfies Partial<Record<Field, readonly Spelling[]>>;
type Place = keyof typeof PLACES;
export const EXTRAS = ['lifeBit', 'userName', 'signInTime', 'request', 'acknowledge'] as const;

export function fieldsOf(link: LinkView): LinkFields {
  const [, rack = '', slot = ''] = link.connection.split(',');
  const area = parseArea(link.area);
  const { width, byteOffset, bitNumber } = parseAddress(link.address);
  const lifeBit = link.lifeBit === null ? null : parseAddress(link.lifeBit);
  const [userName = '', userNameLength = NO_FIELDS.userNameLength] = numbersIn(link.userName);
  return {
    appId: link.appId,
    peer: plcAddress(link.connection),
    rack: rack.trim(),
    slot: slot.trim(),
    area: area.kind,
    block: area.kind === 'DB' ? String(area.number) : '',
    width,
    byte: String(byteOffset),
    bit: String(bitNumber),
    defaultValue: String(link.defaultValue),
    onConnect: link.onConnect,
    allowAdmin: link.allowAdmin,
    lifeBit: lifeBit === null ? '' : `${lifeBit.byteOffset}.${lifeBit.bitNumber}`,
    userName,
    userNameLength,
    signInTime: numbersIn(link.signInTime)[0] ?? '',
    timeFormat: /^DT\d/.test(link.signInTime ?? '') ? 'DT' : 'DTL',
    request: numbersIn(link.request)[0] ?? '',
    acknowledge: numbersIn(link.acknowledge)[0] ?? '',
  };
}

/** What the host is asked for. Only of fields without a fault. */
export function linkOf(fields: LinkFields): NewLinkInput {
  return {
    appId: fields.appId,
    connection: connectionText(fields),
    area: areaText(fields),
    address: addressText(fields, 'byte') ?? '',
    defaultValue: wholeNumber(fields.defaultValue) ?? NaN,
    onConnect: fields.onConnect,
    allowAdmin: fields.allowAdmin,
    lifeBit: extraText(fields, 'lifeBit'),
    userName: extraText(fields, 'userName'),
    signInTime: extraText(fields, 'signInTime'),
    request: extraText(fields, 'request'),
    acknowledge: extraText(fields, 'acknowledge'),
  };
}

/** The fields that differ, in the order in which they stand on the page. */
export function changedFields(before: LinkFields, after: LinkFields): Field[] {
  const fields = Object.keys(NO_FIELDS) as Field[];
  return fields.filter((field) => String(before[field]).trim() !== String(after[field]).trim());
}

/** The family whose CPU sits there; null where none of them does by default. */
export function familyOf({ rack, slot }: LinkFields): Family | null {
  const families = Object.keys(FAMILIES) as Family[];
  return (
    families.find(
      (family) => FAMILIES[family].rack === rack.trim() && FAMILIES[family].slot === slot.trim(),
    ) ?? null
  );
}

/** The word as STEP 7 and TIA Portal write it, such as `DB250.DBW188`; null while the fields do not say it. */
export function wordName(fields: LinkFields): string | null {
  const text = addressText(fields, 'byte');
  return text === null || areaFault(fields) !== null || itemAt(fields, 'byte') === null
    ? null
    : s7Name(areaText(fields), text);
}

/** Finds what the host would refuse, but for what only the host can know. */
export function faultsIn(fields: LinkFields): Faults {
  const faults: Partial<Record<Field, Fault | null>> = {
    appId: fields.appId === '' ? { key: 'links.fault.app', unfinished: true } : null,
    peer: peerFault(fields),
    rack: rangeFault(fields.rack, 0, RACK_LIMIT),
    slot: rangeFault(fields.slot, 0, SLOT_LIMIT),
    block: areaFault(fields),
    byte: byteFault(fields),
    bit: fields.width === 'bit' ? rangeFault(fields.bit, 0, 7) : null,
    defaultValue: rangeFault(fields.defaultValue, 0, largestValue(fields.width)),
    lifeBit: lifeBitFault(fields),
    userName: placeFault(fields, 'userName'),
    userNameLength: isUsed(fields, 'userName') ? rangeFault(fields.userNameLength, 1, LONGEST_TEXT) : null,
    signInTime: placeFault(fields, 'signInTime'),
    request: placeFault(fields, 'request') ?? pairFault(fields, 'request', 'acknowledge'),
    acknowledge: placeFault(fields, 'acknowledge') ?? pairFault(fields, 'acknowledge', 'request'),
  };
  return { ...overlaps(fields), ...Object.fromEntries(Object.entries(faults).filter(([, fault]) => fault)) };
}

/** Puts what the host refused at the fields that it is about. */
export function faultsFrom({ code, faultsByField }: Problem): Faults {
  if (code !== 'invalid-input') return {};
  const elsewhere: Readonly<Record<string, Field>> = { connection: 'peer', area: 'block', address: 'byte' };
  const faults: Partial<Record<Field, Fault>> = {};
  for (const [at, text] of faultsByField) {
    const field = elsewhere[at] ?? at;
    if (field in NO_FIELDS) faults[field as Field] = { text };
  }
  return faults;
}

/** The largest value that fits. */
export function largestValue(width: Width): number {
  return parseAddress(formatAddress({ width, byteOffset: 0, bitNumber: 0, max: 0 })).max;
}

function numbersIn(text: string | null): string[] {
  return text?.match(/\d+/g) ?? [];
}

function areaText({ area, block }: LinkFields): string {
  return area === 'DB' ? `DB${block.trim()}` : area;
}

function connectionText({ peer, rack, slot }: LinkFields): string {
  return `Data Source=${bracketed(peer)},${rack.trim()},${slot.trim()}`;
}

/** An IPv6 address may be typed as it is; the connection string wants brackets around it. */
function bracketed(peer: string): string {
  const text = peer.trim();
  return /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text) ? `[${text}]` : text;
}

function isUsed(fields: LinkFields, place: Place): boolean {
  return place === 'byte' || fields[place].trim() !== '';
}

function extraText(fields: LinkFields, place: Place): string | null {
  return isUsed(fields, place) ? (addressText(fields, place) ?? '') : null;
}

/** The address of a place as the host spells it; null where what is typed makes none. */
function addressText(fields: LinkFields, place: Place): string | null {
  if (place === 'lifeBit') {
    const [, byte, bit] = /^(\d{1,5})\.([0-7])$/.exec(fields.lifeBit.trim()) ?? [];
    return byte === undefined ? null : `X${Number(byte) * 8 + Number(bit)}`;
  }
  const byteOffset = wholeNumber(fields[place]);
  if (byteOffset === null) return null;
  switch (place) {
    case 'byte': {
      const bitNumber = fields.width === 'bit' ? wholeNumber(fields.bit) : 0;
      if (bitNumber === null || bitNumber > 7) return null;
      return formatAddress({ width: fields.width, byteOffset, bitNumber, max: 0 });
    }
    case 'userName':
      return `S${byteOffset}.${wholeNumber(fields.userNameLength) ?? ''}`;
    case 'signInTime':
      return `${fields.timeFormat}${byteOffset}`;
    case 'request':
    case 'acknowledge':
      return `W${byteOffset}`;
  }
}

/** What lies at a place by the host's own rules; null where nothing does. */
function itemAt(fields: LinkFields, place: Place): Item<unknown> | null {
  const text = isUsed(fields, place) ? addressText(fields, place) : null;
  if (text === null) return null;
  try {
    return parseItem(parseArea('M'), text, { field: place, spellings: PLACES[place] });
  } catch {
    return null;
  }
}

function wholeNumber(text: string): number | null {
  return /^\s*\d{1,9}\s*$/.test(text) || /^\s*[1-9]\d{9}\s*$/.test(text) ? Number(text) : null;
}

function rangeFault(text: string, least: number, most: number): Fault | null {
  const value = wholeNumber(text);
  if (value !== null && value >= least && value <= most) return null;
  return { key: 'links.fault.range', values: { least, most }, unfinished: text.trim() === '' };
}

function areaFault({ area, block }: LinkFields): Fault | null {
  return area === 'DB' ? rangeFault(block, 1, BLOCK_LIMIT) : null;
}

function byteFault(fields: LinkFields): Fault | null {
  const width = { ...fields, byte: '0', bit: '0' };
  return rangeFault(fields.byte, 0, AREA_BYTES - (itemAt(width, 'byte')?.bytes ?? 1));
}

function lifeBitFault(fields: LinkFields): Fault | null {
  if (!isUsed(fields, 'lifeBit') || itemAt(fields, 'lifeBit') !== null) return null;
  const unfinished = /^\s*\d{1,5}\.?\s*$/.test(fields.lifeBit);
  return { key: 'links.fault.lifeBit', values: { last: AREA_BYTES - 1 }, unfinished };
}

function placeFault(fields: LinkFields, place: 'userName' | 'signInTime' | 'request' | 'acknowledge') {
  if (!isUsed(fields, place)) return null;
  // A length that is wrong is said at the length.
  const bytes = itemAt({ ...fields, [place]: '0' }, place)?.bytes ?? 1;
  return rangeFault(fields[place], 0, AREA_BYTES - bytes);
}

function pairFault(fields: LinkFields, one: 'request' | 'acknowledge', other: Field): Fault | null {
  if (isUsed(fields, one) || fields[other] === '') return null;
  return { key: 'links.fault.pair', other, unfinished: true };
}

/** Places that share bits are told at the later one. */
function overlaps(fields: LinkFields): Faults {
  const faults: Partial<Record<Field, Fault>> = {};
  const seen: { place: Place; first: number; last: number }[] = [];
  for (const place of Object.keys(PLACES) as Place[]) {
    const item = itemAt(fields, place);
    if (item === null) continue;
    const first = item.byteOffset * 8 + (item.bitNumber ?? 0);
    const last = item.bitNumber === null ? first + item.bytes * 8 - 1 : first;
    const other = seen.find((each) => first <= each.last && each.first <= last);
    if (other !== undefined) faults[place] = { key: 'links.fault.overlap', other: other.place };
    seen.push({ place, first, last });
  }
  return faults;
}

/** As the host reads connection strings, which it does with Node's own check of addresses. */
function peerFault(fields: LinkFields): Fault | null {
  const text = bracketed(fields.peer);
  if (text === '') return { key: 'links.fault.peerMissing', unfinished: true };
  const [, ip, name = '', port] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text) ?? [];
  if (port !== undefined && rangeFault(port, 1, PORT_LIMIT) !== null)
    return { key: 'links.fault.port', values: { most: PORT_LIMIT }, unfinished: port === '' };
  const isGood = ip === undefined ? isHost(name.trim().toLowerCase()) : isIPv6(ip.trim());
  if (!isGood) return { key: 'links.fault.peer', unfinished: true };
  return connectionText(fields).length > CONNECTION_LIMIT ? { key: 'links.fault.peer' } : null;
}

function isIPv6(text: string): boolean {
  return URL.canParse(`http://[${text}]/`);
}

function isHost(text: string): boolean {
  // A name whose last part is all digits is a mistyped IPv4 address (RFC 3696, 2).
  if (/(?:^|\.)\d+$/.test(text))
    return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text);
  const labels = text.split('.');
  return (
    text.length <= HOST_NAME_LIMIT && labels.every((label) => /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(label))
  );
}
