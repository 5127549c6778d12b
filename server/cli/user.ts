/** `keyswitch user`: adds and lists users, resets passwords, unlocks. */
import { isUtf8 } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { invalidInput } from '../errors.ts';
import { USER_TYPES, type UserType } from '../users/user.ts';
import type { OneTimeSecretView } from '../http/contract.ts';
import { administer } from './data-folder.ts';
import { readMinutes } from './minutes.ts';
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
    .option(
      '--password-stdin',
      'for provisioning by script: read the password from standard input. Without it a one-time secret is made',
      false,
    )
    .option('--json', 'print JSON', false)
    .action(add);
  user
    .command('reset <name>')
    .description('put a one-time secret in the place of the password, end the sessions, unlock')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(reset);
  user
    .command('unlock <name>')
    .description('let a locked user try again at once')
    .option('--data <folder>', 'data folder')
    .action(unlock);
  user
    .command('list')
    .description('list all users')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
}

async function add(name: string, options: AddOptions): Promise<void> {
  const { data, type, displayName, logoutTimeInMin, passwordStdin, json } = options;
  const password = passwordStdin ? await readPassword() : undefined;
  const added = await administer({ dataFolder: data }, (administration) =>
    administration.addUser({
      name,
      type,
      ...(password !== undefined && { password }),
      ...(displayName !== undefined && { displayName }),
      ...(logoutTimeInMin !== undefined && {
        logoutTimeInMin: readMinutes('--logout-time-in-min', logoutTimeInMin),
      }),
    }),
  );
  if (json) printJson(added);
  else {
    print(`Added ${added.name} (${added.type}).`);
    const { name: username, oneTimeSecret, oneTimeSecretExpiresAt: expiresAt } = added;
    if (oneTimeSecret !== undefined && expiresAt !== undefined) tell({ username, oneTimeSecret, expiresAt });
  }
}

async function reset(name: string, { data, json }: { data?: string; json: boolean }): Promise<void> {
  const made = await administer({ dataFolder: data }, (administration) => administration.resetPassword(name));
  if (json) printJson(made);
  else tell(made);
}

function tell({ username, oneTimeSecret, expiresAt }: OneTimeSecretView): void {
  print(`${username}: one-time secret ${oneTimeSecret}`);
  print(`Shown this once, good until ${expiresAt}; the first sign-in asks for a password of their own.`);
}

async function unlock(name: string, { data }: { data?: string }): Promise<void> {
  await administer({ dataFolder: data }, (administration) => administration.unlock(name));
  print(`${name} may try again.`);
}

/** Reads the password and its line end. What is not UTF-8 would become another password than the one typed. */
async function readPassword(): Promise<string> {
  const bytes = await buffer(process.stdin);
  if (!isUtf8(bytes)) throw invalidInput('--password-stdin', 'must be UTF-8');
  return bytes.toString('utf8').replace(/\r?\n$/, '');
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const users = await administer({ dataFolder: data }, (administration) => administration.listUsers());
  if (json) {
    printJson(users);
    return;
  }
  printTable(
    ['NAME', 'TYPE', 'ENABLED', 'LOCKED', 'PASSWORD', 'LIMIT MIN', 'DISPLAY NAME'],
    users.map(({ name, type, enabled, lock, emergency, password, logoutTimeInMin, displayName }) => [
      name,
      type,
      enabled ? 'yes' : 'no',
      lock === null ? 'no' : (lock.until ?? 'until unlocked'),
      emergency ? 'sealed' : password,
      String(logoutTimeInMin ?? '-'),
      displayName,
    ]),
    'No users yet. `keyswitch first-run` makes the administrator.',
  );
}
