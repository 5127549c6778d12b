/** The tray icon: who is at the controls of this station, and the way out. */
import { join } from 'node:path';
import { app, Menu, Tray } from 'electron';
import type { App } from '../server/apps/app.ts';
import type { Actor } from '../server/audit/audit.ts';
import type { Host } from '../server/host.ts';
import type { Log } from '../server/ports/log.ts';
import { PRODUCT_ROOT } from '../server/product.ts';
import type { Session } from '../server/sessions/session.ts';
import { text } from './text.ts';
import type { Window } from './window.ts';

/** Electron takes `tray@2x.png` by itself where the screen asks for it. */
const ICON = join(PRODUCT_ROOT, 'electron', 'icons', 'tray.png');

/** Whoever stands at the station: the tray asks for no password to end a session. */
const ACTOR: Actor = { name: 'anonymous', door: 'desktop', address: null };

export function setupTray(
  { features: { appStates, sessions } }: Host,
  station: App,
  window: Window,
  log: Log,
): void {
  const { nobody, signOut, open, quit } = text();
  const tray = new Tray(ICON);

  function endSession(): void {
    sessions
      .endAtApp(station.id, 'signed-out', ACTOR)
      .catch((err: unknown) => log.error({ err }, 'the tray could not sign out'));
  }

  function show(session: Session | null): void {
    const who = session?.user.displayName ?? nobody;
    tray.setToolTip(`Keyswitch – ${who}`);
    tray.setContextMenu(
      Menu.buildFromTemplate([
        // A single ampersand would underline the letter after it.
        { label: who.replaceAll('&', '&&'), enabled: false },
        { label: signOut, enabled: session !== null, click: endSession },
        { type: 'separator' },
        { label: open, click: window.open },
        { label: quit, click: () => app.quit() },
      ]),
    );
  }

  tray.on('click', window.open);
  appStates.follow(station.id, ({ session }) => show(session));
}
