/** What every page stands on, handed down once. */
import { createContext } from 'svelte';
import { Alarm } from './alarm.svelte.ts';
import { createApi, type Api } from './api.ts';
import { Door } from './door.svelte.ts';
import { HostClock } from './host-clock.svelte.ts';
import { I18n } from './i18n.svelte.ts';
import { createLine, type Line } from './live.svelte.ts';
import { pageAppId } from './page-app.ts';
import type { Ports } from './ports.ts';
import { Router } from './router.svelte.ts';
import { ThemeChoice } from './theme.svelte.ts';

export interface Shell {
  readonly alarm: Alarm;
  readonly ports: Ports;
  readonly api: Api;
  readonly clock: HostClock;
  readonly door: Door;
  readonly i18n: I18n;
  readonly line: Line;
  readonly router: Router;
  readonly theme: ThemeChoice;
}

export const [getShell, setShell] = createContext<Shell>();

export function createShell(ports: Ports): Shell {
  const api = createApi(ports.fetch);
  const clock = new HostClock(ports.clock);
  const appId = pageAppId(location.search, ports.memory, window.keyswitch?.stationAppId);
  return {
    alarm: new Alarm(),
    ports,
    api,
    clock,
    door: new Door(appId, api, ports.clock, ports.memory),
    i18n: new I18n(ports.memory, navigator.language),
    line: createLine(ports, clock),
    router: new Router(ports.address),
    theme: new ThemeChoice(ports.memory),
  };
}
