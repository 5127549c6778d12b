/** `keyswitch link`: adds and lists PLC links. */
import { Option, type Command } from 'commander';
import { administer, findAppId } from './data-folder.ts';
import { print, printJson, printTable } from './output.ts';

interface AddOptions {
  readonly data?: string;
  readonly connection: string;
  readonly area: string;
  readonly address: string;
  readonly app: string;
  readonly default: string;
  readonly onConnect: 'host' | 'plc';
  readonly allowAdmin: boolean;
  readonly json: boolean;
}

export function addLink(program: Command): void {
  const link = program.command('link').description("PLC links: words that follow an app's current user");
  link
    .command('add')
    .description('add a link')
    .option('--data <folder>', 'data folder')
    .requiredOption(
      '--connection <text>',
      'such as "Data Source=127.0.0.1:102,0,2" (address:port, rack, slot)',
    )
    .requiredOption('--area <area>', 'such as DB250')
    .requiredOption(
      '--address <address>',
      'W word, B byte, D double word by byte offset; X bit by bit offset',
    )
    .requiredOption('--app <app>', 'name or id of the app')
    .option('--default <value>', 'value while nobody is signed in', '0')
    .addOption(
      new Option('--on-connect <side>', 'whose state counts when the PLC is reached')
        .choices(['host', 'plc'])
        .default('host'),
    )
    .option('--allow-admin', 'let the PLC sign in users of type Admin', false)
    .option('--json', 'print JSON', false)
    .action(add);
  link
    .command('list')
    .description('list all links')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
}

async function add(options: AddOptions): Promise<void> {
  const { data, connection, area, address, app, onConnect, allowAdmin, json } = options;
  const added = await administer({ dataFolder: data }, async (administration) =>
    administration.addLink({
      connection,
      area,
      address,
      appId: await findAppId(administration, app),
      defaultValue: Number(options.default),
      onConnect,
      allowAdmin,
    }),
  );
  if (json) printJson(added);
  else print(`Added: ${added.area}.${added.address} at ${added.connection} follows ${app}.`);
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const links = await administer({ dataFolder: data }, (administration) => administration.listLinks());
  if (json) {
    printJson(links);
    return;
  }
  printTable(
    ['CONNECTION', 'AREA', 'ADDRESS', 'DEFAULT', 'APP'],
    links.map((link) => [link.connection, link.area, link.address, String(link.defaultValue), link.appId]),
    'No links yet. Add one: keyswitch link add --help',
  );
}
