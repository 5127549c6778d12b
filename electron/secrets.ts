/** `Keyswitch --secrets=plain` and `--secrets=sealed`: moves the secrets out of the key store, and into it. */
import { join } from 'node:path';
import { app } from 'electron';
import { print, reportFailure } from '../server/cli/output.ts';
import { moveSecrets, type SecretsForm } from '../server/secrets/move.ts';
import { SECRETS_FILE } from '../server/secrets/secrets.ts';
import { written } from './headless.ts';
import { openKeyStore } from './key-store.ts';

/** Says in a sentence what was done, or why not, and ends the app. */
export async function endWithSecrets(to: SecretsForm, dataFolder: string): Promise<void> {
  await app.whenReady();
  const exitCode = move(to, dataFolder);
  await written(process.stdout);
  await written(process.stderr);
  app.exit(exitCode);
}

function move(to: SecretsForm, dataFolder: string): number {
  const file = join(dataFolder, SECRETS_FILE);
  try {
    const keyStore = openKeyStore(join(dataFolder, 'desktop'));
    const hasMoved = moveSecrets(dataFolder, to, keyStore);
    if (!hasMoved) print(`Nothing was to be done: the secrets in ${file} are ${to} already.`);
    else if (to === 'sealed')
      print(`The secrets in ${file} are sealed by ${keyStore?.name}, and good there alone.`);
    else {
      print(
        `The secrets in ${file} are in plain text. The desktop seals them when it starts again, unless ` +
          'desktop.keyStore is off.',
      );
    }
    return 0;
  } catch (error) {
    return reportFailure(error);
  }
}
