/** A page for what there is to say where no host serves one: one document without scripts, as a `data:` address. */
import { THEMES, type Colours } from './colours.ts';

export const ACTIONS = ['try-again', 'quit'] as const;
export type Action = (typeof ACTIONS)[number];

export interface StatusPage {
  readonly language: string;
  readonly title: string;
  /** What to do, a sentence each. */
  readonly advice: readonly string[];
  /** What the host says of it, in English. */
  readonly details: readonly string[];
  readonly detailsHeading: string;
  readonly ways: readonly { readonly action: Action; readonly label: string }[];
  /** Something is under way: it appears only when waiting has become noticeable. */
  readonly isWaiting: boolean;
}

/** A name that nobody can have (RFC 2606): the links of a status page lead there, and are caught on the way. */
const NOWHERE = 'https://keyswitch.invalid/';

/** Enough for anybody to mend; the log has them all. */
const MOST_DETAILS = 40;

/** Tells which action a link of a status page stands for; null for any other address. */
export function actionOf(url: string): Action | null {
  return ACTIONS.find((action) => url === NOWHERE + action) ?? null;
}

export function addressOf(page: StatusPage): string {
  return `data:text/html;charset=utf-8;base64,${Buffer.from(render(page)).toString('base64')}`;
}

export function render({ language, title, advice, isWaiting, ...page }: StatusPage): string {
  const details = page.details.slice(0, MOST_DETAILS);
  const ways = page.ways.map(
    ({ action, label }, index) =>
      `<a${index === 0 ? ' class="primary"' : ''} href="${NOWHERE}${action}">${escape(label)}</a>`,
  );
  return `<!doctype html>
<html lang="${escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body${isWaiting ? ' class="waiting"' : ''}>
<main role="${isWaiting ? 'status' : 'alert'}">
${LOGO}
<h1>${escape(title)}</h1>
${advice.map((sentence) => `<p>${escape(sentence)}</p>`).join('\n')}
${
  details.length === 0
    ? ''
    : `<section aria-labelledby="details"><h2 id="details">${escape(page.detailsHeading)}</h2>
<ul lang="en" tabindex="0">${details.map((detail) => `<li>${escape(detail)}</li>`).join('')}</ul></section>`
}
${ways.length === 0 ? '' : `<nav>${ways.join('\n')}</nav>`}
</main>
</body>
</html>
`;
}

/** Makes text of what would be markup, in an element as in a quoted attribute. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function variables(colours: Colours): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ');
}

/** As `resources/icons/keyswitch.svg`, in the colours of the theme. */
const LOGO = `<svg viewBox="0 0 64 64" width="56" height="56" aria-hidden="true">
<rect width="64" height="64" rx="14" fill="var(--accent)"/>
<g fill="none" stroke="var(--raised)" stroke-width="5">
<circle cx="32" cy="35" r="17"/>
<path d="M32 7v5M10 14l4 4M54 14l-4 4" stroke-linecap="round"/>
</g>
<rect x="29" y="22" width="6" height="26" rx="3" fill="var(--raised)" transform="rotate(35 32 35)"/>
</svg>`;

const STYLE = `
:root { color-scheme: light dark; ${variables(THEMES.light)} }
@media (prefers-color-scheme: dark) { :root { ${variables(THEMES.dark)} } }
@media (prefers-contrast: more) { :root { color-scheme: dark; ${variables(THEMES.contrast)} } }
* { box-sizing: border-box; margin: 0; padding: 0; }
html { font: 16px/1.5 Inter, system-ui, sans-serif; color: var(--text); background: var(--surface); }
body { min-height: 100dvh; display: grid; place-items: center; padding: 32px; }
main { width: 100%; max-width: 600px; display: grid; gap: 16px; justify-items: start; padding: 40px;
  background: var(--raised); border: 1px solid var(--hairline); border-radius: 8px; }
h1 { margin-top: 8px; font-size: 1.75rem; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1rem; font-weight: 650; }
p { max-width: 60ch; }
section { width: 100%; padding-top: 16px; border-top: 1px solid var(--hairline); }
ul { max-height: 40dvh; overflow: auto; margin-top: 4px; list-style: none; color: var(--muted); overflow-wrap: anywhere; }
li + li { margin-top: 8px; }
nav { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 8px; }
a { min-height: 48px; display: inline-flex; align-items: center; padding: 0 24px; font-weight: 600; text-decoration: none;
  color: inherit; border: 1px solid var(--line); border-radius: 8px; }
a:hover { border-color: var(--text); }
a.primary { color: var(--raised); background: var(--accent); border-color: transparent; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.waiting main { justify-items: center; text-align: center; background: none; border-color: transparent;
  opacity: 0; animation: appear 0s 400ms forwards; }
@keyframes appear { to { opacity: 1; } }
/* In the bar there is room for one line. */
@media (max-height: 160px) {
  body { padding: 8px; }
  main { max-width: none; display: flex; align-items: center; gap: 8px; padding: 0; background: none; border: 0; }
  h1 { flex: 1; margin: 0; font-size: 1rem; }
  nav { margin: 0; }
  a { padding: 0 12px; }
  svg, p, section { display: none; }
}
@media (forced-colors: active) { svg { forced-color-adjust: none; } a.primary { border-color: LinkText; } }
`;
