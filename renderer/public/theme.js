/* global addEventListener, document, matchMedia */
/** Sets the theme before the first paint, and again when the choice or the system changes. */
const contrast = matchMedia('(prefers-contrast: more)');
const dark = matchMedia('(prefers-color-scheme: dark)');

function applyTheme() {
  const system = contrast.matches ? 'contrast' : dark.matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = localStorage.getItem('keyswitch.theme') ?? system;
}

applyTheme();
contrast.addEventListener('change', applyTheme);
dark.addEventListener('change', applyTheme);
addEventListener('storage', applyTheme);
