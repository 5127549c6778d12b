/** `keyswitch config`: checks the settings, and changes one without losing a comment. */
import type { Command } from 'commander';
import { prepareDataFolder } from '../config/data-folder.ts';
import { setInConfigFile } from '../config/edit.ts';
import { loadConfig } from '../config/load.ts';
import { resolveDataFolder } from './data-folder.ts';
import { print } from './output.ts';

export function addConfig(program: Command): void {
  const config = program.command('config').description('settings');
  config
    .command('check')
    .description('check keyswitch.yaml and the environment; every fault is named with its line')
    .option('--data <folder>', 'data folder')
    .action(({ data }: { data?: string }) => {
      const dataFolder = resolveDataFolder(data);
      loadConfig({ dataFolder, env: process.env, flags: {} });
      print(`The settings of ${dataFolder} are good.`);
    });
  config
    .command('set <path> <value>')
    .description('set one setting in keyswitch.yaml, such as http.port 8443; comments stay')
    .option('--data <folder>', 'data folder')
    .action((path: string, value: string, { data }: { data?: string }) => {
      const dataFolder = resolveDataFolder(data);
      prepareDataFolder(dataFolder);
      setInConfigFile(dataFolder, path, value);
      print(`${path} is set. A running host takes it up at its next start.`);
    });
}
