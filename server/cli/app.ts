/** `keyswitch app`: adds and lists apps, and grants their use. */
import type { Command } from 'commander';
import { administer, findAppId } from './data-folder.ts';
import { print, printJson, printTable } from './output.ts';

interface AddOptions {
  readonly data?: string;
  readonly logoutTimeInMin?: string;
  readonly json: boolean;
}

export function addApp(program: Command): void {
  const app = program.command('app').description('apps: the clients that have a current user');
  app
    .command('add <name>')
    .description('add an app; its key is printed this once')
    .option('--data <folder>', 'data folder')
    .option('--logout-time-in-min <minutes>', 'longest time a user stays signed in there')
    .option('--json', 'print JSON', false)
    .action(add);
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

async function add(name: string, { data, logoutTimeInMin, json }: AddOptions): Promise<void> {
  const added = await administer({ dataFolder: data }, (administration) =>
    administration.addApp({
      name,
      ...(logoutTimeInMin !== undefined && { logoutTimeInMin: Number(logoutTimeInMin) }),
    }),
  );
  if (json) {
    printJson(added);
    return;
  }
  print(`Added ${name}: id ${added.id}`);
  print(`Key, shown this once: ${added.key}`);
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const apps = await administer({ dataFolder: data }, (administration) => administration.listApps());
  if (json) {
    printJson(apps);
    return;
  }
  printTable(
    ['NAME', 'ID', 'LIMIT MIN', 'STATION'],
    apps.map(({ name, id, logoutTimeInMin, station }) => [
      name,
      id,
      String(logoutTimeInMin),
      station ? 'yes' : 'no',
    ]),
    'No apps yet. Add one: keyswitch app add HMI',
  );
}
