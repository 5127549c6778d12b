/** What the desktop must do, told once for the stand-in and for real Electron. */
import type { Starter } from '../desktop.ts';
import { describeBar } from './bar.ts';
import { describeIpc } from './ipc.ts';
import { describeKiosk } from './kiosk.ts';
import { describePresence } from './presence.ts';
import { describeStart } from './start.ts';
import { describeTray } from './tray.ts';
import { describeWayOut } from './way-out.ts';
import { describeWindow } from './window.ts';

export function describeDesktop(starter: Starter): void {
  describeWindow(starter);
  describeWayOut(starter);
  describeBar(starter);
  describeKiosk(starter);
  describeTray(starter);
  describePresence(starter);
  describeIpc(starter);
  describeStart(starter);
}
