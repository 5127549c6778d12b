/** The native API as the pages call it: typed answers, and one kind of failure. */
import type { ErrorCode } from '../../server/errors.ts';
import type {
  AuthenticationView,
  ProblemView,
  SessionView,
  SignInInput,
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
  readonly retryAfterSec: number;
  readonly ticket: string | undefined;
  readonly reference: string | undefined;

  constructor(view: Partial<ProblemView>, retryAfterSec = 0) {
    super(view.title ?? 'The host does not answer.');
    this.code = (view.code ?? 'unreachable') as ErrorCode | 'unreachable';
    this.detail = view.detail ?? this.message;
    this.faults = (view.faults ?? []).map((fault) => fault.message);
    this.retryAfterSec = retryAfterSec;
    this.ticket = view.ticket;
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
    options: RequestInit = {},
  ): Promise<Answer> {
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(path, {
        method,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...options,
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
    welcome: (appId: string | null) =>
      call<WelcomeView>(
        'GET',
        `/api/v1/welcome${appId === null ? '' : `?appId=${encodeURIComponent(appId)}`}`,
      ),
    signIn: (input: Omit<SignInInput, 'presentation'>) =>
      call<AuthenticationView>('POST', '/api/v1/sign-in', { ...input, presentation: 'cookie' }),
    changePassword: (ticket: string, newPassword: string) =>
      call<AuthenticationView>('POST', '/api/v1/password-change', { ticket, newPassword }),
    /** Resolves if the host answers. Without the cookie: this is no activity, and moves no idle limit. */
    alive: (timeoutMs: number) =>
      call<WelcomeView>('GET', '/api/v1/welcome', undefined, {
        credentials: 'omit',
        signal: AbortSignal.timeout(timeoutMs),
      }),
    session: () => call<{ session: SessionView }>('GET', '/api/v1/session'),
    signOut: () => call<unknown>('POST', '/api/v1/sign-out'),
    /** Ends whatever session is current at the app. */
    signOutApp: (appId: string) =>
      call<unknown>('POST', `/api/v1/apps/${encodeURIComponent(appId)}/sign-out`),
  };
}

/** Tells whether `error` is a `Problem` with `code`. */
export function isProblem(error: unknown, code: Problem['code']): error is Problem {
  return error instanceof Problem && error.code === code;
}
