/** What is wrong with a field of a form. */
import type { I18n, MessageKey } from './i18n.svelte.ts';

/** Said in our words, or in the host's where it knows better. */
export type Fault =
  | { readonly key: MessageKey; readonly values?: Readonly<Record<string, string | number>> }
  | { readonly text: string };

/** Empty where nothing is wrong. */
export function faultWords(fault: Fault | undefined, { t }: I18n): string {
  if (fault === undefined) return '';
  return 'text' in fault ? fault.text : t(fault.key, fault.values);
}
