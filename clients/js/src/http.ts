/** One call to the native API: JSON in, JSON out, and one kind of failure. */
import { KeyswitchProblem, type ProblemDetails } from './problem.ts';

/** Longer than a sign-in may wait for its turn at the host. */
const TIMEOUT_MS = 15_000;

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
}

/** Resolves with the answer's body; throws a `KeyswitchProblem` and nothing else. */
export type Http = <Answer>(call: Call) => Promise<Answer>;

export function createHttp(origin: string, fetch: typeof globalThis.fetch): Http {
  return async <Answer>(call: Call) => {
    const { response, text } = await exchange(fetch, origin, call);
    const answer = parse(text);
    if (response.ok && answer !== undefined) return answer as Answer;
    const retryAfterSec = Number(response.headers.get('Retry-After') ?? 0);
    throw new KeyswitchProblem({ ...(answer as ProblemDetails), status: response.status }, retryAfterSec);
  };
}

async function exchange(fetch: typeof globalThis.fetch, origin: string, call: Call) {
  const { method, path, body, token } = call;
  try {
    const response = await fetch(origin + path, {
      method,
      // A browser's own session is another one.
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { response, text: await response.text() };
  } catch (cause) {
    throw new KeyswitchProblem({}, 0, cause);
  }
}

/** The empty body of 204 is an object without members; undefined where it is no JSON. */
function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
