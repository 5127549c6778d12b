/** The stand-in from the inside, for tests. */
export { asked } from './app.ts';
export { chromium } from './chromium.ts';
export { dialogs } from './dialog.ts';
export { trays } from './menu.ts';
export { notifications } from './notification.ts';
export { idle } from './power-monitor.ts';
export { keyStore } from './safe-storage.ts';
export { plug, unplug } from './screen.ts';
export { rules } from './session.ts';
export { windows } from './window.ts';
