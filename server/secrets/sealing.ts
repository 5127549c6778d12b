/** Secrets sealed by the key store of the operating system: how they stand in `keyswitch.env`. */
import { KeyswitchError } from '../errors.ts';
import { replaceValues } from './env-file.ts';

/** What the operating system keeps keys in, for one account. */
export interface KeyStore {
  /** The kind and whose it is, such as `dpapi/anna@PANEL-3`; without blanks and colons. */
  readonly name: string;
  /** Something that it sealed in an earlier run has opened in this one: before that it is trusted with nothing. */
  readonly isProven: boolean;
  /** Gives base64. */
  seal(text: string): string;
  /** Throws for what another account, machine or program has sealed. */
  open(sealed: string): string;
}

/** No secret begins with it: what does is sealed, or was once and is damaged. */
const MARK = 'sealed:';

/** Stands at the top of a file that holds sealed values. */
export const SEALED_HEADER = `# Values that begin with "${MARK}" are sealed by the key store of the operating system, for the account and the
# machine named there; no other one can use this file. In plain text again: start the desktop with --secrets=plain.
`;

export function isSealed(value: string): boolean {
  return value.startsWith(MARK);
}

/** Gives a sealed value as it was, and a plain one as it is; throws `secrets-sealed`. */
export function openValue(value: string, keyStore: KeyStore | null): string {
  if (!isSealed(value)) return value;
  const [, sealed] = /:([A-Za-z0-9+/]+={0,2})$/.exec(value) ?? [];
  if (sealed === undefined || keyStore === null) throw secretsSealed(value);
  try {
    return keyStore.open(sealed);
  } catch (error) {
    throw secretsSealed(value, error);
  }
}

/** Makes the error for a value that cannot be opened; says who could, and nothing else of it. */
export function secretsSealed(value: string, cause?: unknown): KeyswitchError {
  const [, who = 'a key store that is not named'] = /^sealed:([\w-]+\/[^\s:]+@[^\s:]+):/.exec(value) ?? [];
  const message =
    `The secrets in keyswitch.env are sealed by ${who}. Start the desktop there with --secrets=plain, ` +
    'or put a plain copy of the file in its place.';
  return new KeyswitchError('secrets-sealed', message, { cause });
}

/** Seals every plain value; throws where what was sealed does not open again. */
export function sealEnvText(text: string, keyStore: KeyStore): string {
  const sealed = replaceValues(text, (value) =>
    value === '' || isSealed(value) ? undefined : seal(value, keyStore),
  );
  return sealed === text || text.startsWith(SEALED_HEADER) ? sealed : SEALED_HEADER + sealed;
}

function seal(value: string, keyStore: KeyStore): string {
  const sealed = keyStore.seal(value);
  if (keyStore.open(sealed) !== value)
    throw new Error(`${keyStore.name} does not give back what it was given`);
  return `${MARK}${keyStore.name}:${sealed}`;
}

/** Opens every sealed value: the text as it was before `sealEnvText`. Throws `secrets-sealed`. */
export function openEnvText(text: string, keyStore: KeyStore | null): string {
  const opened = replaceValues(text, (value) => (isSealed(value) ? openValue(value, keyStore) : undefined));
  return opened.startsWith(SEALED_HEADER) ? opened.slice(SEALED_HEADER.length) : opened;
}
