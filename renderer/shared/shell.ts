/** What every page stands on, handed down once. */
import { createContext } from 'svelte';
import { Alarm } from './alarm.svelte.ts';
import { createApi, type Api } from './api.ts';
import { Desktop } from './desktop.svelte.ts';
import { Door } from './door.svelte.ts';
import { HostClock } from './host-clock.svelte.ts';
import { I18n } from './i18n.svelte.ts';
import { OnScreenKeyboard } from './keyboard/on-screen-keyboard.svelte.ts';
import { createLine, type Line } from './live.svelte.ts';
import { pageAppId } from './page-app.ts';
import { PageVersion } from './page-version.svelte.ts';
import type { Ports } from './ports.ts';
import { Router } from './router.svelte.ts';
import { ThemeChoice } from './theme.svelte.ts';
import { watchTyping } from './typing.ts';

export interface Shell {
  readonly alarm: Alarm;
  readonly ports: Ports;
  readonly api: Api;
  readonly clock: HostClock;
  readonly desktop: Desktop;
  readonly door: Door;
  readonly i18n: I18n;
  readonly keyboard: OnScreenKeyboard;
  readonly line: Line;
  readonly router: Router;
  readonly theme: ThemeChoice;
  readonly version: PageVersion;
}

export const [getShell, setShell] = createContext<Shell>();

export function createShell(ports: Ports): Shell {
  const api = createApi(ports.fetch);
  const clock = new HostClock(ports.clock);
  const appId = pageAppId(location.search, ports.memory, window.keyswitch?.stationAppId);
  const router = new Router(ports.address);
  const door = new Door(appId, api, ports.clock, ports.memory, () => router.hasWork);
  const version = new PageVersion(
    { door, ports, router, isTyping: watchTyping(document) },
    KEYSWITCH_VERSION,
  );
  return {
    alarm: new Alarm(),
    ports,
    api,
    clock,
    desktop: new Desktop(window.keyswitch),
    door,
    i18n: new I18n(ports.memory, navigator.language),
    keyboard: new OnScreenKeyboard(matchMedia('(pointer: coarse)').matches),
    line: createLine(ports, clock, () => void version.ask()),
    router,
    theme: new ThemeChoice(ports.memory),
    version,
  };
}
