/** `keyswitch import jube-environment`: takes over the secrets of a Jube installation. */
import type { Command } from 'commander';
import { prepareDataFolder } from '../config/data-folder.ts';
import { importJubeEnvironment } from '../secrets/import.ts';
import { resolveDataFolder } from './data-folder.ts';
import { print } from './output.ts';

interface ImportOptions {
  readonly data?: string;
  readonly force: boolean;
}

export function addImport(program: Command): void {
  program
    .command('import')
    .description('take over from a system that Keyswitch replaces')
    .command('jube-environment <file>')
    .description(
      'take JWTKey, JWTValidIssuer, JWTValidAudience and PasswordHashingKey from a Jube.environment',
    )
    .option('--data <folder>', 'data folder')
    .option('--force', 'replace what has another value; without it, what that would void is told', false)
    .action(importFile);
}

function importFile(file: string, { data, force }: ImportOptions): void {
  const dataFolder = resolveDataFolder(data);
  prepareDataFolder(dataFolder);
  const { added, replaced, unchanged } = importJubeEnvironment(file, { dataFolder, force });
  if (added.length > 0) print(`Taken over: ${added.join(', ')}.`);
  if (replaced.length > 0) print(`Replaced: ${replaced.join(', ')}.`);
  if (unchanged.length > 0) print(`The same already: ${unchanged.join(', ')}.`);
  if (added.length + replaced.length > 0) print('A running host takes them up at its next start.');
}
