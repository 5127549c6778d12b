/** Tells a badge reader, which types like a keyboard, from a person who types: by its speed, whatever has the focus. */
import type { BadgeRulesView } from '../../server/http/contract.ts';

/** A badge's number, or null where what a reader typed is none. */
export type Scan = string | null;

/** What a key press is to a reader: a character, the key after the number, or something that no number has. */
export type Stroke = { readonly char: string } | 'enter' | 'tab' | 'other';

/**
 * What becomes of a key press: `pass` is nobody's but the person's who typed it. `begin` and `follow` go their way too, but
 * may turn out to be a reader's: with `reclaim`, which is swallowed like all that comes after it, it is clear that they were.
 */
export type Verdict = 'pass' | 'begin' | 'follow' | 'reclaim' | 'swallow';

/** As the host's contract has it; what is longer is collected no further. */
const NUMBER_LIMIT = 128;

/**
 * Takes key presses with their times. Whatever comes in one go at a reader's speed is one scan, good or bad, which is over
 * once nothing has come for `maxGapMs`: also after the key that ends it, for two readers at once type into each other.
 */
export class Wedge {
  readonly #rules: BadgeRulesView;
  #text = '';
  #isReader = false;
  /** Something came that no number has, or after the key that ends it. */
  #isSpoilt = false;
  #ended = false;
  #lastAt = -Infinity;

  constructor(rules: BadgeRulesView) {
    this.#rules = rules;
  }

  /** Whether a scan is under way. */
  get reads(): boolean {
    return this.#isReader;
  }

  /** Whether a press at `atMs` is too late to belong to what came before. */
  isOver(atMs: number): boolean {
    return Math.abs(atMs - this.#lastAt) > this.#rules.maxGapMs;
  }

  press(stroke: Stroke, atMs: number): Verdict {
    const follows = this.#text !== '' && !this.isOver(atMs);
    if (!follows) this.#reset();
    this.#lastAt = atMs;
    if (this.#isReader) {
      this.#collect(stroke);
      return 'swallow';
    }
    if (typeof stroke === 'string') {
      this.#reset();
      return 'pass';
    }
    this.#text += stroke.char;
    if (this.#text.length >= this.#rules.minLength) this.#isReader = true;
    if (this.#isReader) return 'reclaim';
    return follows ? 'follow' : 'begin';
  }

  /** Ends the scan under way, and tells the number that was read. */
  end(): Scan {
    const { prefix, suffix, minLength } = this.#rules;
    const complete = !this.#isSpoilt && this.#ended === (suffix !== 'none');
    const number = this.#text.startsWith(prefix) ? this.#text.slice(prefix.length).trim() : '';
    this.#reset();
    return complete && number.length >= minLength && number.length <= NUMBER_LIMIT ? number : null;
  }

  #collect(stroke: Stroke): void {
    if (this.#ended || stroke === 'other') this.#isSpoilt = true;
    else if (typeof stroke !== 'string') this.#add(stroke.char);
    else if (stroke === this.#rules.suffix) this.#ended = true;
    else this.#isSpoilt = true;
  }

  #add(char: string): void {
    if (this.#text.length < this.#rules.prefix.length + NUMBER_LIMIT) this.#text += char;
    else this.#isSpoilt = true;
  }

  #reset(): void {
    this.#text = '';
    this.#isReader = false;
    this.#isSpoilt = false;
    this.#ended = false;
  }
}

/** What a browser says of a key press. */
export type KeyPress = Pick<
  KeyboardEvent,
  'key' | 'repeat' | 'isComposing' | 'ctrlKey' | 'altKey' | 'metaKey' | 'getModifierState'
>;

const MODIFIERS = ['Shift', 'CapsLock', 'AltGraph', 'Control', 'Alt', 'Meta', 'NumLock'];

/** Tells what a key press is to a reader; null for Shift and the like, which are part of the next one. */
export function strokeOf(event: KeyPress): Stroke | null {
  const { key } = event;
  if (MODIFIERS.includes(key)) return null;
  // A held key, an input method and a dead key are a person's.
  if (event.repeat || event.isComposing) return 'other';
  // AltGr, which types characters, is Ctrl and Alt together on Windows.
  const commands = event.ctrlKey || event.altKey || event.metaKey;
  if (commands && !event.getModifierState('AltGraph')) return 'other';
  if (key === 'Enter') return 'enter';
  if (key === 'Tab') return 'tab';
  return /^[^\p{Cc}\p{Cs}]$/u.test(key) ? { char: key } : 'other';
}
