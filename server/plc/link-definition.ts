/** What a link is defined by, and which items of the PLC that makes: every fault of a definition is told at once. */
import { isKeyswitchError, KeyswitchError, type Fault } from '../errors.ts';
import { formatArea, parseArea, type Area } from './address.ts';
import { formatConnectionString, parseConnectionString, type PlcEndpoint } from './connection-string.ts';
import { formatItem, parseItem, type Item, type Spelling, type ValueOf } from './items.ts';

/** What a link keeps in its PLC besides the word; addresses in the link's area, null for what it does not keep. */
export interface LinkExtras {
  /** `X1520`: a bit that is toggled while the host lives. */
  readonly lifeBit: string | null;
  /** `S190.32`: holds the current user's name, empty while nobody is signed in. */
  readonly userName: string | null;
  /** `DTL224` or `DT224`: when the current user signed in, UTC. */
  readonly signInTime: string | null;
  /** `W236`: the PLC asks here for the sign-in of the user with this value; only with `acknowledge`. */
  readonly request: string | null;
  /** `W238`: how the request was answered. */
  readonly acknowledge: string | null;
}

export interface LinkDefinition extends LinkExtras {
  readonly id: string;
  /** `Data Source=127.0.0.1:102,0,2`. */
  readonly connection: string;
  /** `DB250`, see `parseArea`. */
  readonly area: string;
  /** `W188`, see `parseAddress`. */
  readonly address: string;
  readonly appId: string;
  /** What the PLC shows while nobody is signed in, or the value of the fallback user. */
  readonly defaultValue: number;
  /** Who wins when a connection is made: `host` writes the host's state, `plc` adopts what the PLC holds. */
  readonly onConnect: 'host' | 'plc';
  /** Whether the PLC may sign in users of type Admin. */
  readonly allowAdmin: boolean;
}

export type NewLink = Omit<LinkDefinition, 'id' | keyof LinkExtras> & Partial<LinkExtras>;

/** The items of a link, by the field that names them. */
export interface LinkItems {
  readonly address: Item;
  readonly lifeBit: Item | null;
  readonly userName: Item<string> | null;
  readonly signInTime: Item | null;
  readonly request: Item | null;
  readonly acknowledge: Item | null;
}

export interface CheckedLink {
  /** Everything in its one form. */
  readonly link: Omit<LinkDefinition, 'id'>;
  readonly endpoint: PlcEndpoint;
  readonly items: LinkItems;
}

const SPELLINGS = {
  address: ['W', 'B', 'D', 'X'],
  lifeBit: ['X'],
  userName: ['S'],
  signInTime: ['DTL', 'DT'],
  request: ['W', 'B', 'D'],
  acknowledge: ['W', 'B', 'D'],
} as const satisfies Record<keyof LinkItems, readonly Spelling[]>;

type Field = keyof typeof SPELLINGS;
export const ITEM_FIELDS = Object.keys(SPELLINGS) as Field[];

/**
 * Checks a link for itself, and against `others`, which must not write what it uses, nor use what it writes: only the
 * words may be shared, and a request may be read by several.
 *
 * Throws `invalid-input` with every fault.
 */
export function checkLink(input: NewLink, others: readonly LinkDefinition[] = []): CheckedLink {
  const faults: Fault[] = [];
  const endpoint = attempt(faults, () => parseConnectionString(input.connection));
  const area = attempt(faults, () => parseArea(input.area));
  // Where the area is wrong, the addresses are looked at all the same.
  const items = parseItems(input, area ?? { kind: 'M' }, faults);
  const { address } = items;
  if (address !== null && !address.fits(input.defaultValue)) {
    const message = `${formatItem(address)} takes ${address.limits}, not ${input.defaultValue}`;
    faults.push({ field: 'defaultValue', message });
  }
  faults.push(...missingPartner(input), ...overlapsWithin(items));
  if (endpoint !== null && area !== null) faults.push(...overlapsWith(items, endpoint, others));
  if (endpoint === null || area === null || address === null || faults.length > 0) throw invalid(faults);
  return {
    link: {
      connection: formatConnectionString(endpoint),
      area: formatArea(area),
      address: formatItem(address),
      appId: input.appId,
      defaultValue: input.defaultValue,
      onConnect: input.onConnect,
      allowAdmin: input.allowAdmin,
      lifeBit: formatOrNull(items.lifeBit),
      userName: formatOrNull(items.userName),
      signInTime: formatOrNull(items.signInTime),
      request: formatOrNull(items.request),
      acknowledge: formatOrNull(items.acknowledge),
    },
    endpoint,
    items: { ...items, address },
  };
}

type FoundItems = Omit<LinkItems, 'address'> & { readonly address: Item | null };

function parseItems(input: NewLink, area: Area, faults: Fault[]): FoundItems {
  const item = <F extends Field>(field: F): Item<ValueOf<(typeof SPELLINGS)[F][number]>> | null => {
    const text = input[field] ?? null;
    const spellings: readonly (typeof SPELLINGS)[F][number][] = SPELLINGS[field];
    return text === null ? null : attempt(faults, () => parseItem(area, text, { field, spellings }));
  };
  return {
    address: item('address'),
    lifeBit: item('lifeBit'),
    userName: item('userName'),
    signInTime: item('signInTime'),
    request: item('request'),
    acknowledge: item('acknowledge'),
  };
}

function missingPartner({ request = null, acknowledge = null }: NewLink): Fault[] {
  if ((request === null) === (acknowledge === null)) return [];
  const [field, other] = request === null ? ['request', 'acknowledge'] : ['acknowledge', 'request'];
  return [{ field, message: `is needed with ${other}: set both or neither` }];
}

function overlapsWithin(items: FoundItems): Fault[] {
  return ITEM_FIELDS.flatMap((field, index) => {
    const taken = ITEM_FIELDS.slice(0, index).find((other) => overlap(items[field], items[other]));
    if (taken === undefined) return [];
    return [{ field, message: `${nameOf(items[field])} overlaps ${taken} (${nameOf(items[taken])})` }];
  });
}

function overlapsWith(mine: FoundItems, endpoint: PlcEndpoint, others: readonly LinkDefinition[]): Fault[] {
  const connection = formatConnectionString(endpoint);
  const theirs = others.filter((other) => other.connection === connection).flatMap(itemsToAvoid);
  return ITEM_FIELDS.flatMap((field) => {
    const taken = theirs.find((other) => clash(field, other.field) && overlap(mine[field], other.item));
    if (taken === undefined) return [];
    return [{ field, message: `${nameOf(mine[field])} overlaps ${nameOf(taken.item)} of another link` }];
  });
}

/** One of the two is written, and it is not a word that two apps share on purpose. */
function clash(field: Field, other: Field): boolean {
  if (field === 'address' && other === 'address') return false;
  return field !== 'request' || other !== 'request';
}

/** Those of a link that is in the store; one that is spoilt there stands in nobody's way. */
function itemsToAvoid(link: LinkDefinition): { field: Field; item: Item<never> | Item<string> | Item }[] {
  const faults: Fault[] = [];
  const area = attempt(faults, () => parseArea(link.area));
  if (area === null) return [];
  const items = parseItems(link, area, faults);
  return ITEM_FIELDS.flatMap((field) => {
    const item = items[field];
    return item === null ? [] : [{ field, item }];
  });
}

type Place = Pick<Item<unknown>, 'area' | 'byteOffset' | 'bytes' | 'bitNumber'>;

function overlap(a: Place | null, b: Place | null): boolean {
  if (a === null || b === null || formatArea(a.area) !== formatArea(b.area)) return false;
  const [first, second] = [bitsOf(a), bitsOf(b)];
  return first.start < second.end && second.start < first.end;
}

function bitsOf({ byteOffset, bytes, bitNumber }: Place): { start: number; end: number } {
  const start = byteOffset * 8 + (bitNumber ?? 0);
  return { start, end: bitNumber === null ? start + bytes * 8 : start + 1 };
}

function nameOf(item: { readonly name: string } | null): string {
  return item?.name ?? '';
}

function formatOrNull(item: Item<unknown> | Item<string> | Item | null): string | null {
  return item === null ? null : formatItem(item as Item<unknown>);
}

/** What `parse` gives, or null, and then `faults` has its faults. */
function attempt<Value>(faults: Fault[], parse: () => Value): Value | null {
  try {
    return parse();
  } catch (error) {
    if (!isKeyswitchError(error, 'invalid-input')) throw error;
    faults.push(...error.faults);
    return null;
  }
}

function invalid(faults: readonly Fault[]): KeyswitchError {
  const text = faults.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new KeyswitchError('invalid-input', text, { faults });
}
