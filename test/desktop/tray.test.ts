/** The scenarios of `test/electron/scenarios/tray.ts`, on the built desktop in the stand-in. */
import { describeTray } from '../electron/scenarios/tray.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeTray(inStandIn);
