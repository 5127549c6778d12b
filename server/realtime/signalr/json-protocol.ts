/** The hub protocol in JSON: one object a message, each ended by a record separator. */
import { RECORD_SEPARATOR, textFraming } from './framing.ts';
import { hubFault, messageOf, type Fields, type HubProtocol } from './messages.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const jsonProtocol: HubProtocol = {
  name: 'json',
  isBinary: false,
  framing: textFraming,
  decode: (message) => messageOf(readObject(message)),
  encode: (message) => JSON.stringify(message) + RECORD_SEPARATOR,
};

/** Reads one JSON object (RFC 8259) in UTF-8. */
export function readObject(bytes: Buffer): Fields {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (cause) {
    throw hubFault('a message is one JSON object', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw hubFault('a message is one JSON object');
  }
  return value as Fields;
}
