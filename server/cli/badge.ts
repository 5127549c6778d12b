/** `keyswitch badge`: enrols, lists and revokes badges. */
import { isUtf8 } from 'node:buffer';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { invalidInput } from '../errors.ts';
import { administer, resolveDataFolder } from './data-folder.ts';
import { askHidden } from './hidden-line.ts';
import { print, printJson, printTable } from './output.ts';

interface AddOptions {
  readonly data?: string;
  readonly label: string;
  readonly json: boolean;
}

export function addBadge(program: Command): void {
  const badge = program.command('badge').description('badges: cards and fobs that sign in');
  badge
    .command('add <user>')
    .description('enrol a badge; its number is read from the reader, or from standard input')
    .option('--data <folder>', 'data folder')
    .option('--label <text>', 'what is printed on it, say', '')
    .option('--json', 'print JSON', false)
    .action(add);
  badge
    .command('list')
    .description('list all badges, revoked ones too')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(list);
  badge
    .command('revoke <id>')
    .description('revoke a lost badge; every session of its user ends')
    .option('--data <folder>', 'data folder')
    .action(revoke);
}

async function add(userName: string, { data, label, json }: AddOptions): Promise<void> {
  const typed = process.stdin.isTTY ? await askForBadge() : await readBadge();
  const badge = withoutPrefix(typed.trim(), data);
  const added = await administer({ dataFolder: data }, (it) => it.addBadge({ userName, badge, label }));
  if (json) printJson(added);
  else print(`${added.userName}: badge ${added.id} enrolled.`);
}

/** The pages leave out what the readers type before the number, so it must not be enrolled with it. */
function withoutPrefix(typed: string, data: string | undefined): string {
  const { prefix } = loadConfig({ dataFolder: resolveDataFolder(data), env: process.env, flags: {} }).badges;
  return typed.startsWith(prefix) ? typed.slice(prefix.length) : typed;
}

/** Shows nothing of the number: it is half of a sign-in. */
function askForBadge(): Promise<string> {
  const question = 'Hold the badge to the reader, or type its number and press Enter: ';
  return askHidden(question, process.stdin, process.stderr);
}

async function readBadge(): Promise<string> {
  const bytes = await buffer(process.stdin);
  if (!isUtf8(bytes)) throw invalidInput('badge', 'must be UTF-8');
  return bytes.toString('utf8');
}

async function list({ data, json }: { data?: string; json: boolean }): Promise<void> {
  const badges = await administer({ dataFolder: data }, (it) => it.listBadges());
  if (json) {
    printJson(badges);
    return;
  }
  printTable(
    ['USER', 'LABEL', 'ID', 'ENROLLED', 'REVOKED'],
    badges.map(({ userName, label, id, enrolledAt, revokedAt }) => [
      userName,
      label || '-',
      id,
      enrolledAt,
      revokedAt ?? 'no',
    ]),
    'No badges yet. `keyswitch badge add USER` enrols one.',
  );
}

async function revoke(id: string, { data }: { data?: string }): Promise<void> {
  await administer({ dataFolder: data }, (it) => it.revokeBadge(id));
  print(`Badge ${id} is revoked.`);
}
