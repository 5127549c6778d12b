/** `keyswitch user`: adds and lists users. */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { invalidInput } from '../errors.ts';
import { USER_TYPES, type UserType } from '../users/user.ts';
import { administer } from './data-folder.ts';
import { print, printJson, printTable } from './output.ts';

interface AddOptions {
  readonly data?: string;
  readonly type: UserType;
  readonly displayName?: string;
  readonly logoutTimeInMin?: string;
  readonly passwordStdin: boolean;
  readonly json: boolean;
}

export function addUser(program: Command): void {
  const user = program.command('user').description('users');
  user
    .command('add <name>')
    .description('add a user; the name is case-sensitive')
    .option('--data <folder>', 'data folder')
    .addOption(new Option('--type <type>', 'kind of user').choices([...USER_TYPES]).default('Active'))
    .option('--display-name <text>', 'name shown on screens; by default the name')
    .option('--logout-time-in-min <minutes>', 'longest time signed in at an app')
    .option('--password-stdin', 'read the password from standard input', false)
    .option('--json', 'print JSON', false)
    .action(add);
  user
    .command('list')
    .description('list all users')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { data, type, displayName, logoutTimeInMin, passwordStdin, json } = options;
  if (!passwordStdin) {
    throw invalidInput(
      '--password-stdin',
      'pass it and the password on standard input: a command line is no place for it.',
    );
  }
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  const added = await administer({ dataFolder: data }, (administration) =>
    administration.addUser({
      name,
      type,
      password,
      ...(displayName !== undefined && { displayName }),
      ...(logoutTimeInMin !== undefined && { logoutTimeInMin: Number(logoutTimeInMin) }),
    }),
  );
  if (json) printJson(added);
  else print(`Added ${added.name} (${added.type}).`);
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const users = await administer({ dataFolder: data }, (administration) => administration.listUsers());
  if (json) {
    printJson(users);
    return;
  }
  printTable(
    ['NAME', 'TYPE', 'ENABLED', 'LIMIT MIN', 'DISPLAY NAME'],
    users.map(({ name, type, enabled, logoutTimeInMin, displayName }) => [
      name,
      type,
      enabled ? 'yes' : 'no',
      String(logoutTimeInMin ?? '-'),
      displayName,
    ]),
    'No users yet. `keyswitch first-run` makes the administrator.',
  );
}
