/** What the desktop is started with; `serve` takes the same options. */
import { parseArgs } from 'node:util';
import { resolveDataFolder, type DataFolderOptions } from '../server/cli/data-folder.ts';
import { invalidInput } from '../server/errors.ts';
import type { SecretsForm } from '../server/secrets/move.ts';

export interface CommandLine {
  readonly dataFolder: string;
  readonly flags: NonNullable<DataFolderOptions['flags']>;
  /** To be brought into this form instead of starting a host; null: start. */
  readonly secrets: SecretsForm | null;
}

/** Reads `process.argv`; what else stands there is Chromium's or the operating system's, and passed over. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { values } = parseArgs({
    args: argv.slice(1),
    strict: false,
    options: {
      data: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      set: { type: 'string', multiple: true },
      secrets: { type: 'string' },
    },
  });
  const { data, port, host, set = [], secrets } = values;
  const settings = [set].flat().map((setting) => {
    const [path = '', ...value] = String(setting).split('=');
    return [path, value.join('=')] as const;
  });
  return {
    dataFolder: resolveDataFolder(typeof data === 'string' ? data : undefined),
    flags: {
      ...Object.fromEntries(settings),
      ...(port !== undefined && { 'http.port': String(port) }),
      ...(host !== undefined && { 'http.host': String(host) }),
    },
    secrets: readForm(secrets),
  };
}

function readForm(secrets: string | boolean | undefined): SecretsForm | null {
  if (secrets === undefined) return null;
  if (secrets === 'plain' || secrets === 'sealed') return secrets;
  throw invalidInput('--secrets', 'must be plain or sealed');
}
