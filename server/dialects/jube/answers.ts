/** Jube's answers: what it says, and does not say, when something is refused. */
import type { ErrorRequestHandler } from 'express';
import type { ErrorCode } from '../../errors.ts';
import type { ProblemView } from '../../http/contract.ts';
import { problemOf } from '../../http/problem.ts';

/** Its clients know "Invalid Login." and nothing finer. */
const UNAUTHORIZED: readonly ErrorCode[] = [
  'sign-in-refused',
  'not-signed-in',
  'ticket-invalid',
  'too-many-tries',
];

/** Renders what was thrown as Jube does; what it has no form for is left to the house. */
export const renderRefusal: ErrorRequestHandler = (error, _request, response, next) => {
  const { status, headers, body } = problemOf(error, '');
  const code = body.code as ErrorCode;
  if (response.headersSent) next(error);
  else if (UNAUTHORIZED.includes(code)) {
    // Under `/api` a refusal is bare; with the one challenge that browsers have no dialog for.
    response.status(401).set({ 'WWW-Authenticate': 'Bearer', ...headers });
    response.set('Cache-Control', 'no-store').end();
  } else if (code === 'password-change-required') {
    response.status(403).set('Cache-Control', 'no-store').end();
  } else if (status === 400) {
    response
      .status(400)
      .set('Cache-Control', 'no-store')
      .json({ errors: messagesOf(body) });
  } else next(error);
};

function messagesOf({ code, detail = '', faults = [] }: ProblemView): { errorMessage: string }[] {
  if (faults.length === 0) return [{ errorMessage: detail }];
  return faults.map(({ field, message }) => ({
    // The rules of a password are sentences of their own.
    errorMessage: code === 'password-unacceptable' ? message : `${field}: ${message}`,
  }));
}
