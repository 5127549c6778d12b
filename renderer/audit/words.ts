/** The audit trail in plain words; what has none yet is shown as it stands in the trail. */
import en from '../../resources/locales/en.json';
import type { AuditAction, DoorName } from '../../server/audit/audit.ts';
import type { BackupFault } from '../../server/backups/backups.ts';
import type { AuditEntryView } from '../../server/http/contract.ts';
import type { Credential } from '../../server/sessions/request.ts';
import type { Refusal } from '../../server/sessions/proof.ts';
import type { Problem as Breach } from '../../server/audit/verify.ts';
import type { EndReason } from '../../server/sessions/session.ts';
import type { I18n, MessageKey } from '../shared/i18n.svelte.ts';
import type { Value } from './detail.ts';

type Coded =
  | `audit.action.${AuditAction}`
  | `audit.door.${DoorName}`
  | `audit.broken.${Breach}`
  | `audit.reason.${EndReason | Refusal | Credential['kind'] | BackupFault}`;

/** Not a line to run: the compiler says which action, door or reason has no words yet. */
export const WORDS: Readonly<Record<Coded, string>> = en;

export function actionWords(action: string, i18n: I18n): string {
  return coded('audit.action', action, i18n);
}

/** A reason that somebody typed is said as it was typed. */
export function reasonWords({ reason }: Pick<AuditEntryView, 'reason'>, i18n: I18n): string {
  return reason === null ? '' : coded('audit.reason', reason, i18n);
}

/** The door, and the address where there is one: `Page, 10.0.0.7`. */
export function placeWords({ door, address }: Pick<AuditEntryView, 'door' | 'address'>, i18n: I18n): string {
  const words = coded('audit.door', door, i18n);
  return address === null ? words : `${words}, ${address}`;
}

/** What is wrong with the first entry that is not as it was written. */
export function breachWords(problem: string | null, i18n: I18n): string {
  return problem === null ? '–' : coded('audit.broken', problem, i18n);
}

export function fieldWords(field: string, i18n: I18n): string {
  return field === '' ? i18n.t('audit.value') : coded('audit.field', field, i18n);
}

/** The values of `field`. */
export function valueWords(field: string, values: readonly Value[], i18n: I18n): string {
  if (values.length === 0) return '–';
  return i18n.list(values.map((value) => oneValueWords(field, value, i18n)));
}

/** `2026-11-24T13:02:11.000Z`, as the host writes an instant. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function oneValueWords(field: string, value: Value, i18n: I18n): string {
  if (value === null || value === '') return '–';
  if (typeof value === 'boolean') return i18n.t(value ? 'audit.yes' : 'audit.no');
  if (typeof value === 'string' && INSTANT.test(value)) return i18n.dateAndSeconds(Date.parse(value));
  return coded(`audit.value.${field}`, String(value), i18n);
}

function coded(kind: string, code: string, { t }: I18n): string {
  const key = `${kind}.${code}`;
  return Object.hasOwn(en, key) ? t(key as MessageKey) : code;
}
