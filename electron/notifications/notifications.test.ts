import { expect, test, vi } from 'vitest';
import { ADMINISTRATOR, openHouse } from '../../test/house.ts';
import { setupNotifications } from './notifications.ts';
import { createStation } from '../station.ts';
import { NO_UPDATES } from '../updates/updates.ts';

const shown = vi.hoisted(() => [] as { title: string; click: () => void }[]);
vi.mock('electron', () => ({
  app: { getLocale: () => 'en' },
  Notification: class {
    static isSupported = (): boolean => true;
    readonly title: string;
    click = (): void => {};
    constructor({ title }: { title: string }) {
      this.title = title;
    }
    on(_event: 'click', listener: () => void): void {
      this.click = listener;
    }
    show(): void {
      shown.push(this);
    }
  },
}));

test.each([true, false])('notifies, and is quiet, as the setting says: %s', async (notifications) => {
  const { features, clock, log } = await openHouse();
  await features.apps.add({ name: 'Desk', logoutTimeInMin: 10, station: true }, ADMINISTRATOR);
  let opened = 0;
  const views = { open: () => void (opened += 1) };
  const station = createStation({ features }, log);
  setupNotifications({ host: { features }, station, views, updates: NO_UPDATES, clock }, { notifications });
  features.bus.publish('StorageChanged', { state: 'low', freeMiB: 900 });
  const told = shown.splice(0);
  told.forEach(({ click }) => click());
  expect(told.map(({ title }) => title)).toEqual(notifications ? ['The disk is filling up'] : []);
  expect(opened).toBe(told.length);
});
