/** Taking over secrets from the environment file of a Jube installation. */
import { basename, join } from 'node:path';
import { replaceFile } from '../config/replace-file.ts';
import { KeyswitchError, type Fault } from '../errors.ts';
import { assignment, parseEnvFile, replaceValues, type EnvFile } from './env-file.ts';
import { isSealed, secretsSealed } from './sealing.ts';
import {
  faultsOf,
  readEnvText,
  SECRETS,
  SECRETS_FILE,
  SECRETS_HEADER,
  secretsInvalid,
  type SecretSpec,
  type Secrets,
} from './secrets.ts';

/** By the names they have here; never with a value. */
export interface ImportedSecrets {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
  /** Had the same value already. */
  readonly unchanged: readonly string[];
}

export interface ImportOptions {
  readonly dataFolder: string;
  /** Replace what has another value here. */
  readonly force: boolean;
}

/** What the installation loses when a secret that was in use is replaced. */
const LOST: Readonly<Partial<Record<keyof Secrets, string>>> = {
  passwordHashingKey: 'no password that was set here can be verified any more',
  jwtIssuer: 'every token given out so far is void',
  jwtAudience: 'every token given out so far is void',
  jwtKey: 'every token signed with the former key is void',
};

/** One secret of the file that is imported, and what stands for it here. */
interface Taken {
  readonly spec: SecretSpec;
  readonly value: string;
  readonly from: string;
  /** The name it has in the file here, or is to have. */
  readonly name: string;
  readonly former: { readonly value: string; readonly place: string } | undefined;
}

/**
 * Takes what Keyswitch knows from the file at `path` into `keyswitch.env`, all of it or nothing. Throws
 * `secrets-invalid` for a fault in either file, each by its line, `already-exists` where another value would have to
 * give way, `secrets-sealed` where what stands here cannot be read, and `data-folder-unusable` where the file cannot
 * be written.
 */
export function importJubeEnvironment(path: string, { dataFolder, force }: ImportOptions): ImportedSecrets {
  const target = join(dataFolder, SECRETS_FILE);
  const text = readEnvText(target, SECRETS_FILE);
  const taken = match(readSource(path), parseEnvFile(text ?? '', SECRETS_FILE));
  const replaced = taken.filter(({ former, value }) => former !== undefined && former.value !== value);
  if (replaced.length > 0 && !force) throw conflict(replaced);
  const added = taken.filter(({ former }) => former === undefined);
  if (added.length + replaced.length > 0) {
    replaceFile(target, rewritten(text ?? SECRETS_HEADER, added, replaced), 0o600);
  }
  const names = (of: readonly Taken[]): string[] => of.map(({ name }) => name);
  const unchanged = taken.filter(({ former, value }) => former?.value === value);
  return { added: names(added), replaced: names(replaced), unchanged: names(unchanged) };
}

function readSource(path: string): EnvFile {
  const name = basename(path);
  const text = readEnvText(path, name);
  if (text === undefined) throw secretsInvalid([{ field: name, message: 'is not there' }]);
  return parseEnvFile(text, name);
}

/** Pairs what the source has with what is here, or throws with the faults of both. */
function match(source: EnvFile, here: EnvFile): Taken[] {
  const taken = SECRETS.flatMap((spec): Taken[] => {
    const [ownName, ...aliases] = spec.names;
    const alias = aliases.find((name) => source.values.has(name));
    const found = alias === undefined ? undefined : source.values.get(alias);
    if (alias === undefined || found === undefined) return [];
    const name = spec.names.find((candidate) => here.values.has(candidate)) ?? ownName;
    const former = here.values.get(name);
    // Whether it is the same cannot be told.
    if (former !== undefined && isSealed(former.value)) throw secretsSealed(former.value);
    return [{ spec, value: found.value, from: `${found.place} ${alias}`, name, former }];
  });
  const faults: Fault[] = [
    ...source.faults,
    ...here.faults,
    ...taken.flatMap(({ spec, value, from }) => faultsOf(spec, value, from)),
  ];
  if (faults.length > 0) throw secretsInvalid(faults);
  if (taken.length === 0) {
    const wanted = SECRETS.flatMap(({ names: [, ...aliases] }) => aliases).join(', ');
    throw secretsInvalid([{ field: 'the file', message: `sets none of ${wanted}` }]);
  }
  return taken;
}

function conflict(replaced: readonly Taken[]): KeyswitchError {
  const faults = replaced.map(({ spec, from, name, former }): Fault => ({
    field: `${former?.place ?? SECRETS_FILE} ${name}`,
    message: `has another value than ${from}; --force replaces it, and then ${LOST[spec.secret] ?? 'it is lost'}`,
  }));
  const heading = 'Nothing was imported.';
  return new KeyswitchError('already-exists', [heading, ...faults.map(({ field }) => field)].join('\n'), {
    faults,
  });
}

/** Puts the values into the text; every other line stays as it is. */
function rewritten(text: string, added: readonly Taken[], replaced: readonly Taken[]): string {
  const values = new Map(replaced.map(({ name, value }) => [name, value]));
  const kept = replaceValues(text, (_, key) => values.get(key));
  const end = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${kept}${end}${added.map(({ name, value }) => `${assignment(name, value)}\n`).join('')}`;
}
