/** Notifications of the operating system; a click on one opens the window. */
import { Notification } from 'electron';
import type { Config } from '../../server/config/schema.ts';
import type { Host } from '../../server/host.ts';
import type { Clock } from '../../server/ports/clock.ts';
import { startNotices, type Notice } from './notices.ts';
import type { Station } from '../station.ts';
import { text } from '../text.ts';
import type { Updates } from '../updates/updates.ts';
import type { Views } from '../windows/views.ts';

export interface NotificationsNeeds {
  readonly host: Pick<Host, 'features'>;
  readonly station: Station;
  readonly views: Pick<Views, 'open'>;
  readonly updates: Pick<Updates, 'follow'>;
  readonly clock: Clock;
}

/** One that is collected as garbage cannot be clicked any more; whether it was closed is not always told. */
const KEPT = 20;

/** Quiet where the settings say so, and where the operating system shows none. */
export function setupNotifications(
  { host, station, views, updates, clock }: NotificationsNeeds,
  { notifications }: Pick<Config['desktop'], 'notifications'>,
): void {
  if (!notifications || !Notification.isSupported()) return;
  const kept: Notification[] = [];
  const show = ({ title, body, isUrgent }: Notice): void => {
    const notification = new Notification({
      ...{ title, body },
      urgency: isUrgent ? 'critical' : 'normal',
      timeoutType: isUrgent ? 'never' : 'default',
    });
    notification.on('click', views.open);
    kept.push(notification);
    if (kept.length > KEPT) kept.shift();
    notification.show();
  };
  startNotices({ features: host.features, station, updates, clock, text: text(), show });
}
