/** The one place that gives an error its HTTP status and public form (RFC 9457 problem details). */
import { ERROR_CATALOGUE, KeyswitchError, type ErrorCode } from '../errors.ts';
import type { ProblemView } from './contract.ts';

/** Codes that a request can end with; the others end a start, and would be a defect here. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  'sign-in-refused': 401,
  'password-change-required': 403,
  'second-factor-required': 403,
  'pin-unacceptable': 400,
  'password-unacceptable': 400,
  'ticket-invalid': 401,
  'not-signed-in': 401,
  forbidden: 403,
  'cross-site': 403,
  busy: 503,
  'invalid-input': 400,
  'malformed-body': 400,
  'body-too-large': 413,
  'unsupported-media-type': 415,
  'method-not-allowed': 405,
  'not-found': 404,
  'already-exists': 409,
  'audit-trail-broken': 409,
  'archive-unusable': 409,
  'backup-failed': 409,
  'too-many-tries': 429,
  'too-many-connections': 429,
  'storage-full': 503,
  'plc-unreachable': 502,
  'plc-refused': 502,
  'plc-write-unverified': 502,
  'plc-timeout': 504,
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  429: 'Too many tries',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Service unavailable',
  504: 'Gateway timeout',
};

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ProblemView;
}

export function bodyTooLarge(limit: number, cause?: unknown): KeyswitchError {
  return new KeyswitchError('body-too-large', `The body must have at most ${limit} bytes.`, { cause });
}

export function wrongEncoding(cause?: unknown): KeyswitchError {
  return new KeyswitchError('unsupported-media-type', 'Send UTF-8 without a content encoding.', { cause });
}

/** What body-parser and Express throw, in our words. */
function translate(error: unknown): unknown {
  const { type, status } = error as { type?: string; status?: number };
  switch (type) {
    case 'entity.too.large': {
      const { limit } = error as { limit?: number };
      return new KeyswitchError('body-too-large', `The body must have at most ${limit} bytes.`, {
        cause: error,
      });
    }
    case 'entity.parse.failed':
    case 'request.size.invalid':
    case 'request.aborted':
      return new KeyswitchError('malformed-body', undefined, { cause: error });
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new KeyswitchError('unsupported-media-type', 'Send UTF-8 without a content encoding.', {
        cause: error,
      });
  }
  // A path that cannot be decoded (`/%E0%A4%A`) comes from the router as a bare 400.
  if (status === 400) return new KeyswitchError('not-found', undefined, { cause: error });
  return error;
}

/**
 * Renders whatever a request failed with. What is not ours, or has no status, is a defect: it is reported as
 * `internal` with `reference`, under which the log has the details, and nothing of it leaves the house.
 */
export function problemOf(thrown: unknown, reference: string): Problem {
  const error = translate(thrown);
  const status = error instanceof KeyswitchError ? STATUS[error.code] : undefined;
  if (!(error instanceof KeyswitchError) || status === undefined) {
    return render(500, { code: 'internal', detail: ERROR_CATALOGUE.internal, reference });
  }
  const headers: Record<string, string> = {};
  if (error.retryAfterSec !== undefined) headers['Retry-After'] = String(error.retryAfterSec);
  // RFC 9110 section 11.6.1; without a scheme that browsers have a dialog for.
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return render(
    status,
    {
      code: error.code,
      detail: error.message,
      ...(error.faults.length > 0 && { faults: [...error.faults] }),
      ...(error.ticket !== undefined && { ticket: error.ticket }),
      ...(error.why !== undefined && { why: error.why }),
      ...(error.factor !== undefined && { factor: error.factor }),
    },
    headers,
  );
}

function render(
  status: number,
  members: Pick<ProblemView, 'code'> & Partial<ProblemView>,
  headers: Record<string, string> = {},
): Problem {
  const type = `urn:keyswitch:problem:${members.code}`;
  return { status, headers, body: { type, title: TITLES[status] ?? 'Error', status, ...members } };
}
