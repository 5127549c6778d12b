/** The colours of what the desktop itself paints: those of the pages (`renderer/shared/themes.css`), in their three themes. */
export interface Colours {
  readonly surface: string;
  readonly raised: string;
  readonly line: string;
  readonly hairline: string;
  readonly text: string;
  readonly muted: string;
  readonly accent: string;
}

export const THEMES = {
  light: {
    surface: '#eef0f2',
    raised: '#ffffff',
    line: '#7a828b',
    hairline: '#d3d7dc',
    text: '#1a1d21',
    muted: '#454c55',
    accent: '#0b4a8b',
  },
  dark: {
    surface: '#15181c',
    raised: '#1f2429',
    line: '#7b848e',
    hairline: '#363d45',
    text: '#e8ebee',
    muted: '#b9c0c8',
    accent: '#9cc7f5',
  },
  contrast: {
    surface: '#000000',
    raised: '#000000',
    line: '#ffffff',
    hairline: '#ffffff',
    text: '#ffffff',
    muted: '#ffffff',
    accent: '#7fe0ff',
  },
} as const satisfies Record<string, Colours>;

/** What the operating system has been set to; of Electron's `nativeTheme`. */
export interface SystemTheme {
  readonly shouldUseDarkColors: boolean;
  readonly shouldUseHighContrastColors: boolean;
}

/** The ground of a window before its page is painted. */
export function groundOf(system: SystemTheme): string {
  if (system.shouldUseHighContrastColors) return THEMES.contrast.surface;
  return (system.shouldUseDarkColors ? THEMES.dark : THEMES.light).surface;
}
