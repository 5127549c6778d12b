/** Runs before each page in its window's isolated world, and gives it what `renderer/shared/bridge.d.ts` declares. */
import { contextBridge, ipcRenderer } from 'electron';
import type { Channel, Contract, Tidings, Told } from './ipc/contract.ts';

function ask<Name extends Channel>(
  channel: Name,
  ...given: Parameters<Contract[Name]>
): ReturnType<Contract[Name]> | null {
  return ipcRenderer.sendSync(channel, ...given) as ReturnType<Contract[Name]> | null;
}

function invoke<Name extends Channel>(
  channel: Name,
  ...given: Parameters<Contract[Name]>
): Promise<ReturnType<Contract[Name]>> {
  return ipcRenderer.invoke(channel, ...given) as Promise<ReturnType<Contract[Name]>>;
}

/** The event itself, with its sender, stays out of the page. */
function listen<Name extends Tidings>(channel: Name, listener: (...told: Told[Name]) => void): void {
  ipcRenderer.on(channel, (_event, ...told) => listener(...(told as Told[Name])));
}

/** Of the page; the rest of a browser is not for the desktop to know. */
declare const location: { readonly protocol: string };

// A status page asks for nothing, and before there is a host nobody would answer.
const desktop = location.protocol === 'https:' ? ask('desktop') : null;

if (desktop !== null) {
  const bridge: DesktopBridge = {
    ...desktop,
    show: (view) => invoke('show', view),
    leaveKiosk: () => invoke('leave-kiosk'),
    onSwitchUser: (listener) => listen('switch-user', () => listener()),
    onIdleLeft: (listener) => listen('idle-left', (leftMs) => listener(leftMs)),
  };
  contextBridge.exposeInMainWorld('keyswitch', bridge);
}
