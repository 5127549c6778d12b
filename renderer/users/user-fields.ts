/** What is typed about a user, and what is wrong with it before the host is asked. */
import type { UserChangeInput, UserListItemView } from '../../server/http/contract.ts';
import type { Problem } from '../shared/api.ts';
import type { Fault } from '../shared/fault.ts';

export type UserType = UserListItemView['type'];
export const USER_TYPES = ['Active', 'Admin', 'Passive'] as const satisfies readonly UserType[];

export interface UserFields {
  readonly name: string;
  readonly displayName: string;
  readonly type: UserType;
  /** Minutes as they are typed; empty for no limit. */
  readonly limit: string;
  readonly enabled: boolean;
}

export type Field = keyof UserFields;

export type Faults = Readonly<Partial<Record<Field, Fault>>>;

export const NO_FIELDS: UserFields = { name: '', displayName: '', type: 'Active', limit: '', enabled: true };

/** As the host's contract has them. */
const NAME_LIMIT = 64;
const DISPLAY_NAME_LIMIT = 128;
const MINUTES_LIMIT = 7 * 24 * 60;

export function fieldsOf({
  name,
  displayName,
  type,
  logoutTimeInMin,
  enabled,
}: UserListItemView): UserFields {
  return {
    name,
    displayName,
    type,
    limit: logoutTimeInMin === null ? '' : String(logoutTimeInMin),
    enabled,
  };
}

/** The fields that differ, in the order in which they stand on the page. */
export function changedFields(before: UserFields, after: UserFields): Field[] {
  const fields: Field[] = ['name', 'displayName', 'type', 'limit', 'enabled'];
  return fields.filter((field) => text(before[field]) !== text(after[field]));
}

/** Finds what the host would refuse. */
export function faultsIn(fields: UserFields): Faults {
  const name = nameFault(fields.name);
  const displayName: Fault | null =
    fields.displayName.length > DISPLAY_NAME_LIMIT ? { key: 'users.fault.displayNameLong' } : null;
  const limit: Fault | null = isLimit(fields.limit) ? null : { key: 'users.fault.limit' };
  return { ...(name && { name }), ...(displayName && { displayName }), ...(limit && { limit }) };
}

/** Null where there is no limit. Only of a limit without a fault. */
export function minutes(limit: string): number | null {
  return limit.trim() === '' ? null : Number(limit);
}

/** The change that the host is asked for: what differs, and nothing else. */
export function changeOf(before: UserFields, after: UserFields): UserChangeInput {
  const changed = changedFields(before, after);
  return {
    ...(changed.includes('displayName') && { displayName: after.displayName.trim() }),
    ...(changed.includes('type') && { type: after.type }),
    ...(changed.includes('limit') && { logoutTimeInMin: minutes(after.limit) }),
    ...(changed.includes('enabled') && { enabled: after.enabled }),
  };
}

/** Puts what the host refused at the fields that it is about. */
export function faultsFrom({ code, faultsByField }: Problem, { name }: UserFields): Faults {
  if (code === 'already-exists') return { name: { key: 'users.fault.taken', values: { name } } };
  if (code !== 'invalid-input') return {};
  const faults: Partial<Record<Field, Fault>> = {};
  for (const [at, message] of faultsByField) {
    const field = at === 'logoutTimeInMin' ? 'limit' : at;
    // The one thing that can be wrong with a choice among what there is.
    if (field === 'type' || field === 'enabled') faults[field] = { key: 'users.fault.lastAdministrator' };
    if (field === 'name' || field === 'displayName' || field === 'limit') faults[field] = { text: message };
  }
  return faults;
}

function nameFault(name: string): Fault | null {
  if (name === '') return { key: 'users.fault.nameMissing' };
  if (name.length > NAME_LIMIT) return { key: 'users.fault.nameLong' };
  if (name.trim() !== name) return { key: 'users.fault.nameSpace' };
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return { key: 'users.fault.nameCharacters' };
  return null;
}

function isLimit(limit: string): boolean {
  if (limit.trim() === '') return true;
  return /^\s*\d{1,5}\s*$/.test(limit) && Number(limit) >= 1 && Number(limit) <= MINUTES_LIMIT;
}

function text(value: string | boolean): string {
  return String(value).trim();
}
