/** `keyswitch link`: adds, changes, tests, lists and removes PLC links. */
import { Option, type Command } from 'commander';
import { KeyswitchError } from '../errors.ts';
import type { LinkTestView, LinkView, NewLinkInput } from '../http/contract.ts';
import type { Administration } from './administration.ts';
import { administer, findAppId } from './data-folder.ts';
import { print, printJson, printTable } from './output.ts';

/** What a link is defined by; an extra is `false` where it is to be left out (`--no-life-bit`). */
interface LinkOptions {
  readonly connection?: string;
  readonly area?: string;
  readonly address?: string;
  readonly app?: string;
  readonly default?: string;
  readonly onConnect?: 'host' | 'plc';
  readonly allowAdmin?: boolean;
  readonly lifeBit?: string | false;
  readonly userName?: string | false;
  readonly signInTime?: string | false;
  readonly request?: string | false;
  readonly acknowledge?: string | false;
}

interface CommonOptions {
  readonly data?: string;
  readonly json: boolean;
}

export function addLink(program: Command): void {
  const link = program.command('link').description("PLC links: words that follow an app's current user");
  withLinkOptions(link.command('add').description('add a link')).action(add);
  withLinkOptions(
    link.command('change <id>').description('change a link: what is not given stays as it is'),
  ).action(change);
  withLinkOptions(
    link
      .command('test [id]')
      .description('connect for a link, or for what is given, read what it reads, and tell what was found'),
  ).action(test);
  link
    .command('remove <id>')
    .description('remove a link; its app, and its word in the PLC, stay as they are')
    .option('--data <folder>', 'data folder')
    .action(remove);
  link
    .command('list')
    .description('list all links')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
}

function withLinkOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'data folder')
    .option('--connection <text>', 'such as "Data Source=127.0.0.1:102,0,2" (address:port, rack, slot)')
    .option('--area <area>', 'such as DB250; all addresses lie in it')
    .option('--address <address>', 'W word, B byte, D double word by byte offset; X bit by bit offset')
    .option('--app <app>', 'name or id of the app')
    .option('--default <value>', 'value while nobody is signed in; 0 where it is not given')
    .addOption(
      new Option(
        '--on-connect <side>',
        'whose state counts when the PLC is reached; host by default',
      ).choices(['host', 'plc']),
    )
    .option('--allow-admin', 'let the PLC sign in users of type Admin')
    .option('--no-allow-admin', 'do not')
    .option('--life-bit <address>', 'such as X1520: toggled while the host lives')
    .option('--no-life-bit', 'none')
    .option('--user-name <address>', "such as S190.32: a STRING[32] for the current user's name")
    .option('--no-user-name', 'none')
    .option('--sign-in-time <address>', 'such as DTL224 or DT224: when the current user signed in, UTC')
    .option('--no-sign-in-time', 'none')
    .option(
      '--request <address>',
      'such as W236: the PLC asks here for the sign-in of the user with this value',
    )
    .option('--no-request', 'none')
    .option('--acknowledge <address>', 'such as W238: how the request was answered')
    .option('--no-acknowledge', 'none')
    .option('--json', 'print JSON', false);
}

async function add(options: LinkOptions & CommonOptions): Promise<void> {
  const added = await administer({ dataFolder: options.data }, async (administration) =>
    administration.addLink(await definitionOf(administration, options)),
  );
  if (options.json) printJson(added);
  else print(`Added: ${placeOf(added)} follows ${options.app}.`);
}

async function change(id: string, options: LinkOptions & CommonOptions): Promise<void> {
  const changed = await administer({ dataFolder: options.data }, async (administration) => {
    const before = await linkById(administration, id);
    return administration.changeLink(before.id, await definitionOf(administration, options, before));
  });
  if (options.json) printJson(changed);
  else print(`Changed: ${placeOf(changed)}.`);
}

async function test(id: string | undefined, options: LinkOptions & CommonOptions): Promise<void> {
  const result = await administer({ dataFolder: options.data }, async (administration) => {
    const base = id === undefined ? undefined : await linkById(administration, id);
    return administration.testLink(await definitionOf(administration, options, base));
  });
  if (options.json) printJson(result);
  else printTest(result);
  if (result.advice !== 'none') process.exitCode = 1;
}

async function remove(id: string, { data }: { data?: string }): Promise<void> {
  await administer({ dataFolder: data }, async (administration) =>
    administration.removeLink((await linkById(administration, id)).id),
  );
  print('Removed.');
}

async function list({ data, json }: CommonOptions): Promise<void> {
  const links = await administer({ dataFolder: data }, (administration) => administration.listLinks());
  if (json) {
    printJson(links);
    return;
  }
  printTable(
    ['ID', 'CONNECTION', 'AREA', 'ADDRESS', 'DEFAULT', 'APP'],
    links.map((link) => [
      ...[link.id, link.connection, link.area, link.address, String(link.defaultValue), link.appId],
    ]),
    'No links yet. Add one: keyswitch link add --help',
  );
}

async function linkById(administration: Administration, id: string): Promise<LinkView> {
  const link = (await administration.listLinks()).find((other) => other.id === id.toLowerCase());
  if (link === undefined) throw new KeyswitchError('not-found', `No link has the id ${id}.`);
  return link;
}

/** What the options say, and `base` where they say nothing; what is missing is told by whoever checks it. */
async function definitionOf(
  administration: Administration,
  options: LinkOptions,
  base?: LinkView,
): Promise<NewLinkInput> {
  const { app } = options;
  const extra = (given: string | false | undefined, before?: string | null): string | null =>
    given === false ? null : (given ?? before ?? null);
  return {
    connection: options.connection ?? base?.connection ?? '',
    area: options.area ?? base?.area ?? '',
    address: options.address ?? base?.address ?? '',
    appId: app === undefined ? (base?.appId ?? '') : await findAppId(administration, app),
    defaultValue: options.default === undefined ? (base?.defaultValue ?? 0) : Number(options.default),
    onConnect: options.onConnect ?? base?.onConnect ?? 'host',
    allowAdmin: options.allowAdmin ?? base?.allowAdmin ?? false,
    lifeBit: extra(options.lifeBit, base?.lifeBit),
    userName: extra(options.userName, base?.userName),
    signInTime: extra(options.signInTime, base?.signInTime),
    request: extra(options.request, base?.request),
    acknowledge: extra(options.acknowledge, base?.acknowledge),
  };
}

function placeOf({ area, address, connection }: LinkView): string {
  return `${area}.${address} at ${connection}`;
}

function printTest({ steps, plc, pduBytes, found, user, advice, message }: LinkTestView): void {
  for (const { step, outcome, tookMs } of steps) {
    print(`${step.padEnd(10)} ${outcome}${tookMs === null ? '' : ` (${tookMs.toFixed(1)} ms)`}`);
  }
  if (plc !== null) print(`PLC        ${[plc.type, plc.name].filter(Boolean).join(', ')}`);
  if (pduBytes !== null) print(`PDU        ${pduBytes} bytes`);
  for (const { field, address, value, problem } of found) {
    const whom = field === 'address' && user !== null ? ` (${user})` : '';
    print(`${address.padEnd(10)} ${problem ?? `${value ?? '-'}${whom}`}`);
  }
  if (advice !== 'none') print(`${advice}: ${message ?? ''} See docs/plc-setup.md.`);
}
