/** `keyswitch backup`: makes a copy of the database, tells how the backups are, and puts one back. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createSystemClock } from '../ports/clock.ts';
import { restoreDatabase } from '../store/restore.ts';
import { administer, resolveDataFolder } from './data-folder.ts';
import { print, printJson } from './output.ts';

interface Options {
  readonly data?: string;
  readonly json: boolean;
}

export function addBackup(program: Command): void {
  const backup = program.command('backup').description('backups of the database');
  backup
    .command('make')
    .description('make one now, in the folder that backups.folder names')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(async ({ data, json }: Options) => {
      const made = await administer({ dataFolder: data }, (it) => it.makeBackup());
      if (json) printJson(made);
      else print(`${made.file} was made: ${made.bytes} bytes.`);
    });
  backup
    .command('status')
    .description('tell where backups are made, the newest one, and what is wrong; exit code 1: something is')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(status);
  backup
    .command('restore <file>')
    .description('put a backup in the place of the database, which stays beside it; not while the host runs')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(restore);
}

async function status({ data, json }: Options): Promise<void> {
  const now = await administer({ dataFolder: data }, (it) => it.backupStatus());
  const { folder, last, failure, overdue } = now;
  if (failure !== null || overdue) process.exitCode = 1;
  if (json) return printJson(now);
  if (folder === null)
    return print('No backups are made. `keyswitch config set backups.folder FOLDER` sets where.');
  print(
    last === null
      ? `There is none in ${folder} yet.`
      : `The newest in ${folder} is ${last.file}, of ${last.at}.`,
  );
  if (failure !== null) print(`The last try failed at ${failure.at}: ${failure.message}`);
}

function restore(file: string, { data, json }: Options): void {
  const folder = resolve(resolveDataFolder(data));
  const { until, former } = restoreDatabase(folder, resolve(file), createSystemClock().now());
  const untilText = until === null ? null : new Date(until).toISOString();
  if (json) return printJson({ until: untilText, former });
  print(`The database is again as it was at ${untilText ?? 'its beginning'}.`);
  if (former !== null) print(`The former one stays in ${folder} as ${former}.`);
  print(
    'At its next start the host ends all sessions. Whatever changed since is undone: look through users, badges and ' +
      'what they may do, and seal the emergency accounts anew.',
  );
}
