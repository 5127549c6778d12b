/** The code of an emergency envelope as it is typed: in groups of five, in one spelling. */

const LENGTH = 25;
const GROUP = /.{1,5}/g;

/** What counts of `typed`: capitals and digits, letters that look like a digit taken for it. */
function charactersOf(typed: string): string {
  return typed
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
}

/** `7k3qx09mzb` becomes `7K3QX-09MZB`. */
export function spell(typed: string): string {
  return (charactersOf(typed).match(GROUP) ?? []).join('-');
}

/** How many characters are still to be typed; less than zero where there are too many. */
export function missingCharacters(typed: string): number {
  return LENGTH - charactersOf(typed).length;
}
