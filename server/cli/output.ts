/** What the commands print: a table for people, JSON for scripts, and a fault in a line. */
import { KeyswitchError, messageOf } from '../errors.ts';

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Prints `rows` in aligned columns, with `headings` above; a word of explanation where there are none. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): void {
  if (rows.length === 0) {
    print(empty);
    return;
  }
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  for (const line of lines) {
    print(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** Says on standard error what is wrong, a fault a line, and gives the exit code: 2 for what the caller can mend. */
export function reportFailure(error: unknown): number {
  if (!(error instanceof KeyswitchError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    process.stderr.write(`keyswitch: ${text}\n`);
    return 1;
  }
  for (const line of linesOf(error))
    process.stderr.write(`keyswitch: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  return 2;
}

/** A message of several lines is a heading over its faults, which say it all. */
function linesOf({ code, message, faults }: KeyswitchError): string[] {
  if (faults.length === 0 || (faults.length === 1 && !message.includes('\n'))) return [message];
  // The rules of a password are sentences of their own.
  return faults.map((fault) =>
    code === 'password-unacceptable' ? fault.message : `${fault.field}: ${fault.message}`,
  );
}
