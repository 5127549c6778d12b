/** Runs before the page in the window's isolated world, and gives it what `renderer/shared/bridge.d.ts` expects. */
import { contextBridge, ipcRenderer } from 'electron';
import type { Channel, Contract } from './ipc/contract.ts';

function ask<Name extends Channel>(
  channel: Name,
  ...given: Parameters<Contract[Name]>
): ReturnType<Contract[Name]> | null {
  return ipcRenderer.sendSync(channel, ...given) as ReturnType<Contract[Name]> | null;
}

const stationAppId = ask('station-app-id');
if (stationAppId !== null) contextBridge.exposeInMainWorld('keyswitch', { stationAppId });
