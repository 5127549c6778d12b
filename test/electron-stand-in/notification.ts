/** `Notification` as data: what was shown, and can be clicked. */
import type { Notification, NotificationConstructorOptions } from 'electron';
import { needsReady } from './app.ts';
import { modelled, ModelledEmitter } from './modelled.ts';

export const notifications: StandInNotification[] = [];

export class StandInNotification extends ModelledEmitter implements Pick<Notification, 'show' | 'close'> {
  static isSupported(): boolean {
    return true;
  }

  readonly title: string;
  readonly body: string;
  readonly options: NotificationConstructorOptions;
  isShown = false;

  constructor(options: NotificationConstructorOptions = {}) {
    needsReady('Cannot create Notification');
    super('Notification', ['action', 'click', 'close', 'failed', 'show']);
    this.options = options;
    this.title = options.title ?? '';
    this.body = options.body ?? '';
    return modelled<StandInNotification>('Notification', this);
  }

  show(): void {
    this.isShown = true;
    notifications.push(this);
    this.emit('show', {});
  }

  close(): void {
    this.isShown = false;
    this.emit('close', {});
  }
}
