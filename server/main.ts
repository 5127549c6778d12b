/** The command line as plain Node runs it. */
import { runCommandLine } from './cli/program.ts';

await runCommandLine(process.argv.slice(2));
