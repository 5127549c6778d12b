/** Finds text without regard to capitals, in any script: SQLite's LIKE knows ASCII alone, so that the rest is confirmed here. */

/** Makes a LIKE pattern (escape `\`) that matches wherever `text` occurs, and perhaps where it almost does. */
export function likePattern(text: string): string {
  const characters = [...text].map((character) => {
    if (isCased(character)) return '_';
    return /[%_\\]/.test(character) ? `\\${character}` : character;
  });
  return `%${characters.join('')}%`;
}

/** Whether what the pattern of `text` matches has to be looked at again. */
export function needsConfirmation(text: string): boolean {
  return [...text].some(isCased);
}

/** Tells whether `text` stands in one of `values`. */
export function occursIn(text: string, values: readonly (string | null)[]): boolean {
  const wanted = text.toLowerCase();
  return values.some((value) => value?.toLowerCase().includes(wanted));
}

/** A letter outside ASCII that has a capital or a small form. */
function isCased(character: string): boolean {
  return character > '\x7f' && character.toLowerCase() !== character.toUpperCase();
}
