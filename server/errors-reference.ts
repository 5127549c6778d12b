/** Renders the error reference from the catalogue; run it to write `docs/errors.md` anew. */
import { writeFileSync } from 'node:fs';
import { ERROR_CATALOGUE, KeyswitchError, type ErrorCode } from './errors.ts';
import { problemOf } from './http/problem.ts';

export const ERRORS_FILE = new URL('../docs/errors.md', import.meta.url);

/** The HTTP status of a code; null where no request ends with it. */
export function statusOf(code: ErrorCode): number | null {
  const { status, body } = problemOf(new KeyswitchError(code), '');
  return body.code === code ? status : null;
}

/** Renders `docs/errors.md`. */
export function renderErrors(): string {
  return `<!-- Written by server/errors-reference.ts; change the catalogue in server/errors.ts, not this page. -->

# Errors

Whatever fails on purpose has a code that stays the same from version to version. A request that fails is answered with
problem details (RFC 9457): \`code\` is the code, \`type\` is \`urn:keyswitch:problem:<code>\`, \`detail\` says what was wrong
this time. On the command line and in the log the code stands beside the message.

Codes without an HTTP status end a start or a command, never a request.

| code | HTTP status | meaning, and what to do |
| --- | --- | --- |
${(Object.keys(ERROR_CATALOGUE) as ErrorCode[]).map(renderRow).join('\n')}
`;
}

function renderRow(code: ErrorCode): string {
  return `| \`${code}\` | ${statusOf(code) ?? '-'} | ${ERROR_CATALOGUE[code]} |`;
}

if (import.meta.main) writeFileSync(ERRORS_FILE, renderErrors());
