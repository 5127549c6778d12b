/** What every page stands on, handed down once. */
import { createContext } from 'svelte';
import { createApi, type Api } from './api.ts';
import { Door } from './door.svelte.ts';
import { HostClock } from './host-clock.svelte.ts';
import { I18n } from './i18n.svelte.ts';
import { pageAppId } from './page-app.ts';
import type { Ports } from './ports.ts';
import { ThemeChoice } from './theme.svelte.ts';

export interface Shell {
  readonly ports: Ports;
  readonly api: Api;
  readonly clock: HostClock;
  readonly door: Door;
  readonly i18n: I18n;
  readonly theme: ThemeChoice;
}

export const [getShell, setShell] = createContext<Shell>();

export function createShell(ports: Ports): Shell {
  const api = createApi(ports.fetch);
  const appId = pageAppId(location.search, ports.memory, window.keyswitch?.stationAppId);
  return {
    ports,
    api,
    clock: new HostClock(ports.clock),
    door: new Door(appId, api, ports.clock, ports.memory),
    i18n: new I18n(ports.memory, navigator.language),
    theme: new ThemeChoice(ports.memory),
  };
}
