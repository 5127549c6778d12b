/** Words that are no password: matching a whole password against lists of them, in time linear to its length. */

/** Words as `fold` makes them, in their order. */
export interface Words {
  readonly all: ReadonlySet<string>;
  /** Length of the longest, in UTF-16 units. */
  readonly longest: number;
}

export interface Blocklist {
  /** The most common passwords of all. */
  readonly common: Words;
  /** Words of this place: the site's own, its plant and station, the product. */
  readonly site: Words;
}

/** Shorter words are found as a whole password only: with digits around them they would be met by chance. */
const SHORTEST_CORE = 3;
/** Shorter runs (`abc`) are met by chance. */
const SHORTEST_RUN = 4;

/** What a person takes for the same word: NFC, and no letter case. */
export function fold(text: string): string {
  // By way of the capitals, which make one of letters such as ß and ss; they may decompose what was composed.
  const small = text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
  return small.replaceAll('ς', 'σ');
}

/** Makes a list of words that are folded already. */
export function listOf(folded: Iterable<string>): Words {
  const all = new Set(folded);
  let longest = 0;
  for (const word of all) longest = Math.max(longest, word.length);
  return { all, longest };
}

export const NO_WORDS: Words = listOf([]);

/** The words in `phrases`: each whole, its parts, the parts written together, and without the digits around it. */
export function wordsIn(phrases: readonly string[]): Words {
  return listOf(
    phrases.flatMap((phrase) => {
      const whole = fold(phrase);
      const parts = whole.split(/[^\p{L}\p{M}\p{N}]+/u);
      const derived = [parts.join(''), trim(whole, isLetter), ...parts];
      return [whole, ...derived.filter(isLongEnough)].filter((word) => word !== '');
    }),
  );
}

/** One way to see a password, to be looked for in lists. */
export interface Form {
  readonly text: string;
  /** What is written again and again, the last time perhaps not to its end; null where nothing is. */
  readonly unit: string | null;
}

/** A password as it is, without the symbols around it, and without digits and symbols around it. */
export function formsOf(password: string): Form[] {
  const whole = fold(password);
  const cores = [trim(whole, isLetterOrDigit), trim(whole, isLetter)].filter(isLongEnough);
  return [...new Set([whole, ...cores])].map((text) => ({ text, unit: repeatedUnit([...text]) }));
}

/** Whether one of the forms is a listed word, or one that is repeated. */
export function isListed(forms: readonly Form[], { all, longest }: Words): boolean {
  return forms.some(({ text, unit }) => all.has(text) || (unit !== null && isListedUnit(unit)));

  function isListedUnit(unit: string): boolean {
    const core = trim(unit, isLetter);
    if (isLongEnough(core) && all.has(core)) return true;
    for (let text = unit; text.length <= longest; text += unit) if (all.has(text)) return true;
    return false;
  }
}

/** Whether one of the forms is nothing but characters in their order, forwards, backwards or standing still. */
export function isRun(forms: readonly Form[]): boolean {
  return forms.some(({ text }) => {
    const points = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    const step = (points[1] ?? 0) - (points[0] ?? 0);
    if (points.length < SHORTEST_RUN || Math.abs(step) > 1) return false;
    return points.every((point, index) => index === 0 || point - (points[index - 1] ?? 0) === step);
  });
}

function isLongEnough(word: string): boolean {
  return [...word].length >= SHORTEST_CORE;
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{M}]/u.test(character);
}

function isLetterOrDigit(character: string): boolean {
  return /[\p{L}\p{M}\p{N}]/u.test(character);
}

/** Takes off both ends what is not `kept`. A regular expression for the end would take quadratic time. */
function trim(text: string, isKept: (character: string) => boolean): string {
  const characters = [...text];
  const first = characters.findIndex(isKept);
  return first === -1 ? '' : characters.slice(first, characters.findLastIndex(isKept) + 1).join('');
}

/** The shortest text that `characters` are at least twice, by the prefix function of Knuth, Morris and Pratt. */
function repeatedUnit(characters: readonly string[]): string | null {
  /** For each place the length of the longest proper prefix that also ends there. */
  const borders = new Int32Array(characters.length);
  for (let end = 1, border = 0; end < characters.length; end += 1) {
    while (border > 0 && characters[end] !== characters[border]) border = borders[border - 1] ?? 0;
    if (characters[end] === characters[border]) border += 1;
    borders[end] = border;
  }
  const period = characters.length - (borders.at(-1) ?? 0);
  return period > 0 && period * 2 <= characters.length ? characters.slice(0, period).join('') : null;
}
