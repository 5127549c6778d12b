/** `nativeTheme`: the colours of the operating system, which a test chooses. */
import type { NativeTheme } from 'electron';
import { modelled, ModelledEmitter } from './modelled.ts';

class StandInNativeTheme
  extends ModelledEmitter
  implements
    Pick<
      NativeTheme,
      'themeSource' | 'shouldUseDarkColors' | 'shouldUseHighContrastColors' | 'inForcedColorsMode'
    >
{
  /** What the operating system is set to. */
  readonly system = { isDark: false, isContrast: false };
  #source: NativeTheme['themeSource'] = 'system';

  constructor() {
    super('nativeTheme', ['updated']);
  }

  get themeSource(): NativeTheme['themeSource'] {
    return this.#source;
  }

  set themeSource(source: NativeTheme['themeSource']) {
    this.#source = source;
    this.emit('updated');
  }

  get shouldUseDarkColors(): boolean {
    return this.#source === 'system' ? this.system.isDark : this.#source === 'dark';
  }

  get shouldUseHighContrastColors(): boolean {
    return this.system.isContrast;
  }

  get inForcedColorsMode(): boolean {
    return this.system.isContrast;
  }
}

export const nativeTheme = modelled('nativeTheme', new StandInNativeTheme());
