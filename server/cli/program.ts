/** The command line: serving without a display, and administering a data folder by script. */
import { Command } from 'commander';
import { VERSION } from '../product.ts';
import { addApp } from './app.ts';
import { addAudit } from './audit.ts';
import { addBackup } from './backup.ts';
import { addBadge } from './badge.ts';
import { addConfig } from './config.ts';
import { addEmergency } from './emergency.ts';
import { addFirstRun } from './first-run.ts';
import { addImport } from './import-jube.ts';
import { addLink } from './link.ts';
import { reportFailure } from './output.ts';
import { addServe } from './serve.ts';
import { addUser } from './user.ts';

/** Does what `args` ask for, and sets the exit code when it is over; `serve` is over only with the process. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
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
  addBadge(program);
  addApp(program);
  addLink(program);
  addConfig(program);
  addAudit(program);
  addBackup(program);
  addImport(program);

  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}
