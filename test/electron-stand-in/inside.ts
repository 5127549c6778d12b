/** The stand-in from the inside, for tests. */
export { dialogs, trays } from './menu.ts';
export { rules } from './session.ts';
export { windows } from './window.ts';
