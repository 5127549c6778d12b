/** The tray icon: shows what `tray-view.ts` makes of the state of the house, and does what is clicked. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { app, Menu, Tray, type MenuItemConstructorOptions } from 'electron';
import type { EventName } from '../../server/events.ts';
import type { Host } from '../../server/host.ts';
import type { CancelTimer, Clock } from '../../server/ports/clock.ts';
import type { Log } from '../../server/ports/log.ts';
import { PRODUCT_ROOT } from '../../server/product.ts';
import type { EndReason } from '../../server/sessions/session.ts';
import { createPaced } from './paced.ts';
import { ANYONE, type Station } from '../station.ts';
import { text } from '../text.ts';
import { viewTray, type TrayAction, type TrayItem, type TrayView, type UpdateAtTray } from './tray-view.ts';
import type { Updates } from '../updates/updates.ts';
import type { Frame } from '../windows/views.ts';

export interface TrayNeeds {
  readonly host: Pick<Host, 'features'>;
  readonly station: Station;
  readonly views: Pick<Frame, 'open' | 'show' | 'switchUser' | 'isKiosk'>;
  readonly updates: Updates;
  readonly clock: Clock;
  readonly log: Log;
}

const CHANGES: readonly EventName[] = [
  'SessionOpened',
  'SessionEnded',
  'UserChanged',
  'AppChanged',
  'LinkChanged',
];
/** A shift that signs in, or a plant whose PLCs come and go, must not keep the process busy with its menu. */
const PAUSE_MS = 250;

export function setupTray({ host, station, views, updates, clock, log }: TrayNeeds): void {
  const { apps, sessions, links, bus } = host.features;
  let shown = look();
  let stopWaiting: CancelTimer = () => {};
  const tray = new Tray(iconOf(shown));
  render(null);

  function look(): TrayView {
    const state = {
      stationId: station.app.id,
      apps: apps.list().map(({ id, name }) => {
        const session = sessions.ofApp(id);
        return { id, name, session, leftMs: session === null ? 0 : (sessions.leftOf(session.id) ?? 0) };
      }),
      emergencies: sessions.list().filter(({ emergencyReason }) => emergencyReason !== null),
      links: links.status(),
      mayQuit: station.isAdministrator(),
      update: updateOf(updates),
      isKiosk: views.isKiosk(),
    };
    return viewTray(state, text());
  }

  function render(former: TrayView | null): void {
    if (shown.icon !== former?.icon) tray.setImage(iconOf(shown));
    if (shown.tooltip !== former?.tooltip) tray.setToolTip(shown.tooltip);
    // An open menu may close when it is replaced.
    if (!isDeepStrictEqual(shown.groups, former?.groups)) {
      tray.setContextMenu(Menu.buildFromTemplate(templateOf(shown, act)));
    }
    stopWaiting();
    if (shown.changesInMs !== null) stopWaiting = clock.after(shown.changesInMs, refresh);
  }

  const refresh = createPaced(clock, PAUSE_MS, () => {
    const former = shown;
    shown = look();
    render(former);
  });

  function end(sessionId: string, reason: EndReason): void {
    sessions
      .end(sessionId, reason, ANYONE)
      .catch((err: unknown) => log.error({ err, sessionId, reason }, 'the tray could not end a session'));
  }

  function act(action: TrayAction): void {
    switch (action.do) {
      case 'sign-out':
        return action.sessionIds.forEach((id) => end(id, 'signed-out'));
      case 'lock':
        return end(action.sessionId, 'screen-locked');
      case 'switch-user':
        return views.switchUser();
      case 'open':
        return views.open();
      case 'bar':
        return views.show('bar');
      case 'update':
        return updates.install();
      case 'quit':
        // The menu may have been open for a while.
        return void (station.isAdministrator() && app.quit());
    }
  }

  for (const name of CHANGES) bus.on(name, refresh);
  updates.follow(refresh);
  tray.on('click', views.open);
}

function updateOf({ state, mayBeAsked }: Updates): UpdateAtTray | null {
  const { doing, staged } = state();
  if (staged === null) return null;
  const { version } = staged;
  if (['counting', 'installing', 'leaving'].includes(doing)) return { version, stands: 'installing' };
  return { version, stands: mayBeAsked() ? 'offered' : 'waits' };
}

/** Electron takes `@1.5x` and `@2x` of it by itself where the screen asks for them. */
function iconOf({ icon }: TrayView): string {
  return join(PRODUCT_ROOT, 'electron', 'icons', `${icon}.png`);
}

function templateOf({ groups }: TrayView, act: (action: TrayAction) => void): MenuItemConstructorOptions[] {
  const itemOf = ({ label, action, items }: TrayItem): MenuItemConstructorOptions => ({
    // A single ampersand would underline the letter after it.
    label: label.replaceAll('&', '&&'),
    enabled: action !== undefined || items !== undefined,
    ...(action !== undefined && { click: () => act(action) }),
    ...(items !== undefined && { submenu: items.map(itemOf) }),
  });
  return groups.flatMap((group, index): MenuItemConstructorOptions[] => [
    ...(index === 0 ? [] : [{ type: 'separator' } as const]),
    ...group.map(itemOf),
  ]);
}
