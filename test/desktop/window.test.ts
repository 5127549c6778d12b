/** The scenarios of `test/electron/scenarios/window.ts`, on the built desktop in the stand-in. */
import { describeWindow } from '../electron/scenarios/window.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeWindow(inStandIn);
