/** `dialog` and `clipboard` as data. */
import type { Clipboard, Dialog, MessageBoxOptions } from 'electron';
import { modelled } from './modelled.ts';

/** The dialogs that were shown, as their texts; one with buttons stays open until a test answers. */
export const dialogs: { readonly text: string; readonly press: (button: string) => void }[] = [];

export const dialog = modelled('dialog', {
  showErrorBox(title, content) {
    process.stdout.write(`[dialog] ${title}: ${content}\n`);
  },
  showMessageBox(...given: unknown[]) {
    const { message, detail = '', buttons = [] } = given.at(-1) as MessageBoxOptions;
    return new Promise((resolve) => {
      const press = (button: string): void =>
        resolve({ response: buttons.indexOf(button), checkboxChecked: false });
      dialogs.push({ text: `${message}\n${detail}`, press });
    });
  },
} satisfies Pick<Dialog, 'showErrorBox' | 'showMessageBox'>);

/** Holds what was copied, of this process alone. */
export const clipboard = modelled('clipboard', {
  text: '',
  writeText(text) {
    clipboard.text = text;
  },
} as Pick<Clipboard, 'writeText'> & { text: string });
