/** The one error the house throws on purpose: a literal code, a sentence a person can act on, and typed details. */

/**
 * When each code occurs and what the caller can do; `docs/errors.md` is generated from it.
 * HTTP status and public text belong to `http/problem.ts` alone.
 */
export const ERROR_CATALOGUE = {
  'sign-in-refused':
    'The user name, the password or the right to this app is wrong. Check both and try again.',
  'password-change-required':
    'The password must be replaced before signing in. Use the ticket with password-change.',
  'second-factor-required':
    'The badge alone does not sign in. Send it again with the PIN or the password that the factor names.',
  'pin-unacceptable': 'The new PIN is too short, too simple or no number. The rule that failed is listed.',
  'password-unacceptable': 'The new password breaks a rule of the policy. The rules that failed are listed.',
  'ticket-invalid': 'The password-change ticket is unknown, used or older than ten minutes. Sign in again.',
  'not-signed-in': 'The request carries no session, or one that has ended. Sign in.',
  forbidden: 'The session is good, but its user may not do this. Ask an administrator.',
  'cross-site': 'A browser sent the request from another site. Use the Keyswitch page itself.',
  'too-many-tries':
    'This name was tried too often from this address, or the address tried too many names. Wait the time given.',
  'storage-full':
    'The disk of the host is full or not there: nobody new is signed in, so that nothing goes unrecorded. Mend it.',
  busy: 'More sign-ins wait than the host can check soon. Try again after the time given.',
  'invalid-input': 'A field is missing, malformed or out of range. Each fault names its field and limit.',
  'malformed-body': 'The body is not valid JSON, or its encoding is not UTF-8. Send a JSON object.',
  'body-too-large': 'The body is larger than the limit given. Send less.',
  'unsupported-media-type': 'The body is not application/json. Set Content-Type.',
  'method-not-allowed': 'The path exists, but not for this method. The Allow header lists those that do.',
  'not-found': 'Nothing is at this path, or no record has this name or id.',
  'already-exists': 'A record with this name exists. Choose another.',
  'config-invalid': 'keyswitch.yaml, the environment or a flag has a fault. Each is named with its line.',
  'secrets-invalid': 'keyswitch.env cannot be read or holds a malformed value. Mend the line named.',
  'secrets-sealed':
    "keyswitch.env is sealed by the operating system's key store for another program or account. Unseal it there.",
  'key-store-unavailable':
    'The operating system offers no key store to this account, or has not shown yet that it keeps its key.',
  'data-folder-unusable':
    'The data folder cannot be made, read or written. Grant the rights or choose another.',
  'data-folder-in-use': 'Another Keyswitch runs on this data folder. Stop it, or choose another folder.',
  'store-corrupt': 'The database is damaged and was left untouched. Restore a backup.',
  'store-newer': 'The database was written by a newer Keyswitch. Install that version or restore a backup.',
  'audit-trail-broken':
    'A row of the audit trail is not as it was written, so it cannot be archived. Verify the trail.',
  'archive-unusable': 'The archive folder cannot be written, or holds other files. Set audit.archiveFolder.',
  'backup-failed': 'A backup could not be made. Mend what is said, or set another backups.folder.',
  'backup-unusable': 'The file is no whole backup of Keyswitch. Take another one.',
  'port-in-use': 'Another program listens on the port. Stop it, or set http.port.',
  'address-unavailable': 'The listen address does not belong to this machine. Set http.host.',
  'update-unreachable':
    'The source of updates cannot be read. Look at desktop.updateSource, at its server and at its certificate.',
  'update-unsigned':
    'The manifest of an update is not signed by the key that this program was built with. Sign it, or build anew.',
  'update-invalid':
    'The manifest of an update cannot be read, or names no installer for this machine. Take that of electron-builder.',
  'update-mismatch':
    'The installer of an update is not the one that was signed. Copy it to the source again.',
  'update-not-staged':
    'The installer of an update could not be kept in the data folder. Make room, or grant the rights.',
  'update-not-installed':
    'The operating system did not install an update, and nothing has changed. An administrator can try again.',
  'certificate-unusable': 'The certificate or its key cannot be read, or they do not belong together.',
  'host-unreachable': 'The data folder is in use, but its host does not answer. Wait for it, or stop it.',
  'plc-unreachable': 'The PLC does not accept a connection. Check address, rack, slot and PUT/GET access.',
  'plc-timeout': 'The PLC did not answer in time; the connection was destroyed and is being made anew.',
  'plc-refused': 'The PLC answered that the item cannot be read or written. Check area, address and access.',
  'plc-value-invalid': 'The value does not fit the width of the address. Nothing was written.',
  'plc-write-unverified':
    'The PLC confirmed a write, but reads back another value. The program may overwrite it.',
  'too-many-connections': 'This address holds as many connections as it may. Close some of them.',
  'hub-protocol':
    'A SignalR client broke the hub protocol. It is told what is wrong, and its connection is closed.',
  internal: 'A defect in Keyswitch. The log holds the details under the reference given.',
} as const;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** One fault of one input: where it is, and what would be right. */
export interface Fault {
  /** Path of the field (`http.port`, `password`), with file and line where it came from one. */
  readonly field: string;
  readonly message: string;
  /** The rule that failed, in a stable word, so that a page can say it in its own language. */
  readonly rule?: string | undefined;
  /** What `rule` asks for. */
  readonly values?: Readonly<Record<string, number>> | undefined;
}

export interface ErrorDetails {
  readonly cause?: unknown;
  readonly faults?: readonly Fault[];
  /** Seconds after which trying again makes sense (`Retry-After`, RFC 9110 section 10.2.3). */
  readonly retryAfterSec?: number;
  /** Good for `password-change` and nothing else; only with `password-change-required`. */
  readonly ticket?: string;
  /** Why the password must be replaced; only with `password-change-required`. */
  readonly why?: 'one-time-secret' | 'expired';
  /** What to send beside the badge; only with `second-factor-required`. */
  readonly factor?: 'pin' | 'password';
}

export class KeyswitchError extends Error {
  override readonly name = 'KeyswitchError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly retryAfterSec: number | undefined;
  readonly ticket: string | undefined;
  readonly why: ErrorDetails['why'] | undefined;
  readonly factor: ErrorDetails['factor'] | undefined;

  constructor(code: ErrorCode, message: string = ERROR_CATALOGUE[code], details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.faults = details.faults ?? [];
    this.retryAfterSec = details.retryAfterSec;
    this.ticket = details.ticket;
    this.why = details.why;
    this.factor = details.factor;
  }
}

/** Says that one field is wrong: `invalid-input` with a single fault. */
export function invalidInput(field: string, message: string): KeyswitchError {
  return new KeyswitchError('invalid-input', `${field}: ${message}`, { faults: [{ field, message }] });
}

/** Tells whether `error` is ours and carries `code`. */
export function isKeyswitchError(error: unknown, code?: ErrorCode): error is KeyswitchError {
  return error instanceof KeyswitchError && (code === undefined || error.code === code);
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
