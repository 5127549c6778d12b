/** What a PIN must be: rules checked by the host, and by the page that shows them as they turn met. */

export type PinRule = 'only-digits' | 'min-length' | 'max-length' | 'not-simple';

/** More than anyone remembers, and too short for a password to be taken for a PIN. */
export const LONGEST_PIN = 12;

/** The rules that `pin` breaks, in a fixed order; empty when it is acceptable. */
export function brokenPinRules(pin: string, minLength: number): PinRule[] {
  const length = [...pin].length;
  return [
    ...(/^[0-9]*$/.test(pin) ? [] : ['only-digits' as const]),
    ...(length < minLength ? ['min-length' as const] : []),
    ...(length > LONGEST_PIN ? ['max-length' as const] : []),
    ...(/^[0-9]+$/.test(pin) && isSimple(pin) ? ['not-simple' as const] : []),
  ];
}

/** Whether whoever found a badge would try it first. */
function isSimple(pin: string): boolean {
  return isRepeated(pin) || isRun(pin) || isRunOfRepeats(pin) || isDate(pin);
}

/** 777777, 121212, 123123. */
function isRepeated(pin: string): boolean {
  return /^(.+)\1+$/.test(pin);
}

/** 123456, 987654, 246802: each digit as far from the one before. */
function isRun(digits: string): boolean {
  const steps = [...digits].slice(1).map((digit, at) => (Number(digit) - Number(digits[at]) + 10) % 10);
  return steps.length > 1 && new Set(steps).size === 1;
}

/** 112233, 777000. */
function isRunOfRepeats(pin: string): boolean {
  const groups = pin.match(/(.)\1*/g) ?? [];
  const isEven = groups.length > 1 && new Set(groups.map((group) => group.length)).size === 1;
  return isEven && (groups.length === 2 || isRun(groups.map((group) => group[0]).join('')));
}

const DAY = '(0[1-9]|[12][0-9]|3[01])';
const MONTH = '(0[1-9]|1[0-2])';
const YEAR = '(19|20)[0-9]{2}';
/** A year, and a day of one with all of its digits, in any usual order: people choose birthdays. */
const DATES = new RegExp(`^(${YEAR}|${DAY}${MONTH}${YEAR}|${MONTH}${DAY}${YEAR}|${YEAR}${MONTH}${DAY})$`);

/** Dates with two digits of the year are not among them: they would take most of what has six digits. */
function isDate(pin: string): boolean {
  return DATES.test(pin);
}
