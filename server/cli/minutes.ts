/** Minutes on the command line. */
import { invalidInput } from '../errors.ts';

/** Reads whole minutes. What is no number would be null on its way to a running host: no limit at all. */
export function readMinutes(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw invalidInput(option, 'must be whole minutes');
  return Number(text);
}
