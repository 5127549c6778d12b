/** `keyswitch app`: adds, changes and lists apps, and grants their use. */
import type { Command } from 'commander';
import type { AppChangeInput } from '../http/contract.ts';
import { administer, findAppId } from './data-folder.ts';
import { readMinutes } from './minutes.ts';
import { print, printJson, printTable } from './output.ts';

interface Options {
  readonly data?: string;
  readonly logoutTimeInMin?: string;
  readonly idleMin?: string;
  readonly json: boolean;
}

const IDLE = 'time without activity after which the user is signed out; none: no such limit';

export function addApp(program: Command): void {
  const app = program.command('app').description('apps: the clients that have a current user');
  app
    .command('add <name>')
    .description('add an app; its key is printed this once')
    .option('--data <folder>', 'data folder')
    .option('--logout-time-in-min <minutes>', 'longest time a user stays signed in there')
    .option('--idle-min <minutes>', IDLE)
    .option('--json', 'print JSON', false)
    .action(add);
  app
    .command('change <app>')
    .description('change the limits of an app (name or id), for whoever signs in from then on')
    .option('--data <folder>', 'data folder')
    .option('--logout-time-in-min <minutes>', 'longest time a user stays signed in there')
    .option('--idle-min <minutes>', IDLE)
    .option('--json', 'print JSON', false)
    .action(change);
  app
    .command('grant <app> <user> <data>')
    .description('let a user use an app (name or id), and say what the app is told of them')
    .option('--data <folder>', 'data folder')
    .action(async (name: string, user: string, granted: string, { data }: { data?: string }) => {
      await administer({ dataFolder: data }, async (administration) =>
        administration.grant(await findAppId(administration, name), user, granted),
      );
      print(`${user} may use ${name}; it is told ${granted}.`);
    });
  app
    .command('list')
    .description('list all apps')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
}

async function add(name: string, { data, json, ...options }: Options): Promise<void> {
  const added = await administer({ dataFolder: data }, (administration) =>
    administration.addApp({ name, ...limitsOf(options) }),
  );
  if (json) {
    printJson(added);
    return;
  }
  print(`Added ${name}: id ${added.id}`);
  print(`Key, shown this once: ${added.key}`);
}

async function change(nameOrId: string, { data, json, ...options }: Options): Promise<void> {
  const changed = await administer({ dataFolder: data }, async (administration) =>
    administration.changeApp(await findAppId(administration, nameOrId), limitsOf(options)),
  );
  if (json) {
    printJson(changed);
    return;
  }
  const { name, logoutTimeInMin, idleLimitInMin } = changed;
  const idle = idleLimitInMin === null ? 'none' : `${idleLimitInMin} min`;
  print(`${name}: limit ${logoutTimeInMin} min, idle limit ${idle}; from the next sign-in on.`);
}

function limitsOf({
  logoutTimeInMin,
  idleMin,
}: Pick<Options, 'logoutTimeInMin' | 'idleMin'>): AppChangeInput {
  return {
    ...(logoutTimeInMin !== undefined && {
      logoutTimeInMin: readMinutes('--logout-time-in-min', logoutTimeInMin),
    }),
    ...(idleMin !== undefined && {
      idleLimitInMin: idleMin === 'none' ? null : readMinutes('--idle-min', idleMin),
    }),
  };
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const apps = await administer({ dataFolder: data }, (administration) => administration.listApps());
  if (json) {
    printJson(apps);
    return;
  }
  printTable(
    ['NAME', 'ID', 'LIMIT MIN', 'IDLE MIN', 'STATION'],
    apps.map(({ name, id, logoutTimeInMin, idleLimitInMin, station }) => [
      name,
      id,
      String(logoutTimeInMin),
      String(idleLimitInMin ?? '-'),
      station ? 'yes' : 'no',
    ]),
    'No apps yet. Add one: keyswitch app add HMI',
  );
}
