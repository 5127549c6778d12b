/** Presence: what Electron tells of whoever sits, or does not sit any more, in front of this PC. */
import { BrowserWindow, powerMonitor } from 'electron';
import type { Config } from '../../server/config/schema.ts';
import { createWatch, type Watch, type WatchNeeds } from './watch.ts';

/** Elsewhere it has to be asked for; on Windows the answer would be "locked" at every prompt of its account control. */
const TELLS_LOCK = process.platform === 'win32' || process.platform === 'darwin';

/** Follows the operating system until it is closed; only once there is a window. */
export function setupPresence(needs: Omit<WatchNeeds, 'look'>, desktop: Config['desktop']): Watch {
  const look = (): ReturnType<WatchNeeds['look']> => ({
    idleSec: powerMonitor.getSystemIdleTime(),
    isLocked: !TELLS_LOCK && powerMonitor.getSystemIdleState(1) === 'locked',
  });
  const watch = createWatch({ ...needs, look }, desktop);
  powerMonitor.on('lock-screen', () => watch.heard('lock-screen'));
  powerMonitor.on('suspend', () => watch.suspended());
  powerMonitor.on('resume', () => watch.resumed());
  powerMonitor.on('user-did-resign-active', () => watch.heard('user-did-resign-active'));
  powerMonitor.on('shutdown', () => watch.heard('shutdown'));
  // Windows asks the windows of an app instead: each of them, but one is enough.
  BrowserWindow.getAllWindows()[0]?.on('query-session-end', () => watch.heard('session-end'));
  return watch;
}
