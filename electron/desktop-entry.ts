/** The entry that has a Linux desktop start a program by itself (Desktop Entry Specification 1.5). */

/** Writes the entry for a command and its arguments; line feeds, which no entry can hold, become spaces. */
export function desktopEntry(command: readonly string[]): string {
  const lines = [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Keyswitch',
    `Exec=${command.map(quote).join(' ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** First as an argument of `Exec`, quoted and with its per cent signs doubled, then as any text of an entry. */
function quote(argument: string): string {
  const quoted = argument
    .replaceAll(/[\n\r]/g, ' ')
    .replaceAll(/["`$\\]/g, '\\$&')
    .replaceAll('%', '%%');
  return `"${quoted.replaceAll('\\', '\\\\')}"`;
}
