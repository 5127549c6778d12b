/** The installation's secrets: read from the process environment and `keyswitch.env`, made at first start. */
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataFolderUnusable, syncFolder } from '../config/data-folder.ts';
import { KeyswitchError, messageOf, type Fault } from '../errors.ts';
import type { Log } from '../ports/log.ts';
import { randomText, type Random } from '../ports/random.ts';
import { parseEnvFile, type EnvFile } from './env-file.ts';
import { openValue, type KeyStore } from './sealing.ts';

export const SECRETS_FILE = 'keyswitch.env';

/** A key is the UTF-8 bytes of its text, never decoded: one taken over from another system works as it is. */
export interface Secrets {
  /** Signs tokens. Changing it invalidates every token of every user. */
  readonly secretPwdKey: Buffer;
  /** The secret input of Argon2id (RFC 9106, section 3.1). Changing it invalidates every password, PIN and badge. */
  readonly passwordHashingKey: Buffer;
  /** `iss` of the tokens (RFC 7519, section 4.1.1). */
  readonly jwtIssuer: string;
  /** `aud` of the tokens (RFC 7519, section 4.1.3). */
  readonly jwtAudience: string;
  /** Signs and verifies tokens that are shared with other programs (HS256); null where the site has set none. */
  readonly jwtKey: Buffer | null;
}

export interface SecretsSources {
  readonly dataFolder: string;
  /** The process environment; it goes before the file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly random: Random;
  readonly log: Log;
  /** Opens what is sealed; by default there is none. */
  readonly keyStore?: KeyStore | null;
}

export interface SecretSpec {
  readonly secret: keyof Secrets;
  /** The name it is written under, then the one it has in Jube. */
  readonly names: readonly [string, ...string[]];
  /** In characters. */
  readonly minLength: number;
  readonly description: string;
}

export const SECRETS: readonly SecretSpec[] = [
  {
    secret: 'secretPwdKey',
    names: ['SECRET_PWD_KEY'],
    minLength: 16,
    description: 'Signs tokens. Changing it invalidates every token of every user.',
  },
  {
    secret: 'passwordHashingKey',
    names: ['PASSWORD_HASHING_KEY', 'PasswordHashingKey'],
    minLength: 16,
    description:
      'Goes into every password hash (RFC 9106, section 3.1). Changing it invalidates every password, PIN and badge.',
  },
  {
    secret: 'jwtIssuer',
    names: ['JWT_VALID_ISSUER', 'JWTValidIssuer'],
    minLength: 1,
    description: 'Who issues the tokens: their `iss` (RFC 7519, section 4.1.1).',
  },
  {
    secret: 'jwtAudience',
    names: ['JWT_VALID_AUDIENCE', 'JWTValidAudience'],
    minLength: 1,
    description: 'Who accepts the tokens: their `aud` (RFC 7519, section 4.1.3).',
  },
  {
    secret: 'jwtKey',
    names: ['JWT_KEY', 'JWTKey'],
    // RFC 7518, section 3.2: as long as the hash at least.
    minLength: 32,
    description:
      'Shared with other programs: tokens signed with it (HS256, RFC 7518, section 3.2) are accepted, whoever made ' +
      'them. Never made by itself; not set, no such token is.',
  },
];

/** The others are made. Who has this one can sign in as anyone: a site has to want it. */
type MadeSecret = Exclude<keyof Secrets, 'jwtKey'>;

const KEY_BYTES = 32;

/** What a new file begins with. */
export const SECRETS_HEADER = `# The secrets of this Keyswitch. Let nobody else read this file, and keep a copy in a safe place:
# without PASSWORD_HASHING_KEY no password can be verified; with SECRET_PWD_KEY anyone can sign tokens.
`;

/**
 * Loads the secrets, each from the process environment, else from the file; what neither has is made and written
 * to the file. Throws `secrets-invalid` with every fault, named by file and line and never with a value,
 * `secrets-sealed` where a value that is needed cannot be opened, and `data-folder-unusable` when the file cannot be
 * written.
 */
export function loadSecrets({ dataFolder, env, random, log, keyStore = null }: SecretsSources): Secrets {
  const path = join(dataFolder, SECRETS_FILE);
  const text = readEnvText(path, SECRETS_FILE);
  const file = parseEnvFile(text ?? '', SECRETS_FILE);
  const found = SECRETS.map((spec) => {
    const { value, place } = find(spec, env, file);
    return { spec, place, value: value === undefined ? undefined : openValue(value, keyStore) };
  });
  const faults = [...file.faults, ...found.flatMap(({ spec, value, place }) => faultsOf(spec, value, place))];
  if (faults.length > 0) throw secretsInvalid(faults);

  const fresh = makeSecrets(random);
  const missing = found.flatMap(({ spec: { secret, names }, value }) =>
    value === undefined && secret !== 'jwtKey' ? [{ secret, name: names[0] }] : [],
  );
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name);
    write(path, text, missing.map(({ secret, name }) => `${name}=${fresh[secret]}\n`).join(''));
    log.info({ file: path, names }, 'secrets that were missing have been made');
  }
  warnOfTrouble(path, file, log);

  const given = (secret: keyof Secrets): string | undefined =>
    found.find(({ spec }) => spec.secret === secret)?.value;
  const valueOf = (secret: MadeSecret): string => given(secret) ?? fresh[secret];
  const jwtKey = given('jwtKey');
  return {
    secretPwdKey: Buffer.from(valueOf('secretPwdKey')),
    passwordHashingKey: Buffer.from(valueOf('passwordHashingKey')),
    jwtIssuer: valueOf('jwtIssuer'),
    jwtAudience: valueOf('jwtAudience'),
    jwtKey: jwtKey === undefined ? null : Buffer.from(jwtKey),
  };
}

/** Reads the text of a file that faults call `name`; undefined where there is none. */
export function readEnvText(path: string, name: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const message = error instanceof TypeError ? 'is not UTF-8' : `cannot be read: ${messageOf(error)}`;
    throw secretsInvalid([{ field: name, message }], error);
  }
}

/** Tells what is wrong with a value that stands at `place`; nothing is with one that is not there. */
export function faultsOf({ minLength }: SecretSpec, value: string | undefined, place: string): Fault[] {
  if (value === undefined || value.length >= minLength) return [];
  const message = minLength === 1 ? 'is empty' : `is shorter than ${minLength} characters`;
  return [{ field: place, message }];
}

export function secretsInvalid(faults: readonly Fault[], cause?: unknown): KeyswitchError {
  const lines = faults.map((fault) => `  ${fault.field}: ${fault.message}`);
  return new KeyswitchError('secrets-invalid', ['The secrets have faults.', ...lines].join('\n'), {
    faults,
    cause,
  });
}

function find(
  { names }: SecretSpec,
  env: SecretsSources['env'],
  file: EnvFile,
): { readonly value: string | undefined; readonly place: string } {
  const inEnv = names.find((name) => env[name] !== undefined);
  if (inEnv !== undefined) return { value: env[inEnv], place: inEnv };
  const inFile = names.find((name) => file.values.has(name)) ?? names[0];
  const entry = file.values.get(inFile);
  return { value: entry?.value, place: `${entry?.place ?? SECRETS_FILE} ${inFile}` };
}

function makeSecrets(random: Random): Readonly<Record<MadeSecret, string>> {
  // One name for both: the tokens are for the host that issued them, and for no other installation.
  const installation = `keyswitch:${random.uuid()}`;
  return {
    secretPwdKey: randomText(random, KEY_BYTES),
    passwordHashingKey: randomText(random, KEY_BYTES),
    jwtIssuer: installation,
    jwtAudience: installation,
  };
}

/** Makes the file (mode 0600), or appends to it, and has it on disk before a secret is used. */
function write(path: string, former: string | undefined, lines: string): void {
  const separator =
    former === undefined ? SECRETS_HEADER : former === '' || former.endsWith('\n') ? '' : '\n';
  try {
    // `x`: never into a file, or through a link, that someone else has put there meanwhile.
    const descriptor = openSync(path, former === undefined ? 'wx' : 'a', 0o600);
    try {
      writeFileSync(descriptor, separator + lines);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncFolder(dirname(path));
  } catch (error) {
    throw dataFolderUnusable(path, error);
  }
}

function warnOfTrouble(path: string, file: EnvFile, log: Log): void {
  const known = SECRETS.flatMap(({ names }) => names);
  for (const [name, { place }] of file.values) {
    // The name stays out of the log: a secret broken over two lines looks like one.
    if (!known.includes(name)) log.warn({ place }, 'the line sets nothing that Keyswitch knows');
  }
  // Windows keeps rights in access control lists, which the mode does not show.
  if (process.platform === 'win32') return;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) !== 0) {
    log.warn({ file: path }, 'other accounts have rights to the file with the secrets; set its mode to 600');
  }
}
