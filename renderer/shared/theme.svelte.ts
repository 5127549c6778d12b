/** The chosen theme; `theme.js` applies it, before the first paint and now. */
import type { Memory } from './ports.ts';

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'keyswitch.theme';

export class ThemeChoice {
  #value = $state<Theme>('system');
  readonly #memory: Memory;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#value = THEMES.find((theme) => theme === memory.getItem(KEY)) ?? 'system';
  }

  get value(): Theme {
    return this.#value;
  }

  set value(theme: Theme) {
    this.#value = theme;
    if (theme === 'system') this.#memory.removeItem(KEY);
    else this.#memory.setItem(KEY, theme);
    window.dispatchEvent(new Event('storage'));
  }
}
