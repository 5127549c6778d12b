/** One request and all that must come of it: the answer, what is not in it, the events, the audit rows. */
import { expect } from 'vitest';
import type { Answer, Ask, TestHost } from './host.ts';

export interface Scenario {
  readonly title: string;
  readonly method?: string;
  readonly path?: string;
  readonly ask?: Ask;
  readonly status: number;
  /** The whole body, or matchers for it; undefined for none at all. */
  readonly body?: unknown;
  /** What must stand nowhere in head or body. */
  readonly absent?: readonly string[];
  /** Headers, with their whole value or a matcher; undefined for absent ones. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** All that the features publish; none by default. */
  readonly events?: readonly string[];
  /** All that the audit trail gets; nothing by default. */
  readonly trail?: readonly unknown[];
}

export async function expectScenario(
  host: TestHost,
  {
    method = 'GET',
    path = '/',
    ask,
    status,
    body,
    absent = [],
    headers = {},
    events = [],
    trail = [],
  }: Scenario,
): Promise<Answer> {
  host.events();
  await host.trail();
  const answer = await host.ask(method, path, ask);
  expect({ status: answer.status, body: answer.body ?? (answer.text || undefined) }).toEqual({
    status,
    body,
  });
  for (const [name, value] of Object.entries(headers)) expect(answer.headers[name], name).toEqual(value);
  const everything = answer.rawHeaders.join('\n') + answer.text;
  for (const text of absent) expect(everything).not.toContain(text);
  expect(toldOnce(host.events(), events)).toEqual(events);
  expect(await host.trail()).toEqual(trail);
  return answer;
}

/** A link tells of its state whenever it changes: that counts where a scenario names it, and once. */
function toldOnce(published: readonly string[], expected: readonly string[]): string[] {
  const isNamed = Array.isArray(expected) && expected.includes('LinkChanged');
  const first = isNamed ? published.indexOf('LinkChanged') : -1;
  return published.filter((event, index) => event !== 'LinkChanged' || index === first);
}

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

/** The problem document (RFC 9457) with this status and code, its detail a sentence, and nothing else but `more`. */
export function problem(status: number, code: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    type: `urn:keyswitch:problem:${code}`,
    title: TITLES[status],
    status,
    code,
    detail: expect.stringMatching(/./),
    ...more,
  };
}

/** The problem document of bad input with exactly these faults, as `field: message`. */
export function badInput(...faults: readonly string[]): unknown {
  return problem(400, 'invalid-input', {
    detail: faults.join('; '),
    faults: faults.map((fault) => {
      const [field, ...message] = fault.split(': ');
      return { field, message: message.join(': ') };
    }),
  });
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
export const INSTANT: unknown = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
export const GUID: unknown = expect.stringMatching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
);
export const JWT: unknown = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/);
/** As in `gv8ji-jasta-sn4pc-cxweb`. */
export const ONE_TIME_SECRET: unknown = expect.stringMatching(/^([a-kmnp-z2-9]{5}-){3}[a-kmnp-z2-9]{5}$/);
/** As in `7K3QX-09MZB-...`, five groups. */
export const ENVELOPE_CODE: unknown = expect.stringMatching(
  /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/,
);
