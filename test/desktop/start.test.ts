/** The scenarios of `test/electron/scenarios/start.ts`, on the built desktop in the stand-in. */
import { describeStart } from '../electron/scenarios/start.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeStart(inStandIn);
