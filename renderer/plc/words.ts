/** Links in plain words: trouble, what a test found, and the names of the fields. */
import type { LinkStatus } from '../../clients/js/src/messages.ts';
import type { LinkTestView, LinkView } from '../../server/http/contract.ts';
import { s7Name } from '../../server/plc/address.ts';
import { linkTrouble, plcAddress } from '../shared/plc-links.ts';
import type { Problem } from '../shared/api.ts';
import { isMessageKey, type I18n, type MessageKey } from '../shared/i18n.svelte.ts';
import type { Fault, Field } from './link-fields.ts';

/** What each field is called where unsaved ones are named. */
export const FIELD_NAMES = {
  appId: 'links.app',
  peer: 'links.peer',
  rack: 'links.rack',
  slot: 'links.slot',
  area: 'links.area',
  block: 'links.block',
  width: 'links.width',
  byte: 'links.word',
  bit: 'links.bit',
  defaultValue: 'links.defaultValue',
  onConnect: 'links.onConnect',
  allowAdmin: 'links.allowAdmin',
  lifeBit: 'links.lifeBit',
  userName: 'links.userName',
  userNameLength: 'links.userNameLength',
  signInTime: 'links.signInTime',
  timeFormat: 'links.timeFormat',
  request: 'links.request',
  acknowledge: 'links.acknowledge',
} as const satisfies Record<Field, MessageKey>;

type Found = LinkTestView['found'][number];

export function faultWords(fault: Fault | undefined, { t }: I18n): string {
  if (fault === undefined) return '';
  if ('text' in fault) return fault.text;
  const other = fault.other === undefined ? {} : { other: t(FIELD_NAMES[fault.other]) };
  return t(fault.key, { ...fault.values, ...other });
}

/** The type and name of the PLC as it reports them; empty where it does not. */
export function identityWords(plc: LinkStatus['plc'], { t }: I18n): string {
  if (plc === null) return '';
  return plc.name === null || plc.name === '' ? plc.type : t('links.identity', { ...plc, name: plc.name });
}

/** What went wrong and what to do, with its time; null while nothing is wrong. */
export function troubleWords(status: LinkStatus, now: number, i18n: I18n): string | null {
  const trouble = linkTrouble(status);
  if (trouble === null) return null;
  const { key, message, at } = trouble;
  return i18n.t('plc.trouble', {
    time: i18n.instant(Date.parse(at), now),
    trouble: key === null ? message : i18n.t(key, { address: plcAddress(status.connection) }),
  });
}

/** Why the PLC did not do what was asked of it; null where it is not about the PLC. */
export function plcProblemWords({ code }: Problem, address: string, { t }: I18n): string | null {
  const key = `plc.${code}`;
  return isMessageKey(key) ? t(key, { address }) : null;
}

/** What to look at first where a test failed; null where nothing did. */
export function adviceWords(
  { advice }: Pick<LinkTestView, 'advice'>,
  link: Pick<LinkView, 'connection' | 'area'>,
  { t }: I18n,
): string | null {
  if (advice === 'none') return null;
  const [, rack = '', slot = ''] = link.connection.split(',');
  return t(`links.advice.${advice}`, { address: plcAddress(link.connection), rack, slot, area: link.area });
}

/** What was found at an address: its value, or what is wrong there. */
export function foundWords({ field, value, problem }: Found, i18n: I18n): string {
  if (problem !== null) {
    const key = `links.problem.${problem}`;
    return isMessageKey(key) ? i18n.t(key) : problem;
  }
  if (value === null || value === '') return '–';
  if (field === 'signInTime' && typeof value === 'number') return i18n.dateAndSeconds(value);
  return typeof value === 'number' ? i18n.number(value) : value;
}

/** `DB250.DBW188` for what has such a name, and the address as it is for a text or a time. */
export function placeWords(area: string, { field, address }: Pick<Found, 'field' | 'address'>): string {
  return field === 'userName' || field === 'signInTime' ? `${area}.${address}` : s7Name(area, address);
}
