/** The code in an emergency envelope: long enough that no one guesses it, spelt so that it can be typed in a hurry. */
import { invalidInput } from '../errors.ts';
import type { Random } from '../ports/random.ts';

/** Crockford's Base32: no letter that looks like a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 120 bits of chance and a check character. */
const RANDOM_BYTES = 15;
const LENGTH = 25;
const GROUP = 5;

/** Makes a code: five groups of five, as in `7K3QX-09MZB-...`. */
export function makeCode(random: Random): string {
  const bits = [...random.bytes(RANDOM_BYTES)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const body = bits.replaceAll(/.{5}/g, (five) => ALPHABET.charAt(Number.parseInt(five, 2)));
  return inGroups(body + checkCharacter(body));
}

/** Brings what was typed into the one spelling; `invalid-input` where it cannot be a code: it was mistyped. */
export function readCode(typed: string): string {
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s‐-―_-]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
  if (code.length !== LENGTH) {
    throw invalidInput(
      'secret',
      `must have ${LENGTH} letters and digits, as on the envelope; it has ${code.length}`,
    );
  }
  if (code.at(-1) !== checkCharacter(code.slice(0, -1))) {
    throw invalidInput('secret', 'is mistyped: one of the characters differs from the envelope');
  }
  return inGroups(code);
}

function inGroups(code: string): string {
  return (code.match(new RegExp(`.{${GROUP}}`, 'g')) ?? []).join('-');
}

/**
 * Finds nearly every single wrong character and every two neighbours swapped: the weights differ, and 31 is prime
 * (only `0` for `Z` passes, their values being 31 apart).
 */
function checkCharacter(body: string): string {
  const sum = [...body].reduce((total, character, index) => {
    return total + (index + 1) * ALPHABET.indexOf(character);
  }, 0);
  return ALPHABET.charAt(((sum % 31) + 31) % 31);
}
