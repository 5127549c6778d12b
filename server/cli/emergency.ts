/** `keyswitch emergency`: emergency accounts, each entered by the code in a sealed envelope. */
import type { Command } from 'commander';
import type { SealedView } from '../http/contract.ts';
import { administer } from './data-folder.ts';
import { print, printJson, printTable } from './output.ts';

interface Options {
  readonly data?: string;
  readonly json: boolean;
}

export function addEmergency(program: Command): void {
  const emergency = program
    .command('emergency')
    .description('emergency accounts, for when everything else is locked or unreachable');
  emergency
    .command('add <name>')
    .description('add an emergency account and print what goes into its envelope')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(async (name: string, { data, json }: Options) => {
      const made = await administer({ dataFolder: data }, (it) => it.addEmergency({ name }));
      tell(made, json);
    });
  emergency
    .command('seal <name>')
    .description('put a new code in the place of the present one and print it')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(async (name: string, { data, json }: Options) => {
      const made = await administer({ dataFolder: data }, (it) => it.sealEmergency(name));
      tell(made, json);
    });
  emergency
    .command('list')
    .description('list the emergency accounts')
    .option('--data <folder>', 'data folder')
    .option('--json', 'print JSON', false)
    .action(async ({ data, json }: Options) => {
      const accounts = await administer({ dataFolder: data }, (it) => it.listEmergencies());
      if (json) {
        printJson(accounts);
        return;
      }
      printTable(
        ['NAME', 'ENABLED', 'SEALED', 'LAST USED'],
        accounts.map(({ username, enabled, sealedAt, usedAt }) => [
          username,
          enabled ? 'yes' : 'no',
          sealedAt,
          usedAt ?? 'never',
        ]),
        'No emergency accounts yet. `keyswitch emergency add NAME` makes one.',
      );
    });
}

function tell(sealed: SealedView, json: boolean): void {
  if (json) {
    printJson(sealed);
    return;
  }
  print(`${sealed.username}: code ${sealed.secret}`);
  print('Shown this once. Put it into an envelope, seal it, and keep it where it is found in an emergency.');
}
