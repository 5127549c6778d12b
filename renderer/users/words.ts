/** Users in plain words: what the list says of a password and of a lock. */
import type { UserListItemView } from '../../server/http/contract.ts';
import type { I18n, MessageKey } from '../shared/i18n.svelte.ts';
import type { Field } from './user-fields.ts';

/** What each field is called where unsaved ones are named. */
export const FIELD_NAMES = {
  name: 'users.name',
  displayName: 'users.displayName',
  type: 'users.type',
  limit: 'users.limitShort',
  enabled: 'users.enable',
} as const satisfies Record<Field, MessageKey>;

export function typeWords({ type, emergency }: UserListItemView, { t }: I18n): string {
  return t(emergency ? 'users.type.emergency' : `users.type.${type}`);
}

export function passwordWords(user: UserListItemView, now: number, i18n: I18n): string {
  const { t } = i18n;
  const { emergency, password, passwordExpiresAt } = user;
  if (emergency) return t('users.password.sealed');
  if (passwordExpiresAt === null || password === 'none' || password === 'expired')
    return t(`users.password.${password}`);
  const end = Date.parse(passwordExpiresAt);
  const time = i18n.instant(end, now);
  if (password === 'set')
    return t(end > now ? 'users.password.setUntil' : 'users.password.expired', { time });
  return t(end > now ? 'users.password.one-timeUntil' : 'users.password.one-timeOver', { time });
}

/** Of a user who is locked. */
export function lockWords({ lock }: UserListItemView, now: number, i18n: I18n): string {
  const until = lock?.until ?? null;
  if (until === null) return i18n.t('users.lockedForGood');
  return i18n.t('users.lockedUntil', { time: i18n.instant(Date.parse(until), now) });
}

/** The same where the column says already that it is about locks. */
export function lockEndWords({ lock }: UserListItemView, now: number, i18n: I18n): string {
  const until = lock?.until ?? null;
  if (until === null) return i18n.t('users.lock.forGood');
  return i18n.t('users.lock.until', { time: i18n.instant(Date.parse(until), now) });
}

export function lastSignInWords({ lastSignInAt }: UserListItemView, now: number, i18n: I18n): string {
  return lastSignInAt === null ? i18n.t('users.never') : i18n.instant(Date.parse(lastSignInAt), now);
}
