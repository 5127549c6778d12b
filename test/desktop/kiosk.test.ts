/** The scenarios of `test/electron/scenarios/kiosk.ts`, on the built desktop in the stand-in. */
import { describeKiosk } from '../electron/scenarios/kiosk.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeKiosk(inStandIn);
