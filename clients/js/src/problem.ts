/** What the host refused, as an error: problem details of RFC 9457 with a stable code. */

export interface Fault {
  readonly field: string;
  readonly message: string;
  /** Of a password: the rule that failed, such as `min-length`. */
  readonly rule?: string;
  readonly values?: Readonly<Record<string, number>>;
}

export interface ProblemDetails {
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly code?: string;
  readonly faults?: readonly Fault[];
  readonly ticket?: string;
  readonly why?: 'one-time-secret' | 'expired';
  readonly reference?: string;
}

/** Thrown by every call to the host, and nothing else is. */
export class KeyswitchProblem extends Error {
  override readonly name = 'KeyswitchProblem';
  /** As in docs/errors.md; `unreachable` where no host answered, `unexpected` where something else than a host did. */
  readonly code: string;
  /** HTTP status; 0 where no host answered. */
  readonly status: number;
  /** Each field or rule that failed. */
  readonly faults: readonly Fault[];
  /** When to try again; 0: the host does not say. */
  readonly retryAfterSec: number;
  /** Of `password-change-required`: what `changePassword` takes. */
  readonly ticket: string | null;
  /** Of `password-change-required`: why the password must be replaced. */
  readonly why: 'one-time-secret' | 'expired' | null;
  /** Of `internal`: under which the host's log has the details. */
  readonly reference: string | null;

  constructor(details: ProblemDetails, retryAfterSec = 0, cause?: unknown) {
    super(details.detail ?? details.title ?? 'The host does not answer.', { cause });
    this.code = details.code ?? (details.status === undefined ? 'unreachable' : 'unexpected');
    this.status = details.status ?? 0;
    this.faults = details.faults ?? [];
    this.retryAfterSec = retryAfterSec;
    this.ticket = details.ticket ?? null;
    this.why = details.why ?? null;
    this.reference = details.reference ?? null;
  }
}
