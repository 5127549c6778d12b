/** The native API as the pages call it: typed answers, and one kind of failure. */
import type { ErrorCode } from '../../server/errors.ts';
import type {
  AccountView,
  AuditPageView,
  AuditStatusView,
  AuthenticationView,
  BadgeSignInInput,
  BadgeView,
  EmergencyAccountView,
  FaultView,
  EmergencyAuthenticationView,
  EmergencySignInInput,
  LinkTestView,
  LinkView,
  NewBadgeInput,
  NewLinkInput,
  NewUserAnswerView,
  NewUserInput,
  OneTimeSecretView,
  PasswordBlocklistView,
  ProblemView,
  SealedView,
  SessionListView,
  SessionView,
  SignInInput,
  UserChangeInput,
  UserListItemView,
  UserView,
  WelcomeView,
} from '../../server/http/contract.ts';

/** Longer than a sign-in may wait for its turn at the host. */
const TIMEOUT_MS = 15_000;

/** What the host refused, or `unreachable` where no host answered. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ErrorCode | 'unreachable';
  readonly detail: string;
  /** Sentences, one for each rule or field that failed. */
  readonly faults: readonly string[];
  /** The faults as they came; of a password with the rule that failed. */
  readonly refusals: readonly FaultView[];
  /** The same sentences by the field that they are about. */
  readonly faultsByField: ReadonlyMap<string, string>;
  readonly retryAfterSec: number;
  readonly ticket: string | undefined;
  /** Why the password must be replaced. */
  readonly why: ProblemView['why'];
  /** What is wanted beside the badge. */
  readonly factor: ProblemView['factor'];
  readonly reference: string | undefined;

  constructor(view: Partial<ProblemView>, retryAfterSec = 0) {
    super(view.title ?? 'The host does not answer.');
    this.code = (view.code ?? 'unreachable') as ErrorCode | 'unreachable';
    this.detail = view.detail ?? this.message;
    this.refusals = view.faults ?? [];
    this.faults = (view.faults ?? []).map((fault) => fault.message);
    this.faultsByField = new Map((view.faults ?? []).map(({ field, message }) => [field, message]));
    this.retryAfterSec = retryAfterSec;
    this.ticket = view.ticket;
    this.why = view.why;
    this.factor = view.factor;
    this.reference = view.reference;
  }
}

export type Api = ReturnType<typeof createApi>;

/** Makes the client; each call throws a `Problem` and nothing else. */
export function createApi(fetch: typeof globalThis.fetch) {
  async function call<Answer>(
    method: string,
    path: string,
    body?: unknown,
    credentials: RequestCredentials = 'same-origin',
  ): Promise<Answer> {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(path, {
        method,
        credentials,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined
          ? {}
          : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      });
      const text = await response.text();
      answer = text === '' ? {} : JSON.parse(text);
    } catch {
      throw new Problem({});
    }
    if (response.ok) return answer as Answer;
    throw new Problem(answer as Partial<ProblemView>, Number(response.headers.get('Retry-After') ?? 0));
  }

  return {
    /** As nobody: without the cookie, so that the question is no sign of anybody's activity. */
    welcome: (appId: string | null, as?: 'as-nobody') =>
      call<WelcomeView>(
        'GET',
        `/api/v1/welcome${appId === null ? '' : `?appId=${encodeURIComponent(appId)}`}`,
        undefined,
        as === 'as-nobody' ? 'omit' : 'same-origin',
      ),
    signIn: (input: Omit<SignInInput, 'presentation'>) =>
      call<AuthenticationView>('POST', '/api/v1/sign-in', { ...input, presentation: 'cookie' }),
    badgeSignIn: (input: Omit<BadgeSignInInput, 'presentation'>) =>
      call<AuthenticationView>('POST', '/api/v1/badge-sign-in', { ...input, presentation: 'cookie' }),
    passwordBlocklist: () => call<PasswordBlocklistView>('GET', '/api/v1/password-blocklist'),
    changePassword: (ticket: string, newPassword: string) =>
      call<AuthenticationView>('POST', '/api/v1/password-change', { ticket, newPassword }),
    session: () => call<{ session: SessionView }>('GET', '/api/v1/session'),
    /** One's own sessions, or everyone's. */
    sessions: (all: boolean) =>
      call<SessionListView>('GET', all ? '/api/v1/sessions?all=true' : '/api/v1/sessions'),
    endSession: (id: string) => call<unknown>('DELETE', `/api/v1/sessions/${encodeURIComponent(id)}`),
    endOtherSessions: (whose: 'mine' | 'everyone') =>
      call<{ ended: number }>('POST', '/api/v1/sessions/end-others', { whose }),
    account: () => call<AccountView>('GET', '/api/v1/account'),
    replacePassword: (currentPassword: string, newPassword: string) =>
      call<unknown>('PUT', '/api/v1/password', { currentPassword, newPassword }),
    replacePin: (currentPassword: string, newPin: string) =>
      call<unknown>('PUT', '/api/v1/pin', { currentPassword, newPin }),
    emergencySignIn: (input: Omit<EmergencySignInInput, 'presentation'>) =>
      call<EmergencyAuthenticationView>('POST', '/api/v1/emergency/sign-in', {
        ...input,
        presentation: 'cookie',
      }),
    /** Ends the session of this page: nobody is at the controls until somebody has signed in again. */
    lock: () => call<unknown>('POST', '/api/v1/lock'),
    signOut: () => call<unknown>('POST', '/api/v1/sign-out'),
    /** Ends whatever session is current at the app. */
    signOutApp: (appId: string) =>
      call<unknown>('POST', `/api/v1/apps/${encodeURIComponent(appId)}/sign-out`),
    users: () => call<UserListItemView[]>('GET', '/api/v1/users'),
    /** Without a password: the answer has a one-time secret, this once. */
    addUser: (input: Omit<NewUserInput, 'password'>) =>
      call<NewUserAnswerView>('POST', '/api/v1/users', input),
    changeUser: (name: string, change: UserChangeInput) => call<UserView>('PATCH', userPath(name), change),
    resetPassword: (name: string) => call<OneTimeSecretView>('POST', `${userPath(name)}/password-reset`),
    unlockUser: (name: string) => call<unknown>('POST', `${userPath(name)}/unlock`),
    emergencyAccounts: () => call<EmergencyAccountView[]>('GET', '/api/v1/emergency'),
    addEmergencyAccount: (input: { name: string; displayName?: string }) =>
      call<SealedView>('POST', '/api/v1/emergency', input),
    sealEmergencyAccount: (name: string) =>
      call<SealedView>('POST', `/api/v1/emergency/${encodeURIComponent(name)}/seal`),
    badges: () => call<BadgeView[]>('GET', '/api/v1/badges'),
    addBadge: (input: NewBadgeInput) => call<BadgeView>('POST', '/api/v1/badges', input),
    /** For good; whoever it belongs to is signed out. */
    revokeBadge: (id: string) => call<unknown>('DELETE', `/api/v1/badges/${encodeURIComponent(id)}`),
    links: () => call<LinkView[]>('GET', '/api/v1/links'),
    addLink: (input: NewLinkInput) => call<LinkView>('POST', '/api/v1/links', input),
    changeLink: (id: string, input: NewLinkInput) => call<LinkView>('PUT', linkPath(id), input),
    removeLink: (id: string) => call<unknown>('DELETE', linkPath(id)),
    /** Looks for what the link needs in the PLC; the link need not exist. */
    testLink: (input: NewLinkInput) => call<LinkTestView>('POST', '/api/v1/links/test', input),
    /** Resolves when the PLC has confirmed. */
    writeLinkDefault: (id: string) => call<unknown>('POST', `${linkPath(id)}/write-default`),
    /** A page of the audit trail; `query` as in the address of the endpoint. */
    audit: (query: string) => call<AuditPageView>('GET', `/api/v1/audit?${query}`),
    auditStatus: () => call<AuditStatusView>('GET', '/api/v1/audit/status'),
    verifyAudit: () => call<unknown>('POST', '/api/v1/audit/verify'),
  };
}

function userPath(name: string): string {
  return `/api/v1/users/${encodeURIComponent(name)}`;
}

function linkPath(id: string): string {
  return `/api/v1/links/${encodeURIComponent(id)}`;
}

/** Tells whether `error` is a `Problem` with `code`. */
export function isProblem(error: unknown, code: Problem['code']): error is Problem {
  return error instanceof Problem && error.code === code;
}
