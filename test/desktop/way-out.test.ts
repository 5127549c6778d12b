/** The scenarios of `test/electron/scenarios/way-out.ts`, on the built desktop in the stand-in. */
import { describeWayOut } from '../electron/scenarios/way-out.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeWayOut(inStandIn);
