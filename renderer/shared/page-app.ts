/** Which app this page signs in at: the address decides, the station remembers, the desktop has a default. */
import type { Memory } from './ports.ts';

const KEY = 'keyswitch.app';

/** The AppId, or null to sign in at Keyswitch itself. `?app=` without a value forgets the remembered one. */
export function pageAppId(search: string, memory: Memory, stationAppId: string | undefined): string | null {
  const asked = new URLSearchParams(search).get('app')?.trim().toLowerCase();
  if (asked === '') memory.removeItem(KEY);
  else if (asked !== undefined) memory.setItem(KEY, asked);
  return memory.getItem(KEY) ?? stationAppId ?? null;
}
