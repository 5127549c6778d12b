/** The command line of the installed program: `keyswitch serve`, `keyswitch user add` and the others, without a window. */
import { reportFailure } from '../server/cli/output.ts';

/** A word, or one of the options that tell about the program. The desktop takes neither. */
const FIRST = /^([a-z][a-z-]*|-h|--help|-V|--version)$/;
/** May stand before it: where no page is shown Chromium needs no sandbox, which root and a service cannot have, and no display. */
const SWITCHES = ['--no-sandbox', '--ozone-platform=headless'];

/** Reads the command and all that follows it from `process.argv`; null where the desktop is meant. */
export function readCommand(argv: readonly string[]): readonly string[] | null {
  const [, ...given] = argv;
  while (SWITCHES.includes(given[0] ?? '')) given.shift();
  return FIRST.test(given[0] ?? '') ? given : null;
}

/**
 * Runs the command and ends the process. To be awaited while the main module is evaluated: until that is over Electron
 * starts nothing of Chromium's that looks for a display.
 */
export async function runCommand(args: readonly string[]): Promise<never> {
  // Electron's own handler shows a box, and nobody sits there to close it.
  process.on('uncaughtException', (error) => process.exit(reportFailure(error)));
  const { runCommandLine } = await import('../server/cli/program.ts');
  await runCommandLine(args);
  await written(process.stdout);
  await written(process.stderr);
  return process.exit();
}

export function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
