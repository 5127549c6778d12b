/** Reads a JSON body (RFC 8259): UTF-8, not packed, no larger than it may be; anything else is refused. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type Handler } from 'express';
import { KeyswitchError } from '../errors.ts';
import { bodyTooLarge, wrongEncoding } from './problem.ts';

/** Makes the handlers that put the body in `request.body`; undefined where there is none. */
export function jsonBody(maxBytes: number): Handler[] {
  return [
    (request, _response, next) => {
      const length = request.headers['content-length'];
      const isEmpty = length === '0';
      if (!isEmpty && request.is('application/json') === false)
        throw new KeyswitchError('unsupported-media-type');
      // The parser would read it to its end before it says so.
      if (Number(length) > maxBytes) throw bodyTooLarge(maxBytes);
      next();
    },
    express.json({ limit: maxBytes, type: 'application/json', inflate: false, verify: refuseOtherEncodings }),
  ];
}

/** The parser takes any `utf-*`, and puts U+FFFD where bytes are not UTF-8: a password would become another one. */
function refuseOtherEncodings(
  _request: IncomingMessage,
  _response: ServerResponse,
  body: Buffer,
  encoding: string,
): void {
  if (encoding !== 'utf-8') throw wrongEncoding();
  if (!isUtf8(body)) throw new KeyswitchError('malformed-body');
}
