/** `Menu`, `Tray`, `dialog` and `clipboard` as data: what a person would see, and click. */
import { existsSync } from 'node:fs';
import type { Clipboard, Dialog, MenuItemConstructorOptions, MessageBoxOptions, Tray } from 'electron';
import { modelled, ModelledEmitter } from './modelled.ts';

export class StandInMenu {
  /** What stands in the window's menu bar; null for none. */
  static applicationMenu: StandInMenu | null = null;
  readonly items: readonly MenuItemConstructorOptions[];

  constructor(items: readonly MenuItemConstructorOptions[]) {
    this.items = items;
  }

  static buildFromTemplate(items: readonly MenuItemConstructorOptions[]): StandInMenu {
    return modelled('Menu', new StandInMenu(items));
  }

  static setApplicationMenu(menu: StandInMenu | null): void {
    StandInMenu.applicationMenu = menu;
  }
}

export const trays: StandInTray[] = [];

export class StandInTray extends ModelledEmitter implements Pick<Tray, 'setToolTip'> {
  toolTip = '';
  menu: StandInMenu | null = null;

  constructor(image: string) {
    super('Tray', ['click']);
    if (!existsSync(image)) throw new Error(`Failed to load image from path '${image}'`);
    const tray = modelled<StandInTray>('Tray', this);
    trays.push(tray);
    return tray;
  }

  setToolTip(toolTip: string): void {
    this.toolTip = toolTip;
  }

  setContextMenu(menu: StandInMenu): void {
    this.menu = menu;
  }
}

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
