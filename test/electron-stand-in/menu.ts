/** `Menu` and `Tray` as data: what a person would see, and click. */
import type { MenuItemConstructorOptions, Tray } from 'electron';
import { needsReady } from './app.ts';
import { modelled, ModelledEmitter } from './modelled.ts';
import { fileOf, type StandInImage } from './native-image.ts';

export class StandInMenu {
  /** What stands in the window's menu bar; null for none. At first it is Electron's own. */
  static #applicationMenu: StandInMenu | null = new StandInMenu([{ role: 'viewMenu' }]);
  readonly items: readonly MenuItemConstructorOptions[];

  constructor(items: readonly MenuItemConstructorOptions[]) {
    this.items = items;
  }

  static buildFromTemplate(items: readonly MenuItemConstructorOptions[]): StandInMenu {
    const built = items.map(({ submenu, ...item }) =>
      Array.isArray(submenu) ? { ...item, submenu: StandInMenu.buildFromTemplate(submenu) as never } : item,
    );
    return modelled('Menu', new StandInMenu(built));
  }

  static setApplicationMenu(menu: StandInMenu | null): void {
    StandInMenu.#applicationMenu = menu;
  }

  static getApplicationMenu(): StandInMenu | null {
    return StandInMenu.#applicationMenu;
  }
}

export const trays: StandInTray[] = [];

export class StandInTray
  extends ModelledEmitter
  implements Pick<Tray, 'setToolTip' | 'destroy' | 'isDestroyed'>
{
  /** The file that is shown. */
  image: string;
  readonly #proxy: StandInTray;
  #isDestroyed = false;
  toolTip = '';
  menu: StandInMenu | null = null;

  constructor(image: string | StandInImage) {
    needsReady('Cannot create Tray');
    super('Tray', ['click', 'double-click', 'right-click']);
    this.image = fileOf(image);
    this.#proxy = modelled<StandInTray>('Tray', this);
    trays.push(this.#proxy);
    return this.#proxy;
  }

  setImage(image: string | StandInImage): void {
    this.image = fileOf(image);
  }

  setToolTip(toolTip: string): void {
    this.toolTip = toolTip;
  }

  /** The lines of its menu: see `Desktop.trayLabels`. */
  labels(): string[] {
    return labelsOf(this.menu?.items ?? []);
  }

  /** Clicks a line of its menu, or of those that open from it. */
  clickItem(label: string): void {
    const item = allOf(this.menu?.items ?? []).find((candidate) => candidate.label === label);
    if (item === undefined) throw new Error(`${label} is not in the menu`);
    if (item.enabled === false) throw new Error(`${label} cannot be clicked`);
    (item.click as (() => void) | undefined)?.();
  }

  setContextMenu(menu: StandInMenu | null): void {
    this.menu = menu;
  }

  destroy(): void {
    if (!this.#isDestroyed) trays.splice(trays.indexOf(this.#proxy), 1);
    this.#isDestroyed = true;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }
}

function menuOf({ submenu }: MenuItemConstructorOptions): readonly MenuItemConstructorOptions[] {
  return (submenu as StandInMenu | undefined)?.items ?? [];
}

function allOf(items: readonly MenuItemConstructorOptions[]): MenuItemConstructorOptions[] {
  return items.flatMap((item) => [item, ...allOf(menuOf(item))]);
}

function labelsOf(items: readonly MenuItemConstructorOptions[]): string[] {
  return items.flatMap((item) => {
    const { label, enabled = true } = item;
    return label === undefined ? [] : [enabled ? label : `(${label})`, ...labelsOf(menuOf(item))];
  });
}
