/** `keyswitch first-run`: makes what a new installation needs, and tells the one-time secrets. */
import { Option, type Command } from 'commander';
import { PRESETS, type FirstCredential, type FirstRun, type Preset } from '../first-run.ts';
import { administer } from './data-folder.ts';
import { print, printJson } from './output.ts';

export function addFirstRun(program: Command): void {
  program
    .command('first-run')
    .description('prepare a new installation; safe to repeat, adds only what is missing')
    .option('--data <folder>', 'data folder')
    .option('--sample', 'also an operator, a supervisor, an app HMI and their data there', false)
    .addOption(
      new Option(
        '--preset <name>',
        "jube: the administrator's one-time secret is the one that Jube's documentation tells",
      ).choices([...PRESETS]),
    )
    .option('--json', 'print JSON', false)
    .action(run);
}

interface FirstRunFlags {
  readonly data?: string;
  readonly sample: boolean;
  readonly preset?: Preset;
  readonly json: boolean;
}

async function run({ data, sample, preset, json }: FirstRunFlags): Promise<void> {
  const result = await administer({ dataFolder: data }, (administration) =>
    administration.firstRun({ sample, preset }),
  );
  if (json) printJson(result);
  else tell(result);
}

function tell({ administrator, sample }: FirstRun): void {
  const made: FirstCredential[] = [
    ...(administrator === null ? [] : [administrator]),
    ...(sample?.users ?? []),
  ];
  if (made.length === 0) print('Nothing was missing.');
  for (const { username, oneTimeSecret } of made) print(`${username}: one-time secret ${oneTimeSecret}`);
  if (made.length > 0) print('Shown this once; each asks for a password of its own at the first sign-in.');
  if (sample !== null) print(`App ${sample.app.name}: ${sample.app.id}`);
}
