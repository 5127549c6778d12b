/** The scenarios of `test/electron/scenarios/bar.ts`, on the built desktop in the stand-in. */
import { describeBar } from '../electron/scenarios/bar.ts';
import { inStandIn } from '../electron-stand-in/desktop.ts';

describeBar(inStandIn);
