/** One argument as it stands in a command line of Windows, whose programs take it apart again (`CommandLineToArgvW`). */
export function quoteForWindows(argument: string): string {
  const escaped = argument.replaceAll(
    /(\\*)("|$)/g,
    (_, backslashes: string, quote: string) => backslashes.repeat(2) + (quote && '\\"'),
  );
  return `"${escaped}"`;
}
