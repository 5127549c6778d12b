/** The command line: serving without a display, and administering a data folder by script. */
import { Command } from 'commander';
import { addApp } from './cli/app.ts';
import { addAudit } from './cli/audit.ts';
import { addConfig } from './cli/config.ts';
import { addEmergency } from './cli/emergency.ts';
import { addFirstRun } from './cli/first-run.ts';
import { addImport } from './cli/import-jube.ts';
import { addLink } from './cli/link.ts';
import { reportFailure } from './cli/output.ts';
import { addServe } from './cli/serve.ts';
import { addUser } from './cli/user.ts';
import { VERSION } from './product.ts';

const program = new Command('keyswitch')
  .description('The sign-in authority for plant control rooms.')
  .version(VERSION)
  .showHelpAfterError('(keyswitch --help explains the commands)')
  // What was wrong has been said; like everything that the caller can mend it ends with 2.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));

addServe(program);
addFirstRun(program);
addUser(program);
addEmergency(program);
addApp(program);
addLink(program);
addConfig(program);
addAudit(program);
addImport(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
