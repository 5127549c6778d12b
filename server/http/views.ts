/** How sessions, apps and links look from outside: times as text, secrets left out. */
import type { Session } from '../sessions/session.ts';
import type { Sessions, SignedIn } from '../sessions/sessions.ts';
import type { AppStateView, AuthenticationView, LinkStatusView, SessionView } from './contract.ts';
import type { LinkStatus } from '../plc/link.ts';

export function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function instantOrNull(ms: number | null): string | null {
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
  const { lastError } = status;
  return {
    id: status.id,
    appId: status.appId,
    connection: status.connection,
    area: status.area,
    address: status.address,
    state: status.state,
    since: instant(status.since),
    value: status.value,
    valueAt: instantOrNull(status.valueAt),
    roundTripMs: status.roundTripMs,
    pending: status.pending,
    lastError: lastError === null ? null : { ...lastError, at: instant(lastError.at) },
  };
}
