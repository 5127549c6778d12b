import { basename } from 'node:path';
import type { MenuItemConstructorOptions } from 'electron';
import { beforeEach, expect, test, vi } from 'vitest';
import { ADMINISTRATOR, MINUTE_MS, openHouse, SECOND_MS, type House } from '../../test/house.ts';
import { createStation } from '../station.ts';
import { setupTray } from './tray.ts';
import type { UpdateState } from '../updates/update-state.ts';
import { NO_UPDATES, type Updates } from '../updates/updates.ts';

/** What the operating system would show, and how often it was told. */
const seen = vi.hoisted(() => ({
  ...{ image: '', toolTip: '', menu: [] as MenuItemConstructorOptions[], menus: 0, quits: 0 },
}));
vi.mock('electron', () => ({
  app: { getLocale: () => 'en', quit: () => (seen.quits += 1) },
  Menu: { buildFromTemplate: (template: MenuItemConstructorOptions[]) => template },
  Tray: class {
    on(): void {}
    setImage(image: string): void {
      seen.image = image;
    }
    setToolTip(toolTip: string): void {
      seen.toolTip = toolTip;
    }
    setContextMenu(menu: MenuItemConstructorOptions[]): void {
      seen.menu = menu;
      seen.menus += 1;
    }
  },
}));
beforeEach(() => void Object.assign(seen, { menus: 0, quits: 0 }));

async function openDesk(updates: Updates = NO_UPDATES): Promise<House> {
  const house = await openHouse();
  const { features, log, clock } = house;
  const limits = { logoutTimeInMin: 10, station: true };
  const { app: desk } = await features.apps.add({ name: 'Desk', ...limits }, ADMINISTRATOR);
  for (const [name, type] of [
    ['Anna & Ben', 'Active'],
    ['Ada', 'Admin'],
  ] as const) {
    await features.apps.grant(desk, await house.addUser(name, { type }), '9', ADMINISTRATOR);
  }
  await house.addApp('HMI 1', { Ada: '9' });
  const views = { open() {}, show() {}, switchUser() {}, isKiosk: () => false };
  setupTray({ host: { features }, station: createStation({ features }, log), views, updates, clock, log });
  return house;
}

const appNamed = (house: House, name: string) => house.features.apps.list().find((app) => app.name === name)!;

function itemOf(label: string, items = seen.menu): MenuItemConstructorOptions | undefined {
  return items
    .flatMap((item) => [item, ...((item.submenu ?? []) as MenuItemConstructorOptions[])])
    .flatMap((item) => [item, ...((item.submenu ?? []) as MenuItemConstructorOptions[])])
    .find((item) => item.label === label);
}

function click(label: string): void {
  (itemOf(label)?.click as () => void)();
}

test('shows who comes and goes at once, and the minutes as they pass', async () => {
  const house = await openDesk();
  expect([basename(seen.image), seen.toolTip]).toEqual(['signed-out.png', 'Nobody is signed in']);
  await house.signIn('Anna & Ben', { app: appNamed(house, 'Desk') });
  await house.advance(0);
  expect([basename(seen.image), seen.toolTip]).toEqual(['signed-in.png', 'Anna & Ben, 10 min left']);
  expect(itemOf('Anna && Ben, 10 min left')).toMatchObject({ enabled: false });
  await house.advance(MINUTE_MS);
  expect(seen.toolTip).toBe('Anna & Ben, 9 min left');
  await house.advance(9 * MINUTE_MS);
  await house.advance(SECOND_MS);
  expect(seen.toolTip).toBe('Nobody is signed in');
});

test('leaves the menu alone while nothing in it changes, and does not follow every step of a storm', async () => {
  const house = await openDesk();
  for (let change = 0; change < 100; change += 1) {
    house.features.bus.publish('LinkChanged', { linkId: 'a' });
    await house.advance(5);
  }
  expect(seen.menus).toBe(1);
});

test('signs out at one app, or everywhere, as the desktop', async () => {
  const house = await openDesk();
  await house.signIn('Ada', { app: appNamed(house, 'HMI 1') });
  await house.signIn('Anna & Ben', { app: appNamed(house, 'Desk') });
  await house.advance(SECOND_MS);
  house.story();
  click('Sign out');
  await house.settle();
  expect(house.story()).toEqual(['Anna & Ben at Desk ended: signed-out']);
  expect(await house.lastAudit()).toMatchObject({
    actor: 'anonymous',
    door: 'desktop',
    reason: 'signed-out',
  });
  await house.signIn('Anna & Ben', { app: appNamed(house, 'Desk') });
  await house.advance(SECOND_MS);
  house.story();
  click('Sign out everywhere');
  await house.settle();
  expect(house.story().toSorted()).toEqual([
    'Ada at HMI 1 ended: signed-out',
    'Anna & Ben at Desk ended: signed-out',
  ]);
});

test('a menu left open over a handover ends nobody who came since', async () => {
  const house = await openDesk();
  await house.signIn('Ada', { app: appNamed(house, 'Desk') });
  await house.signIn('Ada', { app: appNamed(house, 'HMI 1') });
  await house.advance(SECOND_MS);
  const [signOut, lock, everywhere] = ['Sign out', 'Lock', 'Sign out everywhere'].map(
    (label) => itemOf(label)?.click as () => void,
  );
  await house.signIn('Anna & Ben', { app: appNamed(house, 'Desk') });
  house.story();
  signOut!();
  lock!();
  await house.settle();
  expect(house.story()).toEqual([]);
  everywhere!();
  await house.settle();
  expect(house.story()).toEqual(['Ada at HMI 1 ended: signed-out']);
});

test('locks, as the desktop', async () => {
  const house = await openDesk();
  await house.signIn('Ada', { app: appNamed(house, 'Desk') });
  await house.advance(SECOND_MS);
  house.story();
  click('Lock');
  await house.settle();
  expect(house.story()).toEqual(['Ada at Desk ended: screen-locked']);
  expect(await house.lastAudit()).toMatchObject({ actor: 'anonymous', door: 'desktop' });
});

test('shows what is really left although the clock of the PC is set', async () => {
  const house = await openDesk();
  await house.signIn('Ada', { app: appNamed(house, 'Desk') });
  house.clock.setWallClock(house.clock.now() + 60 * MINUTE_MS);
  await house.advance(MINUTE_MS);
  expect(seen.toolTip).toBe('Ada, 9 min left');
});

test('offers what is staged as soon as it is, and has it installed', async () => {
  let installs = 0;
  let tell: (state: UpdateState) => void = () => {};
  let state: UpdateState = { doing: 'looking', staged: null, failure: null };
  const house = await openDesk({
    state: () => state,
    mayBeAsked: () => true,
    install: () => void (installs += 1),
    follow: (listener) => void (tell = listener),
  });
  await house.signIn('Ada', { app: appNamed(house, 'Desk') });
  await house.advance(SECOND_MS);
  expect(itemOf('Install version 1.2.3')).toBeUndefined();
  const artefact = { name: 'Keyswitch-1.2.3.AppImage', bytes: 1, sha512: '' };
  state = { doing: 'nothing', staged: { version: '1.2.3', artefact, file: '' }, failure: null };
  tell(state);
  await house.advance(SECOND_MS);
  click('Install version 1.2.3');
  expect(installs).toBe(1);
});

test('lets nobody quit who is no administrator any more when the menu that is open is clicked', async () => {
  const house = await openDesk();
  await house.signIn('Ada', { app: appNamed(house, 'Desk') });
  await house.advance(SECOND_MS);
  expect(itemOf('Quit')).toMatchObject({ enabled: true });
  const quit = itemOf('Quit')?.click as () => void;
  quit();
  expect(seen.quits).toBe(1);
  await house.signIn('Anna & Ben', { app: appNamed(house, 'Desk') });
  quit();
  expect(seen.quits).toBe(1);
  await house.advance(SECOND_MS);
  expect(itemOf('Quit')).toMatchObject({ enabled: false });
});
