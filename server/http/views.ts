/** How sessions, apps and links look from outside: times as text, secrets left out. */
import type { Session } from '../sessions/session.ts';
import type { Sessions, SignedIn } from '../sessions/sessions.ts';
import type { AuditStatus } from '../audit/audit.ts';
import type { StorageStatus } from '../audit/capacity.ts';
import type { CopyStatus } from '../audit/forward/forward.ts';
import type { FoundPage } from '../audit/query.ts';
import type { Account } from '../accounts/accounts.ts';
import type { Backup, BackupStatus } from '../backups/backups.ts';
import type { Badge } from '../badges/badges.ts';
import type { EmergencyAccount, Sealed } from '../emergency/emergency.ts';
import type { OneTimeSecret } from '../sessions/password-changes.ts';
import type {
  AppStateView,
  AuditPageView,
  AuditStatusView,
  AuthenticationView,
  BackupStatusView,
  BackupView,
  BadgeView,
  EmergencyAccountView,
  EmergencyView,
  LinkStatusView,
  LinkTestView,
  NewUserAnswerView,
  OneTimeSecretView,
  OverviewLinkView,
  SealedView,
  SessionListView,
  SessionView,
  UserListItemView,
} from './contract.ts';
import type { LinkStatus } from '../plc/link.ts';
import type { FoundItem, LinkTest } from '../plc/link-test.ts';
import type { Users } from '../users/users.ts';

export function instant(ms: number): string {
  return new Date(ms).toISOString();
}

export function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : instant(ms);
}

export function viewSession(session: Session, sessions: Pick<Sessions, 'idleExpiresAt'>): SessionView {
  return {
    id: session.id,
    kind: session.kind,
    user: session.user,
    app: session.app,
    role: session.role,
    openedAt: instant(session.openedAt),
    expiresAt: instant(session.expiresAt),
    idleExpiresAt: instantOrNull(sessions.idleExpiresAt(session.id)),
  };
}

export function viewSessionListItem(
  session: Session,
  own: Session,
  sessions: Pick<Sessions, 'idleExpiresAt'>,
): SessionListView[number] {
  return { ...viewSession(session, sessions), own: session.id === own.id, ...session.origin };
}

/** The emergency sessions that are live; who and why are for those who are signed in. */
export function viewEmergencies(live: readonly Session[], isSignedIn: boolean): EmergencyView[] {
  return live
    .filter(({ emergencyReason }) => emergencyReason !== null)
    .map(({ openedAt, app, user, emergencyReason }) => ({
      since: instant(openedAt),
      app: app?.name ?? null,
      user: isSignedIn ? user.name : null,
      reason: isSignedIn ? emergencyReason : null,
    }));
}

export function viewUserListItem(account: Account): UserListItemView {
  const { user, isEmergency, password, passwordExpiresAt, lock, lastSignInAt } = account;
  return {
    ...user,
    emergency: isEmergency,
    password,
    passwordExpiresAt: instantOrNull(passwordExpiresAt),
    lock: lock && {
      until: instantOrNull(lock.until),
      failures: lock.failures,
      places: lock.places && [...lock.places],
    },
    lastSignInAt: instantOrNull(lastSignInAt),
  };
}

export function viewNewUser(made: Awaited<ReturnType<Users['addWithOneTimeSecret']>>): NewUserAnswerView {
  const { user, oneTimeSecret, expiresAt } = made;
  return { ...user, oneTimeSecret, oneTimeSecretExpiresAt: instant(expiresAt) };
}

export function viewEmergencyAccount(account: EmergencyAccount): EmergencyAccountView {
  const { username, enabled, sealedAt, usedAt } = account;
  return { username, enabled, sealedAt: instant(sealedAt), usedAt: instantOrNull(usedAt) };
}

export function viewBadge(badge: Badge): BadgeView {
  return { ...badge, enrolledAt: instant(badge.enrolledAt), revokedAt: instantOrNull(badge.revokedAt) };
}

export function viewSealed({ username, secret, sealedAt }: Sealed): SealedView {
  return { username, secret, sealedAt: instant(sealedAt) };
}

export function viewOneTimeSecret({ username, oneTimeSecret, expiresAt }: OneTimeSecret): OneTimeSecretView {
  return { username, oneTimeSecret, expiresAt: instant(expiresAt) };
}

export function viewAuthentication(signedIn: SignedIn, sessions: Sessions): AuthenticationView {
  const { accessToken, accessTokenExpiresAt, refreshToken } = signedIn;
  return {
    session: viewSession(signedIn.session, sessions),
    ...(accessToken !== undefined && { accessToken }),
    ...(accessTokenExpiresAt !== undefined && { accessTokenExpiresAt: instant(accessTokenExpiresAt) }),
    ...(refreshToken !== undefined && { refreshToken }),
  };
}

/** What an app's screens show: who is at the controls, or nobody. */
export function viewAppState(session: Session | null): AppStateView {
  return {
    authenticated: session !== null,
    user: session?.user.name ?? null,
    displayName: session?.user.displayName ?? null,
    role: session?.role ?? null,
    openedAt: instantOrNull(session?.openedAt ?? null),
    expiresAt: instantOrNull(session?.expiresAt ?? null),
  };
}

export function viewLinkStatus(status: LinkStatus): LinkStatusView {
  return { ...viewOverviewLink(status), roundTripsMs: [...status.roundTripsMs] };
}

export function viewOverviewLink(status: LinkStatus): OverviewLinkView {
  const { lastError } = status;
  return {
    id: status.id,
    appId: status.appId,
    connection: status.connection,
    area: status.area,
    address: status.address,
    state: status.state,
    since: instant(status.since),
    plc: status.plc,
    value: status.value,
    valueAt: instantOrNull(status.valueAt),
    user: status.user,
    roundTripMs: status.roundTripMs,
    errorsLastHour: status.errorsLastHour,
    pending: status.pending,
    lastError: lastError === null ? null : { ...lastError, at: instant(lastError.at) },
  };
}

export function viewLinkTest({ steps, plc, pduBytes, found, user, advice, message }: LinkTest): LinkTestView {
  return { steps: [...steps], plc, pduBytes, found: found.map(viewFoundItem), user, advice, message };
}

function viewFoundItem({ field, address, value, problem }: FoundItem): LinkTestView['found'][number] {
  const isMoment = field === 'signInTime' && typeof value === 'number';
  // Zeros, say, are no moment.
  const shown = isMoment ? (Number.isNaN(value) ? null : instant(value)) : value;
  return { field, address, value: shown, problem };
}

export function viewAuditPage({ entries, next, searchedBackTo }: FoundPage): AuditPageView {
  return {
    entries: entries.map((entry) => ({ ...entry, at: instant(entry.at), detail: { ...entry.detail } })),
    next,
    searchedBackTo: instantOrNull(searchedBackTo),
  };
}

export function viewAuditStatus(
  status: AuditStatus & {
    readonly capacity: StorageStatus;
    readonly copies: readonly CopyStatus[];
    readonly backups: BackupStatus;
  },
): AuditStatusView {
  const { lastCheckpoint: last, verification } = status;
  return {
    ...status,
    lastCheckpoint: last && { ...last, at: instant(last.at) },
    verification: { ...verification, at: instantOrNull(verification.at) },
    copies: status.copies.map((copy) => ({ ...copy, since: instantOrNull(copy.since) })),
    backups: viewBackupStatus(status.backups),
  };
}

export function viewBackup(backup: Backup): BackupView {
  return { ...backup, at: instant(backup.at) };
}

export function viewBackupStatus({ folder, last, failure, isOverdue }: BackupStatus): BackupStatusView {
  return {
    folder,
    last: last && viewBackup(last),
    failure: failure && { ...failure, at: instant(failure.at) },
    overdue: isOverdue,
  };
}
