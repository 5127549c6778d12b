/** An entry as a syslog message (RFC 5424), framed for a stream by counting its octets (RFC 5425, section 4.3). */
import { outcomeOf } from '../query.ts';
import type { ForwardCheckpoint, ForwardEntry } from './forward-store.ts';

/** authpriv: security and authorization messages (RFC 5424, table 1). */
const FACILITY = 10;
const SEVERITY = { warning: 4, notice: 5, informational: 6 } as const;
/** An SD-ID of one's own needs an enterprise number; 32473 is the one for those who have none (RFC 5612). */
const ENTERPRISE = 32473;
/** What every receiver should be able to take (RFC 5425, section 4.3.1). */
const MOST_OCTETS = 8192;
/** What the detail loses at a time until the message fits. */
const TRIM_CHARACTERS = 256;

type Parameter = readonly [name: string, value: string | number | null];

/** Makes the message of an entry: who did what to whom as structured data, and once more in words. */
export function entryMessage(entry: ForwardEntry, host: string): Buffer {
  const { seq, at, action, actor, subject, app, door, address, reason, detail, hash } = entry;
  const outcome = outcomeOf(action);
  const render = (text: string, isWhole: boolean): Buffer =>
    message({
      severity: outcome === 'refused' ? SEVERITY.warning : SEVERITY.notice,
      at,
      host,
      kind: action,
      id: 'audit',
      parameters: [
        ['seq', seq],
        ['outcome', outcome],
        ['actor', actor],
        ['subject', subject],
        ['app', app],
        ['door', door],
        ['address', address],
        ['reason', reason],
        [isWhole ? 'detail' : 'detailBeginning', text],
        ['hash', hash],
      ],
      words: inWords(entry),
    });
  const whole = render(detail, true);
  if (whole.length <= MOST_OCTETS) return whole;
  // The whole of it is in the trail, under the number and the hash that are told.
  let characters = [...detail].slice(0, MOST_OCTETS);
  let cut = whole;
  while (cut.length > MOST_OCTETS && characters.length > 0) {
    characters = characters.slice(0, Math.max(0, characters.length - TRIM_CHARACTERS));
    cut = render(characters.join(''), false);
  }
  return cut;
}

/** Makes the message of a checkpoint: with it whoever has the messages before can prove them. */
export function checkpointMessage(checkpoint: ForwardCheckpoint, host: string): Buffer {
  const { seq, at, keyId, hash, signature } = checkpoint;
  return message({
    severity: SEVERITY.informational,
    at,
    host,
    kind: 'checkpoint',
    id: 'checkpoint',
    parameters: [
      ['seq', seq],
      ['hash', hash],
      ['keyId', keyId],
      ['signature', signature],
    ],
    words: `checkpoint of the entries up to ${seq}`,
  });
}

/** Puts the number of its octets before a message: `MSG-LEN SP SYSLOG-MSG`. */
export function frame(syslogMessage: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${syslogMessage.length} `), syslogMessage]);
}

interface Parts {
  readonly severity: number;
  readonly at: number;
  readonly host: string;
  readonly kind: string;
  readonly id: string;
  readonly parameters: readonly Parameter[];
  readonly words: string;
}

function message({ severity, at, host, kind, id, parameters, words }: Parts): Buffer {
  const priority = FACILITY * 8 + severity;
  const time = new Date(at).toISOString();
  const data = parameters
    .filter(([, value]) => value !== null)
    .map(([name, value]) => ` ${name}="${parameterValue(String(value))}"`)
    .join('');
  const head = `<${priority}>1 ${time} ${headerField(host, 255)} keyswitch - ${headerField(kind, 32)}`;
  return Buffer.from(`${head} [${id}@${ENTERPRISE}${data}] ${freeText(words)}`);
}

/** A field of the header: printable ASCII without spaces, never empty (RFC 5424, section 6). */
function headerField(value: string, longest: number): string {
  return value.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-';
}

/** Escapes what would end the value (RFC 5424, section 6.3.3); what would break a receiver's line becomes visible. */
function parameterValue(value: string): string {
  return visible(value).replaceAll(/["\\\]]/g, '\\$&');
}

/** Text beyond ASCII says by a byte order mark that it is UTF-8 (RFC 5424, section 6.4). */
function freeText(words: string): string {
  const text = visible(words);
  return /^[\x20-\x7e]*$/.test(text) ? text : `\ufeff${text}`;
}

/** Control characters as JSON writes them (`\u000a`): a name must not be able to forge a line (ASVS 16.4.1). */
function visible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\u2028\u2029]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

function inWords({ action, actor, subject, app, door, reason }: ForwardEntry): string {
  const words = [action, 'by', actor];
  if (subject !== null) words.push('of', subject);
  if (app !== null) words.push('at', app);
  words.push('via', door);
  if (reason !== null) words.push(`(${reason})`);
  return words.join(' ');
}
